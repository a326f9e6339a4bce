"""One chunk of a live check: is it the next one, signed, in time; then its frames are judged."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.reasons import Reason
from biometrics.service import proofs, seen
from biometrics.service.checker import CheckRequest
from biometrics.service.live import ChunkAnswer
from biometrics.service.pool import FrameUnreadable, Overloaded, WorkFailed
from biometrics.service.upload import parse_chunk, turned_away
from biometrics.sources.interface import NoPhoto, SourceUnavailable
from biometrics.store.models import Check
from biometrics.terms.errors import ServiceRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from biometrics.service.checker import CheckResult, SentFrame
    from biometrics.service.concluding import Conclusions
    from biometrics.service.live import LiveCheck, LiveChecks
    from biometrics.service.messages import Fed
    from biometrics.service.pace import Pace
    from biometrics.service.parts import Parts

_ENDED: Final = {"withdrawn": "CHECK_ENDED", "superseded": "CHECK_ENDED", "expired": "CHECK_EXPIRED"}
# What ended the process, or kept it busy, were other frames: it isn't held against the lender. These frames'
# own time running out is, or a picture that takes minutes would be a way to try again at no cost.
_NOT_COUNTED: Final = ("busy", "gone")
_A_MOMENT: Final = 0.05  # seconds: enough while it is looked after, not while a chunk is judged


class Stream:
    """Takes the chunks of this process's live checks."""

    def __init__(self, parts: Parts, checks: LiveChecks, conclusions: Conclusions) -> None:
        self._parts = parts
        self._checks = checks
        self._conclusions = conclusions

    def take(self, ses: str, proof: str, times: Any, pictures: Sequence[bytes]) -> ChunkAnswer:
        """Judge a chunk; raises ServiceRefused as `CheckDesk.send` says."""
        parts, arrived = self._parts, self._parts.milliseconds()
        signed = proofs.parse_chunk_proof(proof)
        row = self._row(ses)
        _compare(signed, row)
        frames = parse_chunk(times, pictures, parts.policy)
        if signed.frames != proofs.chunk_digest(row.nonce, signed.chunk, signed.previous, frames):
            raise ServiceRefused("FRAMES_DIGEST")
        signed.verify(_key_of(row))
        live = self._checks.get(ses)
        if live is None:
            _require_open(row, parts.clock())
            raise ServiceRefused("CHECK_ELSEWHERE")
        # One chunk at a time: whoever sends the next one before the answer has to send it again.
        if not live.lock.acquire(timeout=_A_MOMENT):
            raise ServiceRefused("OVERLOADED", "the chunk before is still being judged", retry_after=1)
        try:
            if live.answer is not None and signed.frames == live.digest:
                return live.answer  # it was lost on the way: judged once, answered again
            return self._next(live, signed, frames, arrived)
        finally:
            live.lock.release()

    def _next(
        self, live: LiveCheck, signed: proofs.ChunkProof, frames: Sequence[SentFrame], arrived: int
    ) -> ChunkAnswer:
        parts = self._parts
        files = [seen.mark(parts.sealer, seen.FILE, hashlib.sha256(frame.data).digest()) for frame in frames]
        standing = self._standing(live, files)
        self._require_running(live, standing, arrived)
        _require_next(live, signed)
        live.heard_at = arrived
        taken = live.frames + len(frames)
        if taken > parts.policy.frames_at_most:
            raise ServiceRefused("FRAMES_COUNT", f"a check has at most {parts.policy.frames_at_most} frames")
        live.marks.update(files)  # used from now on, whatever becomes of the check
        came = live.arrival(signed.frames, arrived)
        pace = self._pace(live, frames, came)
        if standing.seen:
            self._refuse_seen(live)
        self._begin(live)
        fed = self._feed(live, frames, pace, last=signed.last or taken == parts.policy.frames_at_most)
        pixels = [seen.mark(parts.sealer, seen.PIXELS, digest) for digest in fed.progress.digests]
        live.marks.update(pixels)
        if standing.recording:
            # Only what was judged: frames after the one that ended the check were not even decoded.
            live.kept.take(frame.data for frame in frames[: len(fed.progress.digests)])
        else:
            live.kept.drop()
        if fed.result is not None:
            self._decide(live, fed.result, came)
        elif self._standing(live, pixels).seen:
            self._refuse_seen(live)
        answer = _answer(live, signed.chunk, fed)
        live.advance(signed.frames, pace, len(frames), answer)
        if not live.over:
            live.tell(fed.progress, parts.milliseconds())
        return answer

    def _standing(self, live: LiveCheck, marks: Sequence[bytes]) -> _Standing:
        parts = self._parts
        with parts.database.read() as session:
            row = session.get(Check, live.ses)
            return _Standing(
                "withdrawn" if row is None else row.state,
                parts.consents.holds(session, live.binding.lender, "recording"),
                seen.seen_elsewhere(session, live.ses, marks),
            )

    def _require_running(self, live: LiveCheck, standing: _Standing, arrived: int) -> None:
        parts = self._parts
        if standing.state != "open":
            if not live.over:
                self._conclusions.stop(live, standing.state, (), counts=False)
                live.end()
            raise ServiceRefused(_ENDED.get(standing.state, "CHECK_USED"))
        if live.overdue(parts.clock(), arrived, parts.policy.idle_seconds):
            self._conclusions.expire(live)
            raise ServiceRefused("CHECK_EXPIRED")

    def _pace(self, live: LiveCheck, frames: Sequence[SentFrame], came: int) -> Pace:
        try:
            return live.pace.after([frame.at for frame in frames], came, self._parts.policy)
        except ServiceRefused as error:
            if error.code == "CHECK_PACE":
                # Nothing that follows could be in time again: a lag stays, and so does a lead.
                self._conclusions.stop(live, "retry", [error.code], counts=True)
                live.end()
            raise

    def _refuse_seen(self, live: LiveCheck) -> NoReturn:
        self._conclusions.stop(live, "rejected", [Reason.SEEN_BEFORE.value], counts=True)
        live.end()
        raise ServiceRefused("CHECK_REPLAYED")

    def _begin(self, live: LiveCheck) -> None:
        """Fetch the reference and begin the work, with the first chunk; until then nothing is used up."""
        if live.source:
            return
        parts, binding = self._parts, live.binding
        if not binding.is_enrolment and parts.callers.enrolment(binding.lender).x5t != binding.key:
            raise ServiceRefused("CHECK_FOREIGN_KEY", "the lender has enrolled another key since")
        try:
            photo = parts.sources.photo(binding.lender)
        except NoPhoto as error:
            raise ServiceRefused("REFERENCE_MISSING") from error
        except SourceUnavailable as error:
            raise ServiceRefused("REFERENCE_UNAVAILABLE", retry_after=30) from error
        with self._working(live):
            live.place.begin(CheckRequest(live.challenge, photo.data))
        live.source = photo.source

    def _feed(self, live: LiveCheck, frames: Sequence[SentFrame], pace: Pace, *, last: bool) -> Fed:
        with self._working(live):
            return live.place.feed(frames, live.prompted_at(pace), last=last)

    @contextmanager
    def _working(self, live: LiveCheck) -> Iterator[None]:
        """Translate what the pool raises; but for want of room, the check has ended by it."""
        try:
            yield
        except Overloaded as error:
            raise ServiceRefused("OVERLOADED", retry_after=error.retry_after) from error
        except FrameUnreadable as error:
            # Frames are of the client's making: whoever could end a check with a bad one at no cost would
            # look for a challenge that fits. The reference is not.
            self._conclusions.stop(live, "failed", [error.reason], counts=error.source != "reference")
            live.end()
            if error.source == "reference":
                raise ServiceRefused("REFERENCE_UNUSABLE", error.reason) from error
            raise turned_away(error.reason, error.source) from error
        except WorkFailed as error:
            # What kills a process may do so again: it counts, so that nobody goes on trying.
            counts = error.why not in _NOT_COUNTED
            self._conclusions.stop(live, "failed", ["CHECK_ABORTED"], counts=counts)
            live.end()
            wait = self._parts.pool.retry_after()
            raise ServiceRefused("CHECK_ABORTED", error.why, retry_after=wait) from error

    def _decide(self, live: LiveCheck, result: CheckResult, came: int) -> None:
        live.place.release()  # others needn't wait for the ledger
        try:
            self._conclusions.decide(live, result, came)
        except ServiceRefused as error:
            self._conclusions.stop(live, "failed", [error.code], counts=True)
            raise
        finally:
            live.end()

    def _row(self, ses: str) -> Check:
        with self._parts.database.read() as session:
            row = session.get(Check, ses)
        if row is None:
            raise ServiceRefused("CHECK_NOT_FOUND")
        return row


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the store says: the check's state, whether frames may be kept, whether some were used before."""

    state: str
    recording: bool
    seen: bool


