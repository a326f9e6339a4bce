"""How often one lender may try: five failures in a row, then a growing delay, and so many in all.

Attempts are counted for each meeting, and over all of them; when either count is used up two officers have
to identify the person, and with that both begin anew.

Counted in the store, under a lock on the lender's row, so that it holds over restarts and over several
service processes. Every opening counts, completed or not: otherwise one could open checks until the
challenge happens to fit a recording.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from biometrics.store.database import insert_once
from biometrics.store.models import Limit
from biometrics.terms.errors import ServiceRefused
from biometrics.terms.scopes import ALL

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from biometrics.terms.binding import Binding
    from biometrics.terms.policy import ServicePolicy

_DOUBLINGS: Final = 16  # enough for any delay; keeps the power small


def admit(session: Session, binding: Binding, policy: ServicePolicy, now: int) -> None:
    """Count an opening; raises ServiceRefused (ATTEMPTS_EXHAUSTED, RATE_LIMITED with the wait)."""
    row, overall = locked(session, binding), _locked(session, binding, ALL)
    if row.total >= policy.attempts_in_all or overall.total >= policy.attempts_over_all:
        raise ServiceRefused("ATTEMPTS_EXHAUSTED")
    if now < row.blocked_until:
        raise ServiceRefused("RATE_LIMITED", retry_after=row.blocked_until - now)
    for counted in (row, overall):
        counted.total += 1
        counted.last_at = now


def fail(session: Session, binding: Binding, policy: ServicePolicy, now: int) -> None:
    """Count a failure: from the fifth in a row on, the next try has to wait, each time twice as long."""
    row = locked(session, binding)
    row.consecutive += 1
    row.last_at = now
    beyond = row.consecutive - policy.failures_in_a_row
    if beyond >= 0:
        delay = policy.delay * 2 ** min(beyond, _DOUBLINGS)
        row.blocked_until = now + min(delay, policy.delay_at_most)


def succeed(session: Session, binding: Binding) -> None:
    """Count a passed check: the row of failures ends, and the attempt isn't held against the lender."""
    row = locked(session, binding)
    row.consecutive = 0
    row.blocked_until = 0
    for counted in (row, _locked(session, binding, ALL)):
        counted.total = max(0, counted.total - 1)


def clear(session: Session, binding: Binding) -> None:
    """Begin anew: two officers have identified the person."""
    for row in (locked(session, binding), _locked(session, binding, ALL)):
        row.consecutive, row.total, row.blocked_until = 0, 0, 0


def exhausted(session: Session, row: Limit, policy: ServicePolicy) -> bool:
    """Say whether no attempt is left, of a scope's counters or of those over all."""
    overall = session.get(Limit, (row.institution, row.sub, ALL))
    beyond = overall is not None and overall.total >= policy.attempts_over_all
    return row.total >= policy.attempts_in_all or beyond


def locked(session: Session, binding: Binding) -> Limit:
    """Return the lender's counters for the scope, locked until the transaction ends."""
    return _locked(session, binding, binding.scope)


def _locked(session: Session, binding: Binding, scope: str) -> Limit:
    key = {"institution": binding.institution, "sub": binding.sub, "scope": scope}
    insert_once(session, Limit, {**key, "consecutive": 0, "total": 0, "blocked_until": 0, "last_at": 0})
    return session.scalars(select(Limit).filter_by(**key).with_for_update()).one()
