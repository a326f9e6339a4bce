"""Cases: what waits for officers, who holds it, and their decisions.

A case is accepted when as many different officers as it needs have accepted, and rejected at the first
rejection. Everything happens under a lock on the case's row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select, update

from biometrics.store.models import Booking, Case, CaseFrame, Decision, Officer, Slot
from biometrics.terms.errors import ServiceRefused
from client.encodings import base64url, ids, jcs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from biometrics.review.officers import KnownOfficer
    from biometrics.store.sealing import Sealer
    from biometrics.terms.binding import Binding
    from biometrics.terms.policy import ServicePolicy

REVIEW: Final = "review"
ATTENDANCE: Final = "attendance"
REASONS: Final = {
    "accept": ("same-person", "identity-document-checked"),
    "reject": ("other-person", "not-live", "cannot-tell", "document-not-valid", "did-not-attend"),
}
_TABLE: Final = "identity_case_frames"
_COLUMN: Final = "frame_encrypted"
_CASES: Final = "identity_cases"
_AUTOMATIC: Final = "automatic_encrypted"
_MOST_FRAMES: Final = 1000


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case as officers see it; `finding` is what the machine saw, `frames` how many are kept."""

    id: str
    kind: str
    institution: str
    scope: str
    ses: str
    booking: str | None
    finding: Mapping[str, Any]
    state: str
    needed: int
    accepted_by: tuple[str, ...]
    frames: int
    opened_at: int
    decide_before: int
    taken_by: str | None


