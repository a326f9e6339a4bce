"""The live checks of this process: what is known of each between two chunks of its frames."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from biometrics.service.kept import KeptFrames

if TYPE_CHECKING:
    from collections.abc import Mapping

    from biometrics.service.checker import Progress
    from biometrics.service.pace import Pace
    from biometrics.service.pool import Place
    from biometrics.terms.binding import Binding


@dataclass(frozen=True, slots=True)
class ChunkAnswer:
    """What to tell the client after a chunk: the step `asked` now, if any, as number `index` of `of`."""

    chunk: int
    asked: str | None
    index: int
    of: int
    advice: tuple[str, ...]
    over: bool


@dataclass(slots=True)
class LiveCheck:
    """One check from its opening to its end. Who holds `lock` may read and change it.

    `heard_at` and `told_at` are milliseconds of the service's clock: when the last chunk arrived, and
    when the step asked for now was first told.
    """

    ses: str
    binding: Binding
    complete_before: int
    challenge: Mapping[str, Any]
    place: Place
    pace: Pace
    heard_at: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: bool = False
    digest: str = ""
    answer: ChunkAnswer | None = None
    steps: int = 0
    source: str = ""  # of the reference picture, once the work has begun
    frames: int = 0
    marks: set[bytes] = field(default_factory=set, repr=False)
    kept: KeptFrames = field(default_factory=KeptFrames)
    told_at: int | None = None
    _told: int = -1
    _refused: tuple[str, int] | None = None

    @property
    def next_chunk(self) -> int:
        """The number of the chunk that may come now."""
        return 0 if self.answer is None else self.answer.chunk + 1

    def overdue(self, now: int, milliseconds: int, idle_seconds: int) -> bool:
        """Whether the check's time is over, or no chunk came for too long."""
        return now > self.complete_before or milliseconds - self.heard_at > 1000 * idle_seconds

    def arrival(self, digest: str, arrived: int) -> int:
        """Return when a chunk came first: one that was turned away for want of room isn't late by it."""
        if self._refused is None or self._refused[0] != digest:
            self._refused = (digest, arrived)
        return self._refused[1]

    def prompted_at(self, pace: Pace) -> int | None:
        """Return when the step asked for was told, in the frames' time; None before that."""
        return None if self.told_at is None else pace.captured_from(self.told_at)

    def advance(self, digest: str, pace: Pace, frames: int, answer: ChunkAnswer) -> None:
        """Note that a chunk was judged."""
        self.digest, self.pace, self.answer = digest, pace, answer
        self.frames += frames
        self._refused = None

    def tell(self, progress: Progress, now: int) -> None:
        """Note that the answer with this progress goes out now."""
        if progress.asked is not None and self._told != progress.index:
            self._told, self.told_at = progress.index, now

    def end(self) -> None:
        """Give the place back, and forget what nobody needs any more: all but the last answer."""
        self.over = True
        self.place.release()
        self.challenge = {}
        self.marks.clear()
        self.kept.drop()


class LiveChecks:
    """Finds live checks by id. Thread-safe."""

    def __init__(self) -> None:
        self._by_ses: dict[str, LiveCheck] = {}
        self._lock = threading.Lock()

    def add(self, live: LiveCheck) -> None:
        """Enter a check."""
        with self._lock:
            self._by_ses[live.ses] = live

    def get(self, ses: str) -> LiveCheck | None:
        """Return a check that was opened in this process and isn't forgotten."""
        with self._lock:
            return self._by_ses.get(ses)

    def all(self) -> list[LiveCheck]:
        """Return every check."""
        with self._lock:
            return list(self._by_ses.values())

    def remove(self, live: LiveCheck) -> None:
        """Forget a check."""
        with self._lock:
            self._by_ses.pop(live.ses, None)
