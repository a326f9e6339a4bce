"""A pool of processes for face work, with a bounded number of requests inside and waiting.

Not `concurrent.futures`: there one process that dies breaks the whole pool, queues have no bound, and
a call that hangs can't be ended. Here a request holds a ticket from the moment it is let in; when all
are given out the answer is no, at once.
"""

from __future__ import annotations

import logging
import multiprocessing
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import cbor2

from biometrics.errors import BiometricsError
from biometrics.service.checker import result_from_message
from biometrics.service.worker import work

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from types import TracebackType

    from biometrics.service.checker import CheckRequest, CheckResult

_log = logging.getLogger(__name__)
_START_SECONDS: Final = 120.0
_MEMORY: Final = 4 * 2**30
_SPAWN: Final = multiprocessing.get_context("spawn")  # a fork of a threaded service may hang in a lock


class Overloaded(BiometricsError):  # noqa: N818  an answer, not a failure
    """Every ticket is given out; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the pool for face work is full; try again in {retry_after} s")
        self.retry_after = retry_after


class WorkFailed(BiometricsError):  # noqa: N818  says what happened
    """The process died, took too long, or could not do it; `why` is `died`, `late` or an error's name."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the face work broke off ({why})")
        self.why = why


class FrameUnreadable(BiometricsError):  # noqa: N818  says what was found
    """Bytes are no usable picture; `source` is `reference` or `frame N`."""

    def __init__(self, reason: str, source: str) -> None:
        super().__init__(f"{source} can't be used ({reason})")
        self.reason = reason
        self.source = source


@dataclass(frozen=True, slots=True)
class PoolSize:
    """`workers` processes, `waiting` requests beyond those being worked on, seconds for one request."""

    workers: int = 2
    waiting: int = 6
    time_limit: float = 60.0
    requests_per_worker: int = 1000  # then it is replaced, whatever the libraries may have leaked


class Room(Protocol):
    """Room for one request; given back by leaving the `with`."""

    def run(self, request: CheckRequest) -> CheckResult:
        """Do the work; raises WorkFailed or FrameUnreadable."""
        ...

    def __enter__(self) -> Self:
        """Use the room."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give it back."""
        ...


class Pool(Protocol):
    """Where face work is done; `FacePool` is the one for real use."""

    @property
    def size(self) -> PoolSize:
        """How much fits in."""
        ...

    @property
    def inside(self) -> int:
        """How many requests are inside."""
        ...

    def start(self) -> None:
        """Load what the work needs."""
        ...

    def reserve(self) -> Room:
        """Let one request in; raises Overloaded."""
        ...

    def retry_after(self) -> int:
        """Return the whole seconds after which room is likely."""
        ...

    def close(self) -> None:
        """End the work."""
        ...


