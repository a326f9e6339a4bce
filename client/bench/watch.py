"""When each block reached one org's peer."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from client.errors import OutcomeUnknown

if TYPE_CHECKING:
    from client.gateway import Gateway


class BlockWatch:
    """Notes at which moment (monotonic seconds) each block of a channel arrived. A context manager."""

    def __init__(self, gateway: Gateway, channel: str) -> None:
        self._events = gateway.network(channel).filtered_block_events()
        self._arrived: dict[int, float] = {}
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._follow, name="block-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._events.close()
        self._thread.join()

    def _follow(self) -> None:
        for block in self._events:
            with self._changed:
                self._arrived[block.number] = time.monotonic()
                self._changed.notify_all()

    def wait_for(self, block: int, timeout: float = 60.0) -> float:
        """Return when a block arrived; raise OutcomeUnknown when it hasn't after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: block in self._arrived, timeout):
                raise OutcomeUnknown(f"block {block} has not reached the watched peer in {timeout:.0f} s")
            return self._arrived[block]
