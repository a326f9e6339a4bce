"""The retention job: deletes what has served its purpose, says what, and can be run at any time again.

The schedule is docs/privacy.md's. Evidence of a check outlives the vote until objections are decided and
awards given (`settle`); frames of a review never outlive its decision or 72 hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update

from biometrics.store.database import insert_once
from biometrics.store.models import (
    Booking,
    Case,
    CaseFrame,
    Check,
    Consent,
    Decision,
    Invitation,
    Limit,
    ReferencePhoto,
    SeenFrame,
    Settlement,
    Slot,
    UsedProof,
)
from biometrics.terms.scopes import ENROLMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy.orm import Session

    from biometrics.enrolment.consents import Consents
    from biometrics.enrolment.erasure import DeletionRecord, Erasure
    from biometrics.store import Database
    from biometrics.store.models import Base
    from biometrics.terms.policy import ServicePolicy

FRAME_SECONDS: Final = 72 * 3600
"""DESIGN: frames for a review are deleted at its decision or after 72 hours. No policy can prolong it."""

_DAY: Final = 86_400
_PENDING: Final = ("open", "deciding", "review", "attendance")


class EvidenceKeeper(Protocol):
    """Where the evidence of recorded sessions lies, sealed; `client.sessions.SessionRecorder` is one."""

    def forget(self, meetings: Iterable[str], issued_until: int) -> int:
        """Delete the evidence of these meetings, and all of before; return how many that were."""
        ...


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What one run deleted or ended, in rows by kind (kinds with none left out), and its deletion records."""

    what: Mapping[str, int]
    records: tuple[DeletionRecord, ...]


