"""Invitations: the secret that reached a lender by the institution's own channel, the factor at enrolment."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from biometrics.store.models import Invitation
from biometrics.terms.errors import ServiceRefused

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from biometrics.store.sealing import Sealer
    from biometrics.terms.binding import Lender
    from biometrics.terms.policy import ServicePolicy

_PURPOSE: Final = "invitation"
_LONGEST: Final = 200


class Invitations:
    """Secrets, held as keyed hashes: the store alone doesn't tell them, nor lets them be tried."""

    def __init__(self, sealer: Sealer, policy: ServicePolicy) -> None:
        self._sealer = sealer
        self._policy = policy

    def issue(self, session: Session, lender: Lender, secret: str, expires_at: int) -> None:
        """Note a lender's secret; it replaces any earlier one."""
        row = session.get(Invitation, (lender.institution, lender.sub))
        if row is None:
            row = Invitation(institution=lender.institution, sub=lender.sub)
        row.secret_index = self._index(lender, secret)
        row.expires_at, row.failures, row.used_at = expires_at, 0, None
        session.add(row)

    def try_secret(self, session: Session, lender: Lender, secret: str, now: int) -> bool:
        """Say whether the secret is the standing one; a wrong try is counted, so commit in any case."""
        query = select(Invitation).filter_by(institution=lender.institution, sub=lender.sub).with_for_update()
        row = session.scalars(query).one_or_none()
        # Computed in any case, so that the time tells nothing about whether a pseudonym is known.
        index = self._index(lender, secret[:_LONGEST])
        if row is None or row.used_at is not None or now > row.expires_at:
            return False
        if row.failures >= self._policy.invitation_failures:
            return False
        if not hmac.compare_digest(index, row.secret_index):
            row.failures += 1
            return False
        return True

    def use_up(self, session: Session, lender: Lender, now: int) -> None:
        """End the invitation; raises ServiceRefused (INVITATION_INVALID) where it was used before."""
        done = session.execute(
            update(Invitation)
            .filter_by(institution=lender.institution, sub=lender.sub, used_at=None)
            .values(used_at=now)
        )
        if getattr(done, "rowcount", 0) != 1:
            raise ServiceRefused("INVITATION_INVALID")

    def _index(self, lender: Lender, secret: str) -> bytes:
        return self._sealer.blind_index(_PURPOSE, f"{lender.institution}/{lender.sub}/{secret}")