class Cases:
    """The queue. Every method works inside the caller's transaction."""

    def __init__(self, sealer: Sealer, policy: ServicePolicy, random_bytes: Callable[[int], bytes]) -> None:
        self._sealer = sealer
        self._policy = policy
        self._random_bytes = random_bytes

    def open_review(
        self,
        session: Session,
        ses: str,
        binding: Binding,
        finding: Mapping[str, Any],
        *,
        frames: Sequence[bytes],
        now: int,
        automatic: Mapping[str, Any],
    ) -> str:
        """Put a check before officers, with frames that the lender consented to have kept; return the id.

        `automatic` is the evidence of the face work (`check_evidence`); it stays sealed with the case, and
        goes into the evidence of what officers accept.
        """
        needed = 2 if self._policy.two_officers else 1
        decide_before = now + self._policy.decide_within
        case = self._open(session, REVIEW, ses, binding, finding, needed, decide_before, now)
        for number, frame in enumerate(frames):
            sealed = self._sealer.seal(_TABLE, _COLUMN, f"{case}/{number}", frame)
            session.add(CaseFrame(case=case, number=number, frame_encrypted=sealed, kept_at=now))
        sealed = self._sealer.seal(_CASES, _AUTOMATIC, case, jcs.dumps(dict(automatic)))
        session.execute(update(Case).where(Case.id == case).values(automatic_encrypted=sealed))
        return case

    def automatic(self, session: Session, case: str) -> Mapping[str, Any] | None:
        """Return the evidence of the face work that a review is about, None where there was none."""
        row = session.get_one(Case, case)
        if row.automatic_encrypted is None:
            return None
        plain = self._sealer.unseal(_CASES, _AUTOMATIC, case, row.automatic_encrypted)
        value: Mapping[str, Any] = jcs.loads(plain)
        return value

    def open_attendance(
        self,
        session: Session,
        ses: str,
        binding: Binding,
        booking: str,
        kind: str,
        *,
        decide_before: int,
        now: int,
    ) -> str:
        """Put a booked attendance before officers: always two of them (two-person rule)."""
        finding = {"route": kind}
        case = self._open(session, ATTENDANCE, ses, binding, finding, 2, decide_before, now)
        session.execute(update(Case).where(Case.id == case).values(booking=booking))
        return case

    def _open(  # noqa: PLR0917  a row's columns
        self,
        session: Session,
        kind: str,
        ses: str,
        binding: Binding,
        finding: Mapping[str, Any],
        needed: int,
        decide_before: int,
        now: int,
    ) -> str:
        case = Case(
            id=base64url.encode(self._random_bytes(ids.ID_BYTES)),
            kind=kind,
            institution=binding.institution,
            sub=binding.sub,
            scope=binding.scope,
            ses=ses,
            booking=None,
            automatic_encrypted=None,
            finding=json.dumps(dict(finding)),
            state="open",
            needed=needed,
            opened_at=now,
            decide_before=decide_before,
            taken_by=None,
            taken_until=0,
        )
        session.add(case)
        session.flush()
        return case.id

    def pending(self, session: Session, binding: Binding, now: int) -> bool:
        """Say whether a review of this lender at this scope is waiting."""
        query = select(Case.id).where(
            Case.institution == binding.institution,
            Case.sub == binding.sub,
            Case.scope == binding.scope,
            Case.kind == REVIEW,
            Case.state == "open",
            Case.decide_before >= now,
        )
        return session.scalars(query.limit(1)).first() is not None

    def listed(
        self, session: Session, officer: KnownOfficer, now: int, state: str = "open"
    ) -> list[OpenCase]:
        """Return the cases of a state that the officer may see, oldest first; open ones while decidable."""
        query = select(Case).where(Case.state == state).order_by(Case.opened_at, Case.id)
        if state == "open":
            query = query.where(Case.decide_before >= now)
        if officer.msp not in self._policy.officers_for_all:
            query = query.where(Case.institution == officer.msp)
        return [self._seen(session, row, now) for row in session.scalars(query)]

    def take(self, session: Session, case: str, officer: KnownOfficer, now: int) -> OpenCase:
        """Hold a case for a while, so that no other officer works on it meanwhile; taking it again prolongs.

        Raises ServiceRefused (CASE_NOT_FOUND, CASE_DECIDED, CASE_TOO_EARLY, CASE_TAKEN, CASE_SAME_OFFICER).
        """
        row = self._undecided(session, case, officer, now)
        if row.taken_by not in {None, officer.id} and now < row.taken_until:
            raise ServiceRefused("CASE_TAKEN", retry_after=row.taken_until - now)
        if officer.id in self._accepted_by(session, case):
            raise ServiceRefused("CASE_SAME_OFFICER")
        row.taken_by, row.taken_until = officer.id, now + self._policy.take_for
        return self._seen(session, row, now)

    def frame(self, session: Session, case: str, number: int, officer: KnownOfficer, now: int) -> bytes:
        """Return a kept frame, to the officer who holds the case and to nobody else."""
        self._held(session, case, officer, now)
        # A larger number than any is no question for the database, which may not even hold it.
        row = session.get(CaseFrame, (case, number)) if number < _MOST_FRAMES else None
        if row is None:
            raise ServiceRefused("CASE_NOT_FOUND", "no such frame")
        return self._sealer.unseal(_TABLE, _COLUMN, f"{case}/{number}", row.frame_encrypted)

    def held(self, session: Session, case: str, officer: KnownOfficer, now: int) -> OpenCase:
        """Return a case that the officer holds; raises ServiceRefused (CASE_NOT_TAKEN, …)."""
        return self._seen(session, self._held(session, case, officer, now), now)

    def decide(
        self,
        session: Session,
        case: str,
        officer: KnownOfficer,
        verdict: str,
        reason: str,
        *,
        statement: str,
        now: int,
    ) -> OpenCase:
        """Note a decision, and end the case if that settles it: then its frames are deleted at once.

        `statement` is what the officer signed. Raises ServiceRefused (CASE_NOT_FOUND, CASE_DECIDED,
        CASE_TOO_EARLY, CASE_NOT_TAKEN, CASE_SAME_OFFICER, CASE_REASON).
        """
        if verdict not in REASONS or reason not in REASONS[verdict]:
            raise ServiceRefused("CASE_REASON")
        row = self._held(session, case, officer, now)
        if officer.id in self._accepted_by(session, case):
            raise ServiceRefused("CASE_SAME_OFFICER")
        session.add(
            Decision(
                id=base64url.encode(self._random_bytes(ids.ID_BYTES)),
                case=case,
                officer=officer.id,
                verdict=verdict,
                reason=reason,
                decided_at=now,
                statement=statement,
            )
        )
        session.flush()
        row.taken_by, row.taken_until = None, 0
        if verdict == "reject":
            self._close(session, row, "rejected")
        elif len(self._accepted_by(session, case)) >= row.needed:
            self._close(session, row, "accepted")
        return self._seen(session, row, now)

    @staticmethod
    def of_booking(session: Session, booking: str) -> Case:
        """Return the row of the case that a booking opened."""
        return session.scalars(select(Case).where(Case.booking == booking).with_for_update()).one()

    def decisions(self, session: Session, case: str) -> list[Decision]:
        """Return the decisions on a case, oldest first."""
        query = select(Decision).where(Decision.case == case).order_by(Decision.decided_at, Decision.id)
        return list(session.scalars(query))

    @staticmethod
    def _close(session: Session, row: Case, state: str) -> None:
        row.state = state
        session.execute(delete(CaseFrame).where(CaseFrame.case == row.id))
        if row.booking is not None:
            session.execute(update(Booking).where(Booking.id == row.booking).values(state="done"))

    @staticmethod
    def _row(session: Session, case: str) -> Case:
        row = session.scalars(select(Case).where(Case.id == case).with_for_update()).one_or_none()
        if row is None:
            raise ServiceRefused("CASE_NOT_FOUND")
        return row

    def _undecided(self, session: Session, case: str, officer: KnownOfficer, now: int) -> Case:
        row = self._row(session, case)
        if officer.msp not in {row.institution, *self._policy.officers_for_all}:
            raise ServiceRefused("CASE_NOT_FOUND")  # nor that there is one
        if row.state != "open" or now > row.decide_before:
            raise ServiceRefused("CASE_DECIDED")
        if row.booking is not None and now < (starts_at := self._starts_at(session, row.booking)):
            # Nobody can have been identified at an appointment that hasn't begun.
            raise ServiceRefused("CASE_TOO_EARLY", retry_after=starts_at - now)
        return row

    @staticmethod
    def _starts_at(session: Session, booking: str) -> int:
        query = select(Slot.starts_at).join(Booking, Booking.slot == Slot.id).where(Booking.id == booking)
        return session.scalars(query).one()

    def _held(self, session: Session, case: str, officer: KnownOfficer, now: int) -> Case:
        row = self._undecided(session, case, officer, now)
        if row.taken_by != officer.id or now >= row.taken_until:
            raise ServiceRefused("CASE_NOT_TAKEN")
        return row

    @staticmethod
    def _accepted_by(session: Session, case: str) -> tuple[str, ...]:
        """Return who accepted and may still decide: the word of an officer dismissed since doesn't count."""
        query = select(Decision.officer).join(Officer, Officer.id == Decision.officer)
        query = query.where(Decision.case == case, Decision.verdict == "accept", Officer.active.is_(True))
        return tuple(session.scalars(query.order_by(Decision.decided_at, Decision.id)))

    def _seen(self, session: Session, row: Case, now: int) -> OpenCase:
        numbers = select(CaseFrame.number).where(CaseFrame.case == row.id)
        return OpenCase(
            id=row.id,
            kind=row.kind,
            institution=row.institution,
            scope=row.scope,
            ses=row.ses,
            booking=row.booking,
            finding=json.loads(row.finding),
            state=row.state,
            needed=row.needed,
            accepted_by=self._accepted_by(session, row.id),
            frames=len(list(session.scalars(numbers))),
            opened_at=row.opened_at,
            decide_before=row.decide_before,
            taken_by=row.taken_by if now < row.taken_until else None,
        )
