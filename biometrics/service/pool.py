"""A pool of processes for face work: each holds so many live checks, and no more are let in.

Not `concurrent.futures`: a live check's state stays in one process from chunk to chunk; there one process
that dies breaks the whole pool, queues have no bound, and a call that hangs can't be ended. Here a check
takes a place when it is opened; when all are taken the answer is no, at once.
"""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from biometrics.errors import BiometricsError
from biometrics.service.messages import begin_message, fed_from_message, feed_message
from biometrics.service.process import Overloaded, WorkerProcess, WorkFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from biometrics.service.checker import CheckRequest, SentFrame
    from biometrics.service.messages import Fed

__all__ = [
    "FacePlace",
    "FacePool",
    "FrameUnreadable",
    "Overloaded",
    "Place",
    "Pool",
    "PoolSize",
    "WorkFailed",
]
_USUAL_SECONDS: Final = 30.0


class FrameUnreadable(BiometricsError):  # noqa: N818  says what was found
    """Bytes are no usable picture; `source` is `reference` or `frame N`."""

    def __init__(self, reason: str, source: str) -> None:
        super().__init__(f"{source} can't be used ({reason})")
        self.reason = reason
        self.source = source


@dataclass(frozen=True, slots=True)
class PoolSize:
    """`workers` processes with `places` live checks each, of which `waiting` may wait for their turn.

    `time_limit` is the seconds for one chunk, waiting included.
    """

    workers: int = 2
    places: int = 4
    waiting: int = 3
    time_limit: float = 60.0
    checks_per_worker: int = 1000  # then it is replaced, whatever the libraries may have leaked

    @property
    def room(self) -> int:
        """How many live checks there is room for."""
        return self.workers * self.places


class Place(Protocol):
    """A live check's place, from its opening until it is released. Used by one thread at a time."""

    def begin(self, request: CheckRequest) -> None:
        """Begin the check; raises Overloaded, WorkFailed, FrameUnreadable."""
        ...

    def feed(self, frames: Sequence[SentFrame], prompted_at: int | None, *, last: bool) -> Fed:
        """Have frames judged; raises Overloaded (nothing was taken), WorkFailed, FrameUnreadable."""
        ...

    def release(self) -> None:
        """Give the place back; what the check was about is forgotten. Once more does no harm."""
        ...


class Pool(Protocol):
    """Where face work is done; `FacePool` is the one for real use."""

    @property
    def size(self) -> PoolSize:
        """How much fits in."""
        ...

    @property
    def inside(self) -> int:
        """How many places are taken."""
        ...

    def start(self) -> None:
        """Load what the work needs."""
        ...

    def take(self) -> Place:
        """Take a place; raises Overloaded."""
        ...

    def retry_after(self) -> int:
        """Return the whole seconds after which a place is likely."""
        ...

    def close(self) -> None:
        """End the work; checks that still run get WorkFailed."""
        ...


class FacePool:
    """Runs live checks in processes. Thread-safe; processes start when first needed."""

    def __init__(
        self, factory: str, size: PoolSize | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size or PoolSize()
        self._clock = clock
        self._workers = [WorkerProcess(factory, self.size.waiting) for _ in range(self.size.workers)]
        self._numbers = itertools.count(1)
        self._seconds = _USUAL_SECONDS  # running mean of how long a place is held
        self._lock = threading.Lock()

    @property
    def size(self) -> PoolSize:
        """How much fits in."""
        return self._size

    @property
    def inside(self) -> int:
        """How many places are taken."""
        with self._lock:
            return sum(worker.live for worker in self._workers)

    def start(self) -> None:
        """Start every process and wait until its models are loaded; raises WorkFailed."""
        for worker in self._workers:
            worker.start()

    def take(self) -> FacePlace:
        """Take a place in the process that has most of them free; raises Overloaded at once."""
        with self._lock:
            for worker in self._workers:
                if worker.begun >= self.size.checks_per_worker and not worker.live:
                    worker.stop()
                    worker.begun = 0
            open_ones = [
                worker
                for worker in self._workers
                if worker.live < self.size.places and worker.begun < self.size.checks_per_worker
            ]
            if open_ones:
                worker = min(open_ones, key=lambda one: one.live)
                worker.live += 1
                worker.begun += 1
                return FacePlace(self, worker, next(self._numbers), self._clock())
        raise Overloaded(self.retry_after())

    def retry_after(self) -> int:
        """Return the whole seconds after which a place is likely."""
        with self._lock:
            return max(1, round(self._seconds / self.size.room))

    def close(self) -> None:
        """End every process, whatever it is doing; checks that still run get WorkFailed."""
        for worker in self._workers:
            worker.stop()

    def given_back(self, worker: WorkerProcess, taken_at: float) -> None:
        """Count a place as free again."""
        with self._lock:
            worker.live -= 1
            self._seconds += (self._clock() - taken_at - self._seconds) / 8


class FacePlace:
    """A place in one process; what runs in it ends with that process."""

    def __init__(self, pool: FacePool, worker: WorkerProcess, number: int, taken_at: float) -> None:
        self._pool = pool
        self._worker = worker
        self._number = number
        self._taken_at = taken_at
        self._generation: int | None = None
        self._released = False

    def begin(self, request: CheckRequest) -> None:
        """Begin the check; raises Overloaded, WorkFailed, FrameUnreadable."""
        _, self._generation = self._ask(begin_message(self._number, request), None)

    def feed(self, frames: Sequence[SentFrame], prompted_at: int | None, *, last: bool) -> Fed:
        """Have frames judged; raises Overloaded (nothing was taken), WorkFailed, FrameUnreadable."""
        if self._generation is None:
            raise WorkFailed("gone")
        message = feed_message(self._number, frames, prompted_at, last=last)
        answer, _ = self._ask(message, self._generation)
        try:
            return fed_from_message(answer)
        except ValueError as error:
            raise WorkFailed("answer") from error

    def release(self) -> None:
        """Give the place back; what the check was about is forgotten."""
        if self._released:
            return
        self._released = True
        if self._generation is not None:
            self._worker.forget(self._number, self._generation)
        self._pool.given_back(self._worker, self._taken_at)

    def _ask(self, message: dict[str, Any], generation: int | None) -> tuple[dict[str, Any], int]:
        answer, by = self._worker.ask(message, self._pool.size.time_limit, generation)
        if "refused" in answer:
            raise FrameUnreadable(str(answer["refused"])[:40], str(answer.get("source"))[:40])
        if "failed" in answer:
            raise WorkFailed(str(answer["failed"])[:60])
        return answer, by
