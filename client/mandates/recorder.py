"""Bringing mandates and their revocations to the channel, and keeping what receipts need of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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

MANDATE_REVOKED: Final = "MANDATE_REVOKED"


class MandateRecorder:
    """Records mandates for one meeting as a door's relay."""

    def __init__(self, database: Database, mtg: str, relay: Contract) -> None:
        self._database = database
        self._mtg = mtg
        self._relay = relay

    def record(self, mandates: Sequence[str]) -> list[str | None]:
        """Record mandates (compact JWS) in one transaction; return why each is not in force, None if it is.

        One that the channel has already is not recorded twice; it may have been revoked since. The gateway's
        own errors pass through.
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
        return [
            MANDATE_REVOKED if place in verdicts.held and self._is_revoked(compact) else code
            for place, (compact, code) in enumerate(zip(mandates, codes, strict=True))
        ]

    def _is_revoked(self, compact: str) -> bool:
        """Say whether a mandate that the channel has was revoked, or replaced meanwhile."""
        signed = parse_mandate(compact)
        last = parse_mandate_record(self._relay.evaluate("GetMandate", self._mtg, signed.mandate.sub))
        return last.digest != signed.digest or last.revoked is not None

    def revoke(self, revocation: str) -> MandateRecord:
        """Record the end of a mandate (compact JWS); return the mandate as the channel then has it."""
        return parse_mandate_record(commit(self._relay, "RevokeMandate", self._mtg, revocation).result)
