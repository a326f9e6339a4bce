"""What a running service does by itself, again and again: retention, and records the ledger didn't take."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from biometrics.service.service import IdentityService

_log = logging.getLogger(__name__)
_ON_ITS_WAY: Final = 30  # seconds in which a check that has just passed may still be being recorded


class Housekeeping:
    """A thread that runs the chores every so many seconds, the first time at once. Use it as a context.

    One failure (a locked database, a ledger that is down) ends one round, not the thread.
    """

    def __init__(self, service: IdentityService, *, every: float | None = None) -> None:
        self._service = service
        self._every = service.parts.policy.every_seconds if every is None else every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def once(self) -> None:
        """Run the chores; what fails is logged by its kind, and done the next time."""
        for chore in (self._retain, self._resume):
            try:
                chore()
            except Exception as error:  # noqa: BLE001  the next round has to come whatever this one met
                # Its kind only: an exception's words may carry what was being worked on.
                _log.error("housekeeping failed at %s: %s", chore.__name__.strip("_"), type(error).__name__)

    def _retain(self) -> None:
        report = self._service.retention.run()
        if report.what:
            _log.info("retention: %s", ", ".join(f"{kind} {number}" for kind, number in report.what.items()))

    def _resume(self) -> None:
        self._service.parts.outcomes.resume(_ON_ITS_WAY)

    def _run(self) -> None:
        while True:
            self.once()
            if self._stop.wait(self._every):
                return
