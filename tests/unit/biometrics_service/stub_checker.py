"""A checker that does as its frames say. Imported by the pool's processes, so it imports little."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from biometrics.errors import PictureRefused
from biometrics.reasons import Reason
from biometrics.service.checker import CheckResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from biometrics.service.checker import CheckRequest
    from client.encodings.records import Outcome


def jpeg(word: str, number: int = 0) -> bytes:
    """Return a frame that tells the stub what to do; each differs from any other."""
    return b"\xff\xd8\xff" + f"{word}|{number}|{os.urandom(8).hex()}".encode()


class StubChecker:
    """Does as the frames say: accept, retry, review, reject, unreadable, crash, hang, fail, until FILE."""

    method = "face-v1"
    complete_within = 300
    valid_for = 1800

    def challenge(self, random_bytes: Callable[[int], bytes]) -> Mapping[str, Any]:
        steps = ["blink", "turn-left", "turn-right", "open-mouth", "nod"]
        first = random_bytes(1)[0] % len(steps)
        return {"v": 1, "steps": [steps[(first + n) % len(steps)] for n in range(3)]}

    def prepare(self) -> None:
        return

    def check(self, request: CheckRequest) -> CheckResult:
        word = request.frames[0].data[3:].split(b"|")[0].decode()
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
        reasons = {
            "accept": (),
            "retry": ("BLURRED",),
            "review": ("MATCH_BORDERLINE",),
            "reject": ("MATCH_FAILED",),
        }
        return CheckResult(
            outcome=cast("Outcome", word),
            reasons=reasons[word],
            distance=412,
            frames=(410, 412, 415),
            basis={"checks": ["match", "liveness"], "policy": {"id": "stub"}},
            measured={"pid": os.getpid()},
            frame_digests=tuple(hashlib.sha256(frame.data).digest() for frame in request.frames),
            reference_digest=hashlib.sha256(request.reference).digest(),
        )


def make() -> StubChecker:
    return StubChecker()
