"""Looks after live checks that nothing is heard of any more, every second."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)


class Sweeper:
    """Calls `sweep` in a thread of its own between `start` and `stop`."""

    def __init__(self, sweep: Callable[[], None], seconds: float = 1.0) -> None:
        self._sweep = sweep
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="check-sweeper")
        self._thread.start()

    def stop(self) -> None:
        """End; a sweep that is under way is waited for."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._sweep()
            except Exception as error:  # noqa: BLE001  the store may be away for a while; the next round tries again
                _log.warning("live checks could not be swept: %s", type(error).__name__)
