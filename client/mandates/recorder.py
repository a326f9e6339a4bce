"""Bringing mandates and their revocations to the channel, and keeping what receipts need of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from client.encodings import jcs
from client.encodings.mandate import parse_mandate
from client.encodings.mandate_record import parse_mandate_record
from client.platform.chain import commit
from client.platform.models import Mandate
from client.platform.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.encodings.mandate_record import MandateRecord
    from client.platform import Database
    from client.platform.chain import Contract


class MandateRecorder:
    """Records mandates for one meeting as a door's relay."""

    def __init__(self, database: Database, mtg: str, relay: Contract) -> None:
        self._database = database
        self._mtg = mtg
        self._relay = relay

    def record(self, mandates: Sequence[str]) -> list[str | None]:
        """Record mandates (compact JWS) in one transaction; return why each is not in force, None if it is.

        One that the channel has already is not recorded twice. The gateway's own errors pass through.
        """
        committed = commit(self._relay, "RecordMandates", self._mtg, jcs.dumps(list(mandates)))
        verdicts = Verdicts.parse(committed.result, len(mandates))
        codes = [verdicts.refused.get(place) or verdicts.pending.get(place) for place in range(len(mandates))]
        with self._database.write() as session:
            for compact, code in zip(mandates, codes, strict=True):
                if code is None:
                    signed = parse_mandate(compact)
                    said = signed.mandate
                    row = {"digest": signed.digest, "mtg": said.mtg, "sub": said.sub, "proxy": said.proxy}
                    session.merge(Mandate(**row, no=said.no, jws=compact))
        return codes

    def revoke(self, revocation: str) -> MandateRecord:
        """Record the end of a mandate (compact JWS); return the mandate as the channel then has it."""
        return parse_mandate_record(commit(self._relay, "RevokeMandate", self._mtg, revocation).result)
