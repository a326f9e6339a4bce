"""Checks: opened by an authenticated lender, fed with signed frames while they go on, decided, handed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from biometrics.service.concluding import Conclusions
from biometrics.service.live import LiveChecks
from biometrics.service.opening import Opening
from biometrics.service.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

    from biometrics.service.callers import Caller
    from biometrics.service.live import ChunkAnswer
    from biometrics.service.opening import OpenedCheck
    from biometrics.service.parts import Parts


class CheckDesk:
    """Runs the live checks of this process.

    What counts and what makes a check single-use is in the store, for all processes; what was asked and
    seen so far is in this one, and only it can go on with the check.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._live = LiveChecks()
        self._conclusions = Conclusions(parts)
        self._opening = Opening(parts)
        self._stream = Stream(parts, self._live, self._conclusions)

    def open(
        self,
        caller: Caller,
        scope: str,
        public_key: ec.EllipticCurvePublicKey | None = None,
        act: str | None = None,
    ) -> OpenedCheck:
        """Begin a check for a meeting, or (`public_key`: the key to be enrolled) for the enrolment.

        A proxy's check is for one principal's ballot, `act`: another principal's takes another check.
        Raises ServiceRefused: PROOF_MISSING (the factor isn't the one needed), OVERLOADED (no place is
        free: nothing counts), CONSENT_MISSING, REVIEW_PENDING, RATE_LIMITED, ATTEMPTS_EXHAUSTED.
        """
        self.sweep()
        opened, live = self._opening.open(caller, scope, public_key, act)
        self._live.add(live)
        self.sweep()  # the one before, which the new one has ended, needs no place any more
        return opened

    def send(self, ses: str, proof: str, times: Any, pictures: Sequence[bytes]) -> ChunkAnswer:
        """Judge the next chunk of a check; after the last one its status tells how it ended.

        Raises ServiceRefused with the first of PROOF_FORMAT, CHECK_NOT_FOUND, CHECK_FOREIGN_LENDER,
        CHECK_FOREIGN_MEETING, CHECK_FOREIGN_KEY, CHECK_REPLAYED, FRAMES_…, PROOF_INVALID, CHECK_USED,
        CHECK_ENDED, CHECK_EXPIRED, CHECK_ELSEWHERE, OVERLOADED, CHUNK_…, FRAMES_COUNT, FRAMES_TIMES,
        CHECK_PACE, CHECK_REPLAYED (frames of another check), KEY_REVOKED, REFERENCE_…, OVERLOADED,
        CHECK_ABORTED, CONSENT_MISSING. CHECK_PACE ends the check, and so do the last three and frames of
        another check; after any other the chunk may be sent again, put right.
        """
        return self._stream.take(ses, proof, times, pictures)

    def sweep(self) -> None:
        """End checks whose time is over or that nothing is heard of; free the places of all that ended.

        A newer check, at whichever process, and a withdrawn consent end a check in the store only.
        """
        parts = self._parts
        now, milliseconds = parts.clock(), parts.milliseconds()
        lives = self._live.all()
        ended = self._conclusions.ended([live.ses for live in lives if not live.over])
        for live in lives:
            if not live.lock.acquire(blocking=False):
                continue  # it is being worked on, and finds out by itself
            try:
                if live.over and now > live.complete_before:
                    self._live.remove(live)  # until then its last chunk may be asked about again
                elif live.ses in ended:
                    self._conclusions.stop(live, "ended", (), counts=False)
                    live.end()
                elif not live.over and live.overdue(now, milliseconds, parts.policy.idle_seconds):
                    self._conclusions.expire(live)
            finally:
                live.lock.release()

    def close(self) -> None:
        """End what still runs; it isn't held against anybody."""
        for live in self._live.all():
            if not live.over:
                self._conclusions.stop(live, "failed", ["CHECK_ABORTED"], counts=False)
                live.end()
            self._live.remove(live)
