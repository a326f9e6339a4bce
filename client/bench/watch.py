"""When each transaction reached one org's peer."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from client.errors import OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.gateway import Gateway


class BlockWatch:
    """Notes at which moment (Unix seconds) each transaction of a channel came in a block.

    A context manager. `start_block` is the first block looked at: none after it is missed. `progress` is
    called with the number of transactions in each block that comes.
    """

    def __init__(
        self, gateway: Gateway, channel: str, start_block: int, progress: Callable[[int], None]
    ) -> None:
        self._progress = progress
        self._events = gateway.network(channel).filtered_block_events(start_block=start_block)
        self.arrived: dict[str, tuple[float, int]] = {}  # by transaction: when, and in which block
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
            present = time.time()
            with self._changed:
                for transaction in block.filtered_transactions:
                    self.arrived[transaction.txid] = (present, block.number)
                self._changed.notify_all()
            self._progress(len(block.filtered_transactions))

    def wait_for(self, transactions: set[str], timeout: float = 60.0) -> None:
        """Return when all of them arrived; raise OutcomeUnknown when they haven't after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.arrived.keys() >= transactions, timeout):
                missing = len(transactions - self.arrived.keys())
                raise OutcomeUnknown(
                    f"{missing} transactions haven't reached the watched peer in {timeout:.0f} s"
                )
