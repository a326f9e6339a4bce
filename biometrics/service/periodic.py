"""Chores that a running service does by itself, again and again."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger(__name__)


class Periodic:
    """A thread that runs the chores every so many seconds, the first time at once. Use it as a context.

    One failure (a locked database, a ledger that is down) ends one chore of one round, not the thread.
    """

    def __init__(self, name: str, seconds: float, chores: Sequence[Callable[[], None]]) -> None:
        self._name = name
        self._seconds = seconds
        self._chores = tuple(chores)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin the first round, in a thread of its own; once only."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no further round, and wait for one that is under way; nothing happens if none ever began."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def once(self) -> None:
        """Run the chores; what fails is logged by its kind, and done the next time."""
        for chore in self._chores:
            try:
                chore()
            except Exception as error:  # noqa: BLE001  the next round has to come whatever this one met
                # Its kind only: an exception's words may carry what was being worked on.
                _log.error("%s failed at %s: %s", self._name, chore.__name__, type(error).__name__)

    def _run(self) -> None:
        while True:
            self.once()
            if self._stopping.wait(self._seconds):
                return
