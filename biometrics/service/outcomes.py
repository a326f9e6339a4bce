"""What follows a passed check: evidence sealed, record made, and the record on the ledger, in that order.

The order survives a crash: what was accepted is in the store before the ledger is asked, and
`resume` asks again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, update

from biometrics.service import evidence
from biometrics.service.evidence import EvidenceOpening
from biometrics.service.recording import NotRecorded
from biometrics.store.models import Check
from biometrics.terms.binding import Binding, Lender
from biometrics.terms.scopes import ENROLMENT
from client.encodings import base64url, commitment, jcs
from client.encodings.records import session_from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session as DbSession

    from biometrics.service.recording import Recording
    from biometrics.store import Database, Sealer
    from client.encodings.records import Session

_log = logging.getLogger(__name__)
_TABLE: Final = "identity_checks"
_COLUMN: Final = "opening_encrypted"


@dataclass(frozen=True, slots=True)
class Approval:
    """A passed check at enrolment: what the enrolment's record on `identity` commits to."""

    ses: str
    lender: Lender
    key: str
    method: str
    opening: EvidenceOpening = field(repr=False)
    expires_at: int


def binding_of(row: Check) -> Binding:
    """Return what a check is bound to."""
    return Binding(Lender(row.institution, row.sub), row.key, row.scope, row.act)


class Outcomes:
    """Seals what was accepted and hands it on."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        recording: Recording,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._recording = recording
        self._clock = clock
        self._random_bytes = random_bytes

    def accept(
        self,
        session: DbSession,
        row: Check,
        evidenced: Mapping[str, Any],
        *,
        method: str,
        valid_for: int,
        now: int,
    ) -> None:
        """Note an accepted check in the caller's transaction; `hand_on` comes after its commit."""
        binding = binding_of(row)
        opening = evidence.open_evidence(evidenced, self._random_bytes)
        if binding.is_enrolment:
            record = {"v": 1, "method": method, "commitment": opening.commitment}
            row.state = "approved"
        else:
            made = evidence.session_record(row.ses, binding, method, opening, now=now, valid_for=valid_for)
            record = made.as_json()
            row.state = "recording"
        row.record = jcs.dumps(record).decode("utf-8")
        row.opening_encrypted = self._sealer.seal(_TABLE, _COLUMN, row.ses, opening.salt + opening.evidence)
        row.expires_at = now + valid_for
        row.decided_at = now
        session.flush()

    @staticmethod
    def refuse(row: Check, code: str, now: int) -> None:
        """End a check in the caller's transaction, for a reason that only its end brought to light."""
        row.state, row.decided_at = "refused", now
        row.reasons = jcs.dumps([code]).decode("ascii")

    def hand_on(self, ses: str) -> None:
        """Put an accepted check on the ledger, where it goes there. An unreachable ledger changes nothing."""
        with self._database.read() as session:
            row = session.get(Check, ses)
        if row is None or row.state != "recording":
            return
        record, opening = self._opened(row)
        try:
            self._recording.record(record, opening)
        except NotRecorded as error:
            if error.code is None:
                _log.warning("a passed check could not be recorded yet: the ledger does not answer")
                return
            self._end(ses, "refused", [error.code])
        else:
            self._end(ses, "recorded", [])

    def resume(self, waited: int = 0) -> int:
        """Hand on what was accepted but not recorded, after a restart or an outage; return how many.

        Only what has waited for so many seconds: what was accepted just now is on its way.
        """
        now = self._clock()
        with self._database.read() as session:
            waiting = select(Check).where(Check.state == "recording", Check.decided_at <= now - waited)
            query = waiting.order_by(Check.decided_at)
            rows = list(session.scalars(query))
        for row in rows:
            if row.expires_at is not None and row.expires_at <= now:
                self._end(row.ses, "lapsed", [])
            else:
                self.hand_on(row.ses)
        return len(rows)

    def approval(self, lender: Lender, key: str) -> Approval | None:
        """Return the standing approval of a lender's new key, None where there is none."""
        query = (
            select(Check)
            .filter_by(
                institution=lender.institution, sub=lender.sub, key=key, scope=ENROLMENT, state="approved"
            )
            .where(Check.expires_at > self._clock(), Check.opening_encrypted.is_not(None))
            .order_by(Check.decided_at.desc())
        )
        with self._database.read() as session:
            row = session.scalars(query.limit(1)).first()
        if row is None or row.record is None or row.expires_at is None:
            return None
        method = jcs.loads(row.record.encode("utf-8"))["method"]
        return Approval(row.ses, lender, key, method, self._opening(row), row.expires_at)

    def approval_taken(self, ses: str) -> None:
        """Forget the evidence of an approval that the enrolment has sealed in its own records."""
        self._end(ses, "enrolled", [])

    def _opened(self, row: Check) -> tuple[Session, EvidenceOpening]:
        record = session_from_json(jcs.loads((row.record or "").encode("utf-8")))
        return record, self._opening(row)

    def _opening(self, row: Check) -> EvidenceOpening:
        plain = self._sealer.unseal(_TABLE, _COLUMN, row.ses, row.opening_encrypted or b"")
        return EvidenceOpening(plain[: commitment.SALT_BYTES], plain[commitment.SALT_BYTES :])

    def _end(self, ses: str, state: str, reasons: list[str]) -> None:
        values: dict[str, Any] = {
            "state": state,
            "opening_encrypted": None,
            "reasons": jcs.dumps(reasons).decode(),
        }
        with self._database.write() as session:
            session.execute(update(Check).where(Check.ses == ses).values(values))


def new_id(random_bytes: Callable[[int], bytes], size: int) -> str:
    """Return random bytes in base64url."""
    return base64url.encode(random_bytes(size))
