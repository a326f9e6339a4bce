"""A checker that does as its frames say. Imported by the pool's processes, so it imports little."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

from biometrics.errors import PictureRefused
from biometrics.reasons import Reason
from biometrics.service.checker import CheckResult, Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from biometrics.service.checker import CheckRequest, SentFrame
    from client.encodings.records import Outcome

REASONS = {
    "accept": (),
    "retry": ("BLURRED",),
    "review": ("MATCH_BORDERLINE",),
    "reject": ("MATCH_FAILED",),
}


def jpeg(word: str, number: int = 0) -> bytes:
    """Return a frame that tells the stub what to do; each differs from any other."""
    return b"\xff\xd8\xff" + f"{word}|{number}|{os.urandom(8).hex()}".encode()


class StubChecker:
    """Asks for what its frames say, and decides so."""

    method = "face-v1"
    complete_within = 300
    valid_for = 1800
    frames_a_second = 8
    attempts_before_other_route = 2
    pixels = b""  # where a test sets it, every frame is taken for this one in another file

    def __init__(self) -> None:
        self.kind = StubCheck

    def challenge(self, random_bytes: Callable[[int], bytes]) -> Mapping[str, object]:
        steps = ["blink", "turn-left", "turn-right", "open-mouth", "nod"]
        first = random_bytes(1)[0] % len(steps)
        return {"v": 1, "steps": [steps[(first + n) % len(steps)] for n in range(3)]}

    def prepare(self) -> None:
        return

    def begin(self, request: CheckRequest) -> StubCheck:
        if b"unusable" in request.reference:
            raise PictureRefused(Reason.NO_FACE, "reference", "shows none")
        return self.kind(request, self.pixels)


class StubCheck:
    """The first frame of a chunk says what happens.

    accept, retry, review, reject: the verdict, once over; over WORD: over now; ask: the next step is asked
    for; dark: advice; unreadable, crash, hang, fail; until FILE: wait for it, then accept.
    """

    def __init__(self, request: CheckRequest, pixels: bytes = b"") -> None:
        self._request = request
        self._pixels = pixels
        self._digests: list[bytes] = []
        self._word = "retry"
        self._asked = 0
        self.prompts: list[int | None] = []

    def feed(self, frames: Sequence[SentFrame], prompted_at: int | None) -> Progress:
        word = frames[0].data[3:].split(b"|")[0].decode()
        if word == "unreadable":
            raise PictureRefused(Reason.IMAGE_UNREADABLE, "frame 0", "can't be decoded")
        if word == "crash":
            os.kill(os.getpid(), 9)
        if word == "hang":
            threading.Event().wait()
        if word.startswith("until "):
            while not Path(word[6:]).exists():
                threading.Event().wait(0.02)
            word = "accept"
        if word == "fail":
            raise RuntimeError("a defect that names Wang Xiaoming")
        over = word.startswith("over ")
        self._word = word.removeprefix("over ")
        self._asked += word == "ask"
        self.prompts.append(prompted_at)
        digests = tuple(hashlib.sha256(self._pixels or frame.data).digest() for frame in frames)
        self._digests += digests
        return Progress(
            asked=self._request.challenge["steps"][self._asked - 1] if self._asked else None,
            index=max(0, self._asked - 1),
            advice=(Reason.TOO_DARK.value,) if word == "dark" else (),
            over=over,
            digests=digests,
        )

    def conclude(self) -> CheckResult:
        verdict = self._word if self._word in REASONS else "retry"
        return CheckResult(
            outcome=cast("Outcome", verdict),
            reasons=REASONS[verdict],
            distance=412,
            frames=(410, 412, 415),
            basis={"checks": ["match", "liveness"], "policy": {"id": "stub"}},
            measured={"pid": os.getpid(), "prompts": [str(prompt) for prompt in self.prompts]},
            frame_digests=tuple(self._digests),
            reference_digest=hashlib.sha256(self._request.reference).digest(),
        )


def make() -> StubChecker:
    return StubChecker()
