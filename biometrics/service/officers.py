"""What officers may do: see the queue, hold a case, look, decide; offer slots; hand over references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from biometrics.review.cases import ATTENDANCE
from biometrics.service import attempts
from biometrics.service.concluding import invitation_used_up
from biometrics.service.evidence import officers_evidence
from biometrics.service.outcomes import binding_of
from biometrics.store.models import Check
from biometrics.terms.errors import ServiceRefused
from client.encodings import jcs, times

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from biometrics.enrolment.slots import OfferedSlot
    from biometrics.retention import Retention
    from biometrics.review.cases import OpenCase
    from biometrics.service.callers import OfficerCaller
    from biometrics.service.meetings import Meetings
    from biometrics.service.parts import Parts

OFFICER_METHOD: Final = "officer-v1"
"""Identified by two officers, without a face."""
REVIEW_METHOD: Final = "face-review-v1"
"""Faces compared by the machine, and passed by officers who looked at them."""


class OfficerDesk:
    """Serves authenticated officers."""

    def __init__(self, parts: Parts, meetings: Meetings, retention: Retention) -> None:
        self._parts = parts
        self._meetings = meetings
        self._retention = retention

    def cases(self, caller: OfficerCaller, state: str) -> list[OpenCase]:
        """Return the queue of the officer's organization (of all, where policy says so), oldest first."""
        with self._parts.database.read() as session:
            return self._parts.cases.listed(session, caller.officer, self._parts.clock(), state)

    def take(self, caller: OfficerCaller, case: str) -> OpenCase:
        """Hold a case; raises ServiceRefused (CASE_…)."""
        with self._parts.database.write() as session:
            return self._parts.cases.take(session, case, caller.officer, self._parts.clock())

    def frame(self, caller: OfficerCaller, case: str, number: int) -> bytes:
        """Return a kept frame, unsealed, of a case that the officer holds.

        Raises ServiceRefused: CASE_NOT_FOUND (also for a number that no frame has), CASE_DECIDED,
        CASE_TOO_EARLY, CASE_NOT_TAKEN.
        """
        with self._parts.database.write() as session:
            return self._parts.cases.frame(session, case, number, caller.officer, self._parts.clock())

    def reference(self, caller: OfficerCaller, case: str) -> bytes:
        """Return the reference picture beside a review that the officer holds; it is fetched, not kept.

        Raises ServiceRefused (CASE_NOT_FOUND, CASE_DECIDED, CASE_TOO_EARLY, CASE_NOT_TAKEN, CONSENT_MISSING
        where the lender withdrew one meanwhile), and what the source does: NoPhoto, SourceUnavailable.
        """
        parts = self._parts
        with parts.database.write() as session:
            held = parts.cases.held(session, case, caller.officer, parts.clock())
            row = session.get_one(Check, held.ses)
            lender = binding_of(row).lender
            parts.consents.require(session, lender, ("face", "transmission", "recording"))
        return parts.sources.photo(lender).data

    def decide(self, caller: OfficerCaller, case: str, verdict: str, reason: str) -> OpenCase:
        """Note the officer's decision; where it settles the case, the check goes on accordingly."""
        parts, now = self._parts, self._parts.clock()
        with parts.database.write() as session:
            decided = parts.cases.decide(
                session, case, caller.officer, verdict, reason, statement=caller.statement, now=now
            )
            if decided.state != "open":
                self._settle(session, decided, reason, now)
        parts.outcomes.hand_on(decided.ses)
        return decided

    def offer_slot(
        self, caller: OfficerCaller, kind: str, place: str, *, starts_at: int, minutes: int, capacity: int
    ) -> OfferedSlot:
        """Offer a slot of the officer's own organization; raises ServiceRefused (REQUEST_FORMAT)."""
        with self._parts.database.write() as session:
            return self._parts.slots.offer(
                session,
                caller.officer.msp,
                kind,
                place,
                starts_at=starts_at,
                minutes=minutes,
                capacity=capacity,
            )

    def settle(self, caller: OfficerCaller, institution: str, mtg: str) -> None:
        """Note, as this officer, that a meeting's objections are over: the evidence of its checks will end.

        Raises ServiceRefused (MEETING_NOT_FOUND, also to officers of other institutions;
        MEETING_NOT_SETTLED by what the ledger says; LEDGER_UNAVAILABLE).
        """
        officer, policy = caller.officer, self._parts.policy
        if officer.msp not in {institution, *policy.officers_for_all}:
            raise ServiceRefused("MEETING_NOT_FOUND")
        self._meetings.meeting(institution, mtg).require_settled(self._parts.clock())
        self._retention.settle(institution, mtg, officer.id, caller.statement)

    def _settle(self, session: Session, case: OpenCase, reason: str, now: int) -> None:
        parts = self._parts
        # The counters before the check, as wherever a check ends: one order of locks everywhere.
        attempts.locked(session, binding_of(session.get_one(Check, case.ses)))
        query = select(Check).where(Check.ses == case.ses).with_for_update()
        row = session.scalars(query, execution_options={"populate_existing": True}).one()
        if row.state not in {"review", "attendance"}:
            raise ServiceRefused("CASE_DECIDED", "the check was ended meanwhile")
        if case.state == "rejected":
            row.state = "review-rejected"
            row.reasons = jcs.dumps([reason]).decode("ascii")
            row.decided_at = now
            return
        binding = binding_of(row)
        if not invitation_used_up(parts, session, row, now):
            return  # the officers' word stays noted
        evidenced = officers_evidence(
            row.ses,
            binding,
            factor=row.factor,
            kind=case.kind,
            finding=case.finding,
            automatic=parts.cases.automatic(session, case.id),
            decisions=[
                {
                    "officer": decision.officer,
                    "reason": decision.reason,
                    "decided_at": times.form(decision.decided_at),
                    "statement": decision.statement,
                }
                for decision in parts.cases.decisions(session, case.id)
            ],
            policy=parts.policy,
            opened_at=row.opened_at,
            now=now,
        )
        attended = case.kind == ATTENDANCE
        method = OFFICER_METHOD if attended else REVIEW_METHOD
        valid_for = parts.policy.attendance_valid_for if attended else parts.policy.review_valid_for
        attempts.clear(session, binding)
        parts.outcomes.accept(session, row, evidenced, method=method, valid_for=valid_for, now=now)