class Retention:
    """Runs the schedule, here and at the keeper of the evidence."""

    def __init__(
        self,
        database: Database,
        policy: ServicePolicy,
        consents: Consents,
        erasure: Erasure,
        *,
        keeper: EvidenceKeeper,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._policy = policy
        self._consents = consents
        self._erasure = erasure
        self._keeper = keeper
        self._clock = clock

    def settle(self, institution: str, mtg: str, officer: str, statement: str) -> None:
        """Note that nothing can be objected to any more at this meeting; who noted it first, and when, stays.

        Whether it is so is for the caller to check (`OfficerDesk.settle`). `statement` is what the officer
        signed.
        """
        values = {
            "mtg": mtg,
            "settled_at": self._clock(),
            "institution": institution,
            "officer": officer,
            "statement": statement,
        }
        with self._database.write() as session:
            insert_once(session, Settlement, values)

    def run(self) -> RetentionReport:
        """Delete whatever is due. A second run right after it finds nothing."""
        now = self._clock()
        steps: tuple[tuple[str, Callable[[Session, int], dict[str, int]]], ...] = (
            ("frames-72-hours", self._frames),
            ("deadline-passed", self._lapsed),
            ("meeting-settled", self._settled),
            ("no-longer-needed", self._expired),
        )
        totals: dict[str, int] = {}
        records = []
        for why, step in steps:
            with self._database.write() as session:
                what = {kind: number for kind, number in step(session, now).items() if number}
                if what:
                    records.append(self._erasure.note(session, what, why, now))
            totals |= what
        return RetentionReport(totals, tuple(records))

    def _frames(self, session: Session, now: int) -> dict[str, int]:
        """Frames older than 72 hours, or whose case is no longer open, whoever forgot them."""
        closed = select(Case.id).where(Case.state != "open")
        due = or_(CaseFrame.kept_at <= now - FRAME_SECONDS, CaseFrame.case.in_(closed))
        return {"kept_frames": _delete(session, CaseFrame, due)}

    def _lapsed(self, session: Session, now: int) -> dict[str, int]:
        """Checks and cases past their deadlines: ended, not deleted."""
        lapsed = select(Case.ses).where(Case.state == "open", Case.decide_before < now)
        waiting = update(Check).where(Check.ses.in_(lapsed), Check.state.in_(("review", "attendance")))
        checks = _count(session.execute(waiting.values(state="lapsed", decided_at=now)))
        booked = select(Case.booking).where(Case.state == "open", Case.decide_before < now)
        missed = update(Booking).where(Booking.id.in_(booked), Booking.state == "booked")
        session.execute(missed.values(state="done"))
        cases = update(Case).where(Case.state == "open", Case.decide_before < now).values(state="lapsed")
        ended = _count(session.execute(cases))
        unused = update(Check).where(
            Check.state.in_(("recording", "approved")),
            Check.expires_at <= now,
            Check.opening_encrypted.is_not(None),
        )
        openings = _count(session.execute(unused.values(state="lapsed", opening_encrypted=None)))
        return {
            "lapsed_checks": checks,
            "lapsed_cases": ended,
            "evidence_of_lapsed_checks": openings,
        }

    def _settled(self, session: Session, now: int) -> dict[str, int]:
        """Everything about meetings that were settled long enough ago, and about forgotten ones."""
        grace = now - self._policy.checks_days_after_settlement * _DAY
        settled = list(session.scalars(select(Settlement.mtg).where(Settlement.settled_at <= grace)))
        old = now - self._policy.unsettled_days * _DAY
        due = or_(Check.scope.in_(settled), Check.opened_at <= old)
        checks = select(Check.ses).where(due)
        cases = select(Case.id).where(Case.ses.in_(checks))
        what = {
            "decisions": _delete(session, Decision, Decision.case.in_(cases)),
            "kept_frames_of_settled": _delete(session, CaseFrame, CaseFrame.case.in_(cases)),
            "cases": _delete(session, Case, Case.ses.in_(checks)),
            "bookings": _delete(session, Booking, or_(Booking.scope.in_(settled), Booking.booked_at <= old)),
            "checks": _delete(session, Check, due),
            "frame_marks": _delete(
                session, SeenFrame, or_(SeenFrame.scope.in_(settled), SeenFrame.seen_at <= old)
            ),
            "attempt_counters": _delete(session, Limit, or_(Limit.scope.in_(settled), Limit.last_at <= old)),
            "slots": _delete(
                session,
                Slot,
                and_(Slot.starts_at <= old, ~exists().where(Booking.slot == Slot.id)),
            ),
        }
        return what | {"session_evidence": self._keeper.forget(settled, old)}

    def _expired(self, session: Session, now: int) -> dict[str, int]:
        """Proofs too old to be replayed, invitations that are over, consents that ended long ago."""
        pending = exists().where(
            Check.institution == Invitation.institution,
            Check.sub == Invitation.sub,
            Check.scope == ENROLMENT,
            Check.state.in_(_PENDING),
        )
        over = or_(Invitation.expires_at <= now, Invitation.used_at <= now - _DAY)
        withdrawn = now - self._policy.withdrawn_consent_days * _DAY
        return {
            "used_proofs": _delete(
                session, UsedProof, UsedProof.used_at <= now - self._policy.proofs_seconds
            ),
            # An appointment booked in time may come after the invitation's end: it is used up there.
            "invitations": _delete(session, Invitation, and_(over, ~pending)),
            "reference_photos": _delete(
                session, ReferencePhoto, ReferencePhoto.kept_at <= now - self._policy.unsettled_days * _DAY
            ),
            "lapsed_consents": self._consents.lapse(session, now),
            "ended_consents": _delete(session, Consent, Consent.withdrawn_at <= withdrawn),
            # Nothing is counted any more, and no wait is running.
            "attempt_counters_at_nought": _delete(
                session, Limit, and_(Limit.consecutive == 0, Limit.total == 0, Limit.blocked_until <= now)
            ),
        }


def _delete(session: Session, model: type[Base], due: ColumnElement[bool]) -> int:
    return _count(session.execute(delete(model).where(due)))


def _count(done: Any) -> int:
    return int(done.rowcount)
