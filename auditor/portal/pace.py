"""How often one client may ask: a bucket of tokens each, and one for all together."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.portal.errors import PortalRefused

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_CLIENTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, and `per_second` of them back each second."""

    burst: float
    per_second: float


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Pace:
    """Thread-safe. Clients' networks are held in memory alone, the 10,000 last seen, and written nowhere."""

    def __init__(self, each: Rate, together: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._each, self._together, self._clock = each, together, clock
        self._all = _Bucket(together.burst, clock())
        self._clients: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str) -> None:
        """Refuse with TOO_MANY_REQUESTS, and when to come back, what is beyond either rate."""
        with self._lock:
            now = self._clock()
            own = self._clients.pop(client, None) or _Bucket(self._each.burst, now)
            self._clients[client] = own
            if len(self._clients) > _MOST_CLIENTS:
                self._clients.popitem(last=False)
            waits = [_wait(own, self._each, now), _wait(self._all, self._together, now)]
            if max(waits) > 0:
                raise PortalRefused("TOO_MANY_REQUESTS", retry_after=math.ceil(max(waits)))
            own.tokens -= 1
            self._all.tokens -= 1


def _wait(bucket: _Bucket, rate: Rate, now: float) -> float:
    """Refill a bucket; return the seconds until it has a token, 0 where it has one."""
    bucket.tokens = min(rate.burst, bucket.tokens + (now - bucket.at) * rate.per_second)
    bucket.at = now
    return 0.0 if bucket.tokens >= 1 else (1 - bucket.tokens) / rate.per_second
