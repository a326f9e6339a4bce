"""A process for face work and the pipes to it, as the service holds them."""

from __future__ import annotations

import logging
import multiprocessing
import queue
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import cbor2

from biometrics.errors import BiometricsError
from biometrics.service.messages import end_message
from biometrics.service.worker import work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_log = logging.getLogger(__name__)
_START_SECONDS: Final = 120.0
_MEMORY: Final = 4 * 2**30
_SPAWN: Final = multiprocessing.get_context("spawn")  # a fork of a threaded service may hang in a lock


class Overloaded(BiometricsError):  # noqa: N818  an answer, not a failure
    """There is no room now; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the pool for face work is full; try again in {retry_after} s")
        self.retry_after = retry_after


class WorkFailed(BiometricsError):  # noqa: N818  says what happened
    """The process could not do it; `why` says what happened, and to whom.

    `died`: over these frames. `late`: they took too long. `gone`: it had ended before, over another check
    or for another cause. Otherwise the name of the error that the check ended with.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"the face work broke off ({why})")
        self.why = why


class WorkerProcess:
    """One process and its checks. Thread-safe: whoever comes while it works waits, up to `waiting` of them.

    `generation` counts the processes that were started here; what ran in an earlier one is gone. `live`
    and `begun` are the pool's to count.
    """

    def __init__(self, factory: str, waiting: int) -> None:
        self._factory = factory
        self._process: Any = None
        self._requests: Connection[Any, Any] | None = None
        self._answers: Connection[Any, Any] | None = None
        self._stopping = threading.Lock()
        self._working = threading.Lock()
        self._room = threading.BoundedSemaphore(1 + waiting)
        self._ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.generation = 0
        self.live = 0
        self.begun = 0

    def start(self) -> None:
        """Start the process unless it runs, and wait until its models are loaded; raises WorkFailed."""
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
        self.generation += 1
        self._receive(_START_SECONDS)

    def ask(
        self, message: dict[str, Any], seconds: float, generation: int | None
    ) -> tuple[dict[str, Any], int]:
        """Send a request; return its answer and the generation that gave it.

        With `generation` only that process will do. Raises Overloaded at once when too many wait already,
        WorkFailed otherwise; where the process is at fault it is gone afterwards.
        """
        if not self._room.acquire(blocking=False):
            raise Overloaded(1)
        try:
            deadline = time.monotonic() + seconds
            if not self._working.acquire(timeout=seconds):
                raise WorkFailed("busy")
            try:
                if generation is None:
                    self.start()
                elif generation != self.generation or not self._alive():
                    raise WorkFailed("gone")
                return self._exchange(message, deadline - time.monotonic()), self.generation
            finally:
                self._flush()
                self._working.release()
        finally:
            self._room.release()

    def forget(self, check: int, generation: int) -> None:
        """Have a check forgotten, now or after what the process is doing."""
        if generation != self.generation:
            return
        self._ended.put(check)
        if self._working.acquire(blocking=False):
            try:
                self._flush()
            finally:
                self._working.release()

    def stop(self) -> None:
        """End the process, whatever it is doing."""
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

    def _alive(self) -> bool:
        process = self._process
        try:
            return process is not None and bool(process.is_alive())
        except ValueError:  # closed meanwhile
            return False

    def _flush(self) -> None:
        ended = []
        while not self._ended.empty():
            ended.append(self._ended.get())
        if ended and self._alive():
            try:
                self._exchange(end_message(ended), _START_SECONDS)
            except WorkFailed:
                return  # with the process its checks are forgotten, too

    def _exchange(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        try:
            if self._requests is None:
                raise WorkFailed("died")
            self._requests.send_bytes(cbor2.dumps(message))
        except OSError as error:
            self.stop()
            raise WorkFailed("died") from error
        return self._receive(seconds)

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
