"""Pictures that come twice: duplicates, standstill, loops, and frames of an earlier session."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.frame import Frame
    from biometrics.limits import PassiveLimits

_REMEMBERED = 200_000  # frames: 8 MB at most, some 2,000 sessions
_APART = 600  # milliseconds between frames that are compared
_OVERVIEW = (48, 36)  # pixels
_RESEMBLES = 1.5  # levels: further apart, two overviews are of different moments


class SeenFrames:
    """Remembers frames across sessions, as keyed digests under a secret that dies with the process.

    A stretch recorded in one session and sent into another as it is gives itself away. Thread-safe.
    """

    def __init__(self, secret: bytes, capacity: int = _REMEMBERED) -> None:
        self._secret = secret
        self._capacity = capacity
        self._seen: OrderedDict[bytes, str] = OrderedDict()
        self._lock = threading.Lock()

    def seen_elsewhere(self, frame: Frame, ses: str) -> bool:
        """Remember a frame of session `ses` and return whether another session sent it before."""
        digest = hmac.digest(self._secret, frame.picture.pixel_digest, hashlib.sha256)[:16]
        with self._lock:
            owner = self._seen.setdefault(digest, ses)
            while len(self._seen) > self._capacity:
                self._seen.popitem(last=False)
        return owner != ses


@dataclass(slots=True)
class Repeats:
    """Watches one session's frames; what it keeps is bounded by the session's length.

    Frames are compared as overviews, 48 x 36 grey: averaging takes the camera's noise away, and what is
    left moves with every breath of a person and every tremor of a hand.
    """

    limits: PassiveLimits
    duplicates: int = field(default=0, init=False)
    longest_still: int = field(default=0, init=False)
    looped: int = field(default=0, init=False)
    _digests: dict[bytes, int] = field(default_factory=dict, init=False)
    _times: list[int] = field(default_factory=list, init=False)
    _overviews: list[NDArray[np.float32]] = field(default_factory=list, init=False)
    _still_since: int | None = field(default=None, init=False)
    _runs: dict[int, list[float]] = field(default_factory=dict, init=False)  # lag -> distances so far

    def add(self, frame: Frame) -> None:
        """Take the next frame."""
        now = len(self._times)
        earlier = self._digests.get(frame.picture.pixel_digest)
        if earlier is not None and now - earlier > 1:
            self.duplicates += 1
        self._digests[frame.picture.pixel_digest] = now
        self._times.append(frame.at)
        self._overviews.append(_overview(frame.picture.pixels))
        apart = [index for index in range(now) if frame.at - self._times[index] >= _APART]
        if apart:
            distances = np.abs(np.array(self._overviews[: len(apart)]) - self._overviews[now]).mean(
                axis=(1, 2)
            )
            self._follow_standstill(frame.at, float(distances[-1]))
            self._follow_loops(now, distances)

    @property
    def frozen(self) -> bool:
        """Whether the picture stood still for longer than a living face can."""
        return self.longest_still >= self.limits.still_within

    def _follow_standstill(self, at: int, change: float) -> None:
        if change * 1000 > self.limits.still_at_most:
            self._still_since = None
        elif self._still_since is None:
            self._still_since = at - _APART
        if self._still_since is not None:
            self.longest_still = max(self.longest_still, at - self._still_since)

    def _follow_loops(self, now: int, distances: NDArray[np.floating[Any]]) -> None:
        """Extend, for each lag, the run of frames that resemble those the lag before.

        A run counts when something moved in it: a face at rest resembles itself. `loop_at_most` is the
        distance to the earlier stretch over the movement within the stretch.
        """
        runs: dict[int, list[float]] = {}
        for index in np.nonzero(distances <= _RESEMBLES)[0]:
            lag = now - int(index)
            run = [*self._runs.get(lag, ()), float(distances[index])]
            runs[lag] = run
            if len(run) >= self.limits.loop_frames and self._moved(now, run):
                self.looped = max(self.looped, len(run))
        self._runs = runs

    def _moved(self, now: int, run: list[float]) -> bool:
        stretch = np.array(self._overviews[now - len(run) + 1 : now + 1])
        spread = float(np.abs(stretch - np.median(stretch, axis=0)).mean())
        return sum(run) / len(run) * 1000 <= self.limits.loop_at_most * spread


def _overview(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, _OVERVIEW, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)
