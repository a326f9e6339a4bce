"""How a check stands, as its lender may see it, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from biometrics.service import attempts
from biometrics.store.models import Check, Limit
from biometrics.terms.errors import ServiceRefused
from client.encodings import jcs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from biometrics.service.parts import Parts

# What may follow each state; a retry only while attempts are left.
_RETRY: Final = frozenset(
    {
        "retry",
        "rejected",
        "failed",
        "expired",
        "superseded",
        "undecided",
        "refused",
        "lapsed",
        "review-rejected",
    }
)
DONE: Final = frozenset({"recorded", "approved", "enrolled"})


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """A check's state, the reasons for it, what may come next (`retry`, `officer`, `wait`, `vote`, `enrol`).

    `record` is the session record on the ledger (or the approval of an enrolment), and is there only
    once the choices may be shown. `decision_ms` is the time from the last frames' arrival to the decision.
    """

    ses: str
    state: str
    reasons: tuple[str, ...]
    next: tuple[str, ...]
    retry_at: int | None
    record: Mapping[str, Any] | None
    expires_at: int | None
    decision_ms: int | None


class StatusDesk:
    """Answers for a check by its id, which is 16 random bytes that only its lender got."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def status(self, ses: str) -> CheckStatus:
        """Return how the check stands; raises ServiceRefused (CHECK_NOT_FOUND)."""
        now = self._parts.clock()
        with self._parts.database.read() as session:
            row = session.get(Check, ses)
            if row is None:
                raise ServiceRefused("CHECK_NOT_FOUND")
            key = {"institution": row.institution, "sub": row.sub, "scope": row.scope}
            limit = session.scalars(select(Limit).filter_by(**key)).one_or_none()
            over = limit is not None and attempts.exhausted(session, limit, self._parts.policy)
        state = "expired" if row.state == "open" and now > row.complete_before else row.state
        follows, retry_at = self._next(state, limit, now, exhausted=over)
        shown = state in DONE and row.record is not None
        return CheckStatus(
            ses=row.ses,
            state=state,
            reasons=tuple(jcs.loads(row.reasons.encode("ascii"))),
            next=follows,
            retry_at=retry_at,
            record=jcs.loads((row.record or "").encode("utf-8")) if shown else None,
            expires_at=row.expires_at if shown else None,
            decision_ms=row.decision_ms,
        )

    def _next(
        self, state: str, limit: Limit | None, now: int, *, exhausted: bool
    ) -> tuple[tuple[str, ...], int | None]:
        if state in {"recording", "review", "attendance"}:
            return ("wait",), None
        if state == "recorded":
            return ("vote",), None
        if state == "approved":
            return ("enrol",), None
        if state not in _RETRY or limit is None:
            return (), None
        follows = [] if exhausted else ["retry"]
        if (
            exhausted
            or limit.consecutive >= self._parts.checker.attempts_before_other_route
            or state in {"undecided", "review-rejected"}
        ):
            follows.append("officer")
        return tuple(follows), limit.blocked_until if limit.blocked_until > now and not exhausted else None