def _answer(live: LiveCheck, chunk: int, fed: Fed) -> ChunkAnswer:
    progress, over = fed.progress, fed.result is not None
    return ChunkAnswer(
        chunk=chunk,
        asked=None if over else progress.asked,
        index=progress.index,
        of=live.steps,
        advice=progress.advice,
        over=over,
    )


def _key_of(row: Check) -> ec.EllipticCurvePublicKey:
    key = serialization.load_der_public_key(row.public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("the store holds another kind of key than was put there")
    return key


def _compare(signed: proofs.ChunkProof, row: Check) -> None:
    """Raise ServiceRefused unless the proof is for this check: lender, meeting, key, nonce, in this order."""
    if signed.sub != row.sub:
        raise ServiceRefused("CHECK_FOREIGN_LENDER")
    if signed.mtg != row.scope:
        raise ServiceRefused("CHECK_FOREIGN_MEETING")
    if signed.signed.x5t != row.key:
        raise ServiceRefused("CHECK_FOREIGN_KEY")
    if (signed.ses, signed.nonce) != (row.ses, row.nonce):
        raise ServiceRefused("CHECK_REPLAYED")


def _require_open(row: Check, now: int) -> None:
    if row.state != "open":
        raise ServiceRefused(_ENDED.get(row.state, "CHECK_USED"))
    if now > row.complete_before:
        raise ServiceRefused("CHECK_EXPIRED")


def _require_next(live: LiveCheck, signed: proofs.ChunkProof) -> None:
    expected = live.next_chunk
    if signed.chunk < expected:
        raise ServiceRefused("CHUNK_REPLAYED", f"chunk {expected} is next")
    if signed.chunk > expected:
        raise ServiceRefused("CHUNK_GAP", f"chunk {expected} is next")
    if signed.previous != live.digest:
        raise ServiceRefused("CHUNK_CHAIN")
