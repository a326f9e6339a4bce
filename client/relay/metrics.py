"""The relay's figures in Prometheus' text form, served on this host only."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from client.errors import UserError
from client.relay.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from client.relay.outbox import Depth, Outbox

ADDRESS = "127.0.0.1"
_SIZES = (1, 10, 50, 100, 250, 500, 1000, 2500, 5000)
_SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300)


class Metrics(Watch):
    """A watcher that keeps Prometheus metrics of one relay; `registry` holds them."""

    def __init__(self, outbox: Outbox, wall: Callable[[], float] = time.time) -> None:
        """Name the metrics; the queue is looked at when somebody asks for it (`wall`: Unix seconds)."""
        self.registry = CollectorRegistry()
        self.registry.register(_Queue(outbox, wall))
        self._ballots = Histogram(
            "concordat_relay_batch_ballots", "Ballots a batch.", buckets=_SIZES, registry=self.registry
        )
        self._octets = Counter(
            "concordat_relay_batch_bytes", "Bytes of the batches' entries.", registry=self.registry
        )
        self._seconds = Histogram(
            "concordat_relay_commit_seconds",
            "Seconds from reading a batch from the outbox to its verdicts in a block.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._retries = Counter(
            "concordat_relay_retries", "Attempts to be repeated.", ["reason"], registry=self.registry
        )
        self._verdicts = Counter(
            "concordat_relay_verdicts", "Ballots by verdict.", ["verdict"], registry=self.registry
        )

    def claimed(self, ballots: int, octets: int) -> None:
        """Count a batch."""
        self._ballots.observe(ballots)
        self._octets.inc(octets)

    def retried(self, reason: str) -> None:
        """Count a retry."""
        self._retries.labels(reason).inc()

    def settled(self, seconds: float, verdicts: Mapping[str, int]) -> None:
        """Count a settled batch's time and verdicts."""
        self._seconds.observe(seconds)
        for verdict, count in verdicts.items():
            self._verdicts.labels(verdict).inc(count)

    @contextmanager
    def serve(self, port: int) -> Iterator[int]:
        """Answer on the loopback address while in the block; give the port (0 chooses a free one)."""
        try:
            server, thread = start_http_server(port, ADDRESS, self.registry)
        except OSError as error:
            raise UserError(f"metrics can't be served on {ADDRESS}:{port}: {error.strerror}") from error
        try:
            yield int(server.server_port)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Queue(Collector):
    """The outbox as it is at the moment of asking."""

    def __init__(self, outbox: Outbox, wall: Callable[[], float]) -> None:
        self._outbox = outbox
        self._wall = wall

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return _gauges(None, 0.0)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return _gauges(self._outbox.depth(), self._wall())


def _gauges(depth: Depth | None, wall: float) -> list[GaugeMetricFamily]:
    oldest = 0.0 if depth is None or depth.oldest is None else max(0.0, wall - depth.oldest)
    values = (
        ("queue_ballots", "Acknowledged ballots that the chain hasn't settled.", depth and depth.ballots),
        ("in_flight_ballots", "Ballots of batches on their way.", depth and depth.in_flight),
        ("batches", "Batches on their way, of all relays of this door.", depth and depth.batches),
        ("oldest_seconds", "Seconds since the oldest of them was acknowledged.", oldest),
    )
    return [
        GaugeMetricFamily(f"concordat_relay_{name}", text, value=float(value or 0))
        for name, text, value in values
    ]
