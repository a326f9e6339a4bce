"""Opening a check: who may, how often, and a place in the pool for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from biometrics.service import attempts
from biometrics.service.callers import bind
from biometrics.service.live import LiveCheck
from biometrics.service.outcomes import new_id
from biometrics.service.pace import Pace
from biometrics.service.pool import Overloaded
from biometrics.store.models import Check
from biometrics.terms.errors import ServiceRefused
from client.encodings import ids

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
    from sqlalchemy.orm import Session

    from biometrics.service.callers import Caller
    from biometrics.service.parts import Parts
    from biometrics.service.pool import Place
    from biometrics.terms.binding import Binding

FACE_CONSENTS: Final = ("face", "transmission")


@dataclass(frozen=True, slots=True)
class OpenedCheck:
    """What the client needs: `nonce` to sign, and the times, in seconds since 1970.

    What the person will be asked for is not in it. To begin with they look straight at the camera.
    """

    ses: str
    nonce: str
    opened_at: int
    complete_before: int


class Opening:
    """Opens checks."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def open(
        self, caller: Caller, scope: str, public_key: ec.EllipticCurvePublicKey | None, act: str | None
    ) -> tuple[OpenedCheck, LiveCheck]:
        """Open a check; raises ServiceRefused as `CheckDesk.open` says."""
        parts, now = self._parts, self._parts.clock()
        binding, key = bind(caller, scope, public_key, act)
        opened = OpenedCheck(
            ses=new_id(parts.random_bytes, ids.ID_BYTES),
            nonce=new_id(parts.random_bytes, ids.HASH_BYTES),
            opened_at=now,
            complete_before=now + parts.checker.complete_within,
        )
        place = self._place()
        try:
            self._enter(opened, binding, key, caller.factor)
        except BaseException:
            place.release()
            raise
        began, challenge = parts.milliseconds(), parts.checker.challenge(parts.random_bytes)
        return opened, LiveCheck(
            ses=opened.ses,
            binding=binding,
            complete_before=opened.complete_before,
            challenge=challenge,
            place=place,
            pace=Pace(opened=began),
            heard_at=began,
            steps=len(challenge["steps"]),
        )

    def _place(self) -> Place:
        try:
            return self._parts.pool.take()
        except Overloaded as error:
            raise ServiceRefused("OVERLOADED", retry_after=error.retry_after) from error

    def _enter(self, opened: OpenedCheck, binding: Binding, key: bytes, factor: str) -> None:
        parts, now = self._parts, opened.opened_at
        refusal = None
        with parts.database.write() as session:
            self._end_earlier(session, binding, now)
            try:
                self._admit(session, binding, now)
            except ServiceRefused as error:
                refusal = error  # raised after the commit: what was counted stays counted
            else:
                session.add(_row_of(opened, binding, key, factor))
        if refusal is not None:
            raise refusal

    def _admit(self, session: Session, binding: Binding, now: int) -> None:
        parts = self._parts
        parts.consents.require(session, binding.lender, FACE_CONSENTS)
        if parts.cases.pending(session, binding, now):
            raise ServiceRefused("REVIEW_PENDING")
        attempts.admit(session, binding, parts.policy, now)

    def _end_earlier(self, session: Session, binding: Binding, now: int) -> None:
        """End what this lender left open; each counts as a failure, or challenges could be shopped for."""
        attempts.locked(session, binding)
        query = select(Check).filter_by(institution=binding.institution, sub=binding.sub, scope=binding.scope)
        for row in session.scalars(query.where(Check.state == "open").with_for_update()):
            row.state = "expired" if now > row.complete_before else "superseded"
            row.decided_at = now
            attempts.fail(session, binding, self._parts.policy, now)


def _row_of(opened: OpenedCheck, binding: Binding, key: bytes, factor: str) -> Check:
    return Check(
        ses=opened.ses,
        nonce=opened.nonce,
        institution=binding.institution,
        sub=binding.sub,
        key=binding.key,
        public_key=key,
        scope=binding.scope,
        act=binding.act,
        factor=factor,
        state="open",
        opened_at=opened.opened_at,
        complete_before=opened.complete_before,
        reasons="[]",
    )
