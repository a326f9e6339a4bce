"""The end of a check: by a decision, or because it can't go on. The store lets each check end once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from biometrics.reasons import Reason
from biometrics.service import attempts, seen
from biometrics.service.evidence import check_evidence
from biometrics.service.opening import FACE_CONSENTS
from biometrics.service.outcomes import binding_of
from biometrics.store.models import Check
from biometrics.terms.errors import ServiceRefused
from client.encodings import jcs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from biometrics.service.checker import CheckResult
    from biometrics.service.live import LiveCheck
    from biometrics.service.parts import Parts


class Conclusions:
    """Ends live checks; who calls holds the check's lock."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def decide(self, live: LiveCheck, result: CheckResult, arrived: int) -> None:
        """Act on a verdict whose last frames arrived at `arrived` (milliseconds); then the ledger is asked.

        Raises ServiceRefused (CHECK_ENDED, CONSENT_MISSING) where the check was ended meanwhile.
        """
        parts, now = self._parts, self._parts.clock()
        with parts.database.write() as session:
            attempts.locked(session, live.binding)  # before the check, as when a newer one is opened
            held = self._held(session, live.ses)
            # A withdrawal, or a newer check, may have come in between.
            if held is None or held.state != "open":
                raise ServiceRefused("CHECK_ENDED")
            parts.consents.require(session, live.binding.lender, FACE_CONSENTS)
            if not seen.note(session, live.ses, held.scope, live.marks, now):
                _end(held, "rejected", [Reason.SEEN_BEFORE.value], now)
                attempts.fail(session, live.binding, parts.policy, now)
            elif result.outcome == "accept":
                self._accepted(session, held, live, result, now)
            else:
                self._not_accepted(session, held, live, result, took=parts.milliseconds() - arrived)
            held.decision_ms = parts.milliseconds() - arrived
        parts.outcomes.hand_on(live.ses)

    def ended(self, checks: Sequence[str]) -> frozenset[str]:
        """Return those of the checks that have ended in the store."""
        if not checks:
            return frozenset()
        query = select(Check.ses).where(Check.ses.in_(list(checks)), Check.state != "open")
        with self._parts.database.read() as session:
            return frozenset(session.scalars(query))

    def stop(self, live: LiveCheck, state: str, reasons: Sequence[str], *, counts: bool) -> None:
        """End a check without a verdict, unless it has ended; its frames count as used in any case.

        `state` and `reasons` are for the store.
        """
        parts, now = self._parts, self._parts.clock()
        with parts.database.write() as session:
            attempts.locked(session, live.binding)
            held = self._held(session, live.ses)
            if held is None:
                return  # its lender had everything erased
            seen.note(session, live.ses, held.scope, live.marks, now)
            if held.state != "open":
                return
            _end(held, state, reasons, now)
            if counts:
                attempts.fail(session, live.binding, parts.policy, now)

    def expire(self, live: LiveCheck) -> None:
        """End a check whose time is over; it counts, or challenges could be shopped for."""
        self.stop(live, "expired", (), counts=True)
        live.end()

    @staticmethod
    def _held(session: Session, ses: str) -> Check | None:
        return session.scalars(select(Check).where(Check.ses == ses).with_for_update()).one_or_none()

    def _accepted(
        self, session: Session, held: Check, live: LiveCheck, result: CheckResult, now: int
    ) -> None:
        parts, binding = self._parts, live.binding
        if not invitation_used_up(parts, session, held, now):
            return
        checker = parts.checker
        parts.outcomes.accept(
            session,
            held,
            self._evidence(held, live, result, now),
            method=checker.method,
            valid_for=checker.valid_for,
            now=now,
        )
        attempts.succeed(session, binding)

    def _evidence(self, held: Check, live: LiveCheck, result: CheckResult, now: int) -> dict[str, Any]:
        return check_evidence(
            held.ses,
            live.binding,
            result,
            factor=held.factor,
            source=live.source,
            policy=self._parts.policy,
            opened_at=held.opened_at,
            now=now,
        )

    def _not_accepted(
        self, session: Session, held: Check, live: LiveCheck, result: CheckResult, *, took: int
    ) -> None:
        """Retry, reject, or let a person look: where policy says so, and at the last attempt."""
        parts, now, reasons = self._parts, self._parts.clock(), list(result.reasons)
        binding = live.binding
        attempts.fail(session, binding, parts.policy, now)
        last = attempts.exhausted(session, attempts.locked(session, binding), parts.policy)
        if result.outcome != "review" and not last:
            _end(held, "retry" if result.outcome == "retry" else "rejected", reasons, now)
            return
        if live.kept.dropped or not parts.consents.holds(session, binding.lender, "recording"):
            # Without consent, all the while, no frame is kept, and without the whole nobody can look at it:
            # the other way is left.
            _end(held, "undecided", reasons, now)
            return
        finding = {
            "outcome": result.outcome,
            "reasons": reasons,
            "distance": result.distance,
            "decision_ms": took,
        }
        parts.cases.open_review(
            session,
            held.ses,
            binding,
            finding,
            frames=live.kept.frames,
            now=now,
            automatic=self._evidence(held, live, result, now),
        )
        _end(held, "review", reasons, now)


def invitation_used_up(parts: Parts, session: Session, row: Check, now: int) -> bool:
    """Use up the invitation of a passed check at enrolment; say whether the check may be accepted.

    Where another key was approved on the invitation meanwhile the check is refused. A check for a meeting
    has no invitation.
    """
    binding = binding_of(row)
    if binding.is_enrolment:
        try:
            parts.invitations.use_up(session, binding.lender, now)
        except ServiceRefused as error:
            parts.outcomes.refuse(row, error.code, now)
            return False
    return True


def _end(row: Check, state: str, reasons: Sequence[str], now: int) -> None:
    row.state, row.decided_at = state, now
    row.reasons = jcs.dumps(list(reasons)).decode("ascii")
