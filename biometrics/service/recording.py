"""Recording in batches: checks that pass at about the same time share one transaction."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, Protocol

from biometrics.errors import BiometricsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.service.evidence import EvidenceOpening
    from client.encodings.records import Session

_Item = tuple["Session", "EvidenceOpening"]
_LARGEST: Final = 200


class Recorded(Protocol):
    """What became of one session: `code` is the chaincode's refusal, None where it was written."""

    @property
    def code(self) -> str | None:
        """The chaincode's code, or None."""
        ...


class BatchRecorder(Protocol):
    """Keeps openings sealed and writes session records to `identity`, in one transaction.

    Recording the same session again is a success. `client.sessions.SessionRecorder` is one.
    """

    def record_many(self, checks: Sequence[_Item], /) -> Sequence[Recorded]:
        """Write them, in order; return when that is committed, or raise."""
        ...


class NotRecorded(BiometricsError):  # noqa: N818  says what didn't happen
    """The ledger refused the session with `code`, or couldn't be reached (`code` None)."""

    def __init__(self, code: str | None) -> None:
        super().__init__(f"the session was not recorded ({code or 'the ledger does not answer'})")
        self.code = code


class Recording:
    """Collects sessions for `linger` seconds, or until a batch is full, and writes them together.

    Thread-safe. The thread that brings the first one writes for all that join in time.
    """

    def __init__(self, recorder: BatchRecorder, *, linger: float = 0.2, largest: int = _LARGEST) -> None:
        self._recorder = recorder
        self._linger = linger
        self._largest = largest
        self._waiting: list[tuple[_Item, Future[str | None]]] = []
        self._full = threading.Condition()
        self._writing = threading.Lock()

    def record(self, session: Session, opening: EvidenceOpening) -> None:
        """Return when the session is on the ledger; raises NotRecorded."""
        done: Future[str | None] = Future()
        with self._full:
            leader = not self._waiting
            self._waiting.append(((session, opening), done))
            if len(self._waiting) >= self._largest:
                self._full.notify_all()
        if leader:
            self._collect_and_write()
        code = done.result()
        if code is not None:
            raise NotRecorded(code)

    def _collect_and_write(self) -> None:
        deadline = time.monotonic() + self._linger
        # While a batch is being written the next one fills: the slower the ledger, the larger the batch.
        with self._writing:
            with self._full:
                while len(self._waiting) < self._largest and (left := deadline - time.monotonic()) > 0:
                    self._full.wait(left)
                batch, self._waiting = self._waiting, []
            self._write(batch)

    def _write(self, batch: list[tuple[_Item, Future[str | None]]]) -> None:
        try:
            results = self._recorder.record_many([item for item, _ in batch])
            codes = [result.code for result in results]
            if len(codes) != len(batch):
                raise NotRecorded(None)  # noqa: TRY301  one way out for everything that isn't an answer
        except Exception:  # noqa: BLE001  whatever a ledger raises, nobody may be left waiting
            for _, done in batch:
                done.set_exception(NotRecorded(None))
            return
        for (_, done), code in zip(batch, codes, strict=True):
            done.set_result(code)