class FacePool:
    """Runs checks in processes. Thread-safe; processes start when first needed."""

    def __init__(
        self, factory: str, size: PoolSize | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size or PoolSize()
        self._clock = clock
        self._tickets = threading.BoundedSemaphore(self.size.workers + self.size.waiting)
        self._idle: queue.Queue[_Worker] = queue.Queue()
        self._workers = [_Worker(factory) for _ in range(self.size.workers)]
        for worker in self._workers:
            self._idle.put(worker)
        self._inside = 0
        self._seconds = 1.0  # running mean of one request's work
        self._lock = threading.Lock()

    @property
    def size(self) -> PoolSize:
        """How much fits in."""
        return self._size

    def start(self) -> None:
        """Start every process and wait until its models are loaded; raises WorkFailed."""
        for worker in self._workers:
            worker.start()

    def reserve(self) -> Ticket:
        """Let one request in; raises Overloaded at once when there is no room."""
        if not self._tickets.acquire(blocking=False):
            raise Overloaded(self.retry_after())
        with self._lock:
            self._inside += 1
        return Ticket(self)

    @property
    def inside(self) -> int:
        """How many requests hold a ticket."""
        with self._lock:
            return self._inside

    def retry_after(self) -> int:
        """Return the whole seconds after which room is likely."""
        with self._lock:
            return max(1, round(self._seconds * self._inside / self.size.workers))

    def close(self) -> None:
        """End every process; requests still running get WorkFailed."""
        for worker in self._workers:
            worker.stop()

    def _release(self) -> None:
        with self._lock:
            self._inside -= 1
        self._tickets.release()

    def _run(self, request: CheckRequest) -> CheckResult:
        deadline = self._clock() + self.size.time_limit
        try:
            worker = self._idle.get(timeout=self.size.time_limit)
        except queue.Empty:
            raise WorkFailed("late") from None
        try:
            begun = self._clock()
            answer = worker.ask(_message(request), deadline - begun)
            took = self._clock() - begun
        finally:
            if worker.served >= self.size.requests_per_worker:
                worker.stop()
            self._idle.put(worker)
        with self._lock:
            self._seconds += (took - self._seconds) / 8
        return _read(answer)


class Ticket:
    """Room for one request; give it back by leaving the `with`."""

    def __init__(self, pool: FacePool) -> None:
        self._pool = pool

    def run(self, request: CheckRequest) -> CheckResult:
        """Do the work. Raises WorkFailed or FrameUnreadable; the pool is whole again in any case."""
        return self._pool._run(request)  # noqa: SLF001  the two are one

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool._release()  # noqa: SLF001


class _Worker:
    """A process and the pipes to it. Used by one thread at a time, except `stop`."""

    def __init__(self, factory: str) -> None:
        self._factory = factory
        self._process: Any = None
        self._requests: Connection[Any, Any] | None = None
        self._answers: Connection[Any, Any] | None = None
        self._stopping = threading.Lock()
        self.served = 0

    def start(self) -> None:
        if self._process is not None and self._process.is_alive():
            return
        self.stop()
        # One-way pipes: they are plain pipes, where two-way ones would be sockets.
        theirs, self._requests = _SPAWN.Pipe(duplex=False)
        self._answers, answering = _SPAWN.Pipe(duplex=False)
        self._process = _SPAWN.Process(
            target=work, args=(self._factory, theirs, answering, _MEMORY), daemon=True, name="face-work"
        )
        self._process.start()
        theirs.close()
        answering.close()
        self.served = 0
        self._receive(_START_SECONDS)

    def ask(self, message: bytes, seconds: float) -> dict[str, Any]:
        """Send a request and wait for its answer; on any failure the process is gone afterwards."""
        self.start()
        self.served += 1
        try:
            if self._requests is None:
                raise WorkFailed("died")
            self._requests.send_bytes(message)
        except OSError as error:
            self.stop()
            raise WorkFailed("died") from error
        return self._receive(seconds)

    def stop(self) -> None:
        with self._stopping:  # the service may close while a request is still waiting for its answer
            process, pipes = self._process, (self._requests, self._answers)
            self._process = self._requests = self._answers = None
        if process is not None:
            process.kill()
            process.join()
            process.close()
        for pipe in pipes:
            if pipe is not None:
                pipe.close()

    def _receive(self, seconds: float) -> dict[str, Any]:
        answers, why = self._answers, "died"
        try:
            if answers is not None:
                why = "late"
                if answers.poll(max(0.0, seconds)):
                    why = "died"
                    return dict(cbor2.loads(answers.recv_bytes()))
        except (EOFError, OSError, ValueError, TypeError):  # ValueError: CBOR's errors are ones
            why = "died"
        # Whatever state the process is in, its next answer might be to this request.
        self.stop()
        _log.warning("a process for face work was ended (%s); another takes its place", why)
        raise WorkFailed(why)


def _message(request: CheckRequest) -> bytes:
    return cbor2.dumps(
        {
            "challenge": dict(request.challenge),
            "frames": [[frame.at, frame.data] for frame in request.frames],
            "reference": request.reference,
        }
    )


def _read(answer: dict[str, Any]) -> CheckResult:
    if "refused" in answer:
        raise FrameUnreadable(str(answer["refused"])[:40], str(answer.get("source"))[:40])
    if "result" not in answer:
        raise WorkFailed(str(answer.get("failed"))[:60])
    try:
        return result_from_message(answer["result"])
    except ValueError as error:
        raise WorkFailed("answer") from error
