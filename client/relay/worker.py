"""The relay itself: a few threads that carry one meeting's acknowledged ballots to the channel."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Self

from client.errors import OutcomeUnknown
from client.relay.batch import Limits
from client.relay.watch import Watch

if TYPE_CHECKING:
    from client.relay.batch import Parcel
    from client.relay.delivery import Delivery
    from client.relay.outbox import Outbox

_log = logging.getLogger(__name__)
_IDLE = 0.1


class Relay:
    """Carries ballots from the outbox to the channel, `workers` batches at a time.

    Use it as a context manager, or call `step` yourself. It may be killed and started again at any
    moment: nothing that matters is in memory. Waiting batches are bounded by `in_flight`, so that a
    channel that is down fills the outbox, not the relay.
    """

    def __init__(
        self,
        outbox: Outbox,
        delivery: Delivery,
        *,
        limits: Limits | None = None,
        workers: int = 2,
        in_flight: int = 8,
        watch: Watch | None = None,
    ) -> None:
        self._outbox = outbox
        self._delivery = delivery
        self._limits = limits or Limits()
        self._workers = workers
        self._in_flight = in_flight
        self._watch = watch or Watch()
        self._busy: set[str] = set()
        self._taking = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        # Whoever leaves by an error (a time-out, say) needn't wait for attempts that hang; none is lost.
        self.stop(wait=kind is None)

    def start(self) -> None:
        """Start the workers."""
        self._stop.clear()
        for number in range(self._workers):
            thread = threading.Thread(target=self._work, name=f"relay-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, *, wait: bool = True) -> None:
        """Let each worker finish its attempt, then return (at once without `wait`).

        What is unsettled stays in the outbox.
        """
        self._stop.set()
        self._wake.set()
        for thread in self._threads if wait else ():
            thread.join()
        self._threads.clear()

    def wake(self) -> None:
        """Say that a ballot was just acknowledged."""
        self._wake.set()

    def step(self) -> bool:
        """Attempt one batch, if one is ready; return whether one was."""
        parcel = self._take()
        if parcel is None:
            return False
        try:
            self._delivery.attempt(parcel)
        finally:
            with self._taking:
                self._busy.discard(parcel.id)
        return True

    def drain(self, timeout: float) -> None:
        """Wait until the chain has settled every acknowledged ballot of this door.

        Raises OutcomeUnknown, with the number that is left, after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while not self._outbox.is_empty():
            if time.monotonic() > deadline:
                raise OutcomeUnknown(
                    f"{self._outbox.outstanding()} acknowledged ballots are not on the channel after "
                    f"{timeout:.0f} s: the relay keeps trying, run it again"
                )
            if not self._threads and self.step():
                continue
            self._stop.wait(_IDLE)

    def is_drained(self) -> bool:
        """Whether nothing is left to send: the chain has settled everything but what is parked."""
        return self._outbox.is_empty(but_for_parked=True)

    def _take(self) -> Parcel | None:
        with self._taking:
            parcel = self._outbox.resume(self._busy)
            if parcel is None and self._outbox.in_flight() < self._in_flight:
                parcel = self._outbox.claim(self._limits)
                if parcel is not None:
                    self._watch.claimed(len(parcel.items), parcel.octets)
            if parcel is not None:
                self._busy.add(parcel.id)
            return parcel

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                worked = self.step()
            except Exception:  # noqa: BLE001  said aloud: a relay that stops helps nobody
                _log.exception("an attempt failed in a way that the relay doesn't know")
                worked = False
            if not worked:
                self._wake.wait(_IDLE)
                self._wake.clear()
