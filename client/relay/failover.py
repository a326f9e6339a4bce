"""Failover between gateways: the first that works, in the order of preference."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from client.relay.errors import RouteDown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from client.relay.route import Route

_log = logging.getLogger(__name__)
_REST = (1.0, 2.0, 4.0, 8.0)
T = TypeVar("T")


class Failover:
    """Several routes; one that was down rests (1 s, then 2, 4, 8) before it is asked again. Thread-safe."""

    def __init__(self, routes: Sequence[Route], clock: Callable[[], float] = time.monotonic) -> None:
        if not routes:
            raise ValueError("a relay needs at least one route")
        self._routes = tuple(routes)
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = [0] * len(routes)
        self._rest_until = [0.0] * len(routes)

    def order(self) -> list[int]:
        """Return the routes' positions: the well ones by preference, then the resting, soonest first."""
        with self._lock:
            present = self._clock()
            resting = [until if until > present else 0.0 for until in self._rest_until]
        return sorted(range(len(self._routes)), key=lambda position: (resting[position], position))

    def call(self, action: Callable[[Route], T]) -> T:
        """Return the action's value by the first route that answers; raise RouteDown when none does."""
        complaints = []
        for position in self.order():
            route = self._routes[position]
            try:
                value = action(route)
            except RouteDown as error:
                complaints.append(f"{route.name}: {error}")
                self._fell(position)
                _log.warning("gateway %s is down: %s", route.name, error)
                continue
            self._rose(position)
            return value
        raise RouteDown("; ".join(complaints))

    def _fell(self, position: int) -> None:
        with self._lock:
            rest = _REST[min(self._failures[position], len(_REST) - 1)]
            self._failures[position] += 1
            self._rest_until[position] = self._clock() + rest

    def _rose(self, position: int) -> None:
        with self._lock:
            self._failures[position] = 0
            self._rest_until[position] = 0.0
