"""Backpressure: how many acknowledged ballots may wait for the chain before a door says "later"."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from client.platform.models import OutboxEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.platform import Database

_FRESH_SECONDS = 1.0
_SHORTEST, _LONGEST = 1, 60  # seconds


class Backlog:
    """The outstanding ballots of one door at one meeting, against a bound (None: no bound). Thread-safe.

    The outbox is counted at most once a second; between two counts only this desk's own additions are
    known. So one desk never exceeds the bound, and several together by what the others take in a second.
    """

    def __init__(
        self,
        database: Database,
        mtg: str,
        door: str,
        bound: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._mine = (OutboxEntry.mtg == mtg, OutboxEntry.door == door)
        self._bound = bound
        self._clock = clock
        self._lock = threading.Lock()
        self._outstanding = 0
        self._oldest: float | None = None  # when the oldest was acknowledged, Unix seconds
        self._counted_at: float | None = None

    def refresh(self) -> None:
        """Count again where the last count is no longer fresh. The others ask the database nothing."""
        if self._bound is None:
            return
        with self._lock:
            present = self._clock()
            if self._counted_at is not None and present - self._counted_at < _FRESH_SECONDS:
                return
            with self._database.read() as session:
                count = select(func.count()).select_from(OutboxEntry).where(*self._mine)
                waiting = select(OutboxEntry.queued_at).where(*self._mine, OutboxEntry.parked.is_(False))
                self._outstanding = session.scalar(count) or 0
                self._oldest = session.scalars(waiting.order_by(OutboxEntry.ballot).limit(1)).first()
            self._counted_at = present

    def room(self) -> int | None:
        """Return how many ballots may be taken now; None where there is no bound."""
        with self._lock:
            return None if self._bound is None else max(0, self._bound - self._outstanding)

    def added(self, count: int) -> None:
        """Say that this desk has put `count` ballots into the outbox."""
        with self._lock:
            self._outstanding += count

    def retry_after(self, wall: float) -> int:
        """Return after how many seconds to ask again: as long as the oldest waits already, 1 to 60.

        The queue is served in order, so what is behind it now will have moved on by about then.
        """
        with self._lock:
            age = 0.0 if self._oldest is None else wall - self._oldest
        return min(_LONGEST, max(_SHORTEST, round(age)))
