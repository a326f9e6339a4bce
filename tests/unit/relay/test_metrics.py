from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from prometheus_client import generate_latest

from client.relay.metrics import Metrics
from tests.ledger import Faults
from tests.unit.relay.bench import Bench

if TYPE_CHECKING:
    from client.platform import Database


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


def figures(metrics: Metrics) -> dict[str, float]:
    lines = re.findall(r"^([^#\s]\S*) (\S+)$", generate_latest(metrics.registry).decode(), re.MULTILINE)
    return {name.removeprefix("concordat_relay_"): float(value) for name, value in lines}


def test_the_queue_is_told_as_it_is_when_asked(bench: Bench) -> None:
    metrics = Metrics(bench.outbox(), bench.clock.wall)
    assert figures(metrics)["queue_ballots"] == 0
    for voter in range(3):
        bench.acknowledge(voter)
    bench.clock.now += 7
    bench.acknowledge(3)
    asked = figures(metrics)
    assert (asked["queue_ballots"], asked["in_flight_ballots"], asked["oldest_seconds"]) == (4, 0, 7)
    assert bench.outbox().claim(bench.limits) is not None
    asked = figures(metrics)
    assert (asked["queue_ballots"], asked["in_flight_ballots"], asked["batches"]) == (4, 4, 1)


def test_batches_times_retries_and_verdicts_are_counted(bench: Bench) -> None:
    metrics = Metrics(bench.outbox(), bench.clock.wall)
    bench.acknowledge(1, seq=2)
    bench.acknowledge(2)
    bench.run(bench.relay([Faults.of(["down", "ok", "ok", "lost"])], watch=metrics))
    bench.acknowledge(1, seq=2, session=77)
    bench.run(bench.relay(watch=metrics))
    asked = figures(metrics)
    assert asked["batch_ballots_count"] == 2
    assert asked['batch_ballots_bucket{le="1.0"}'] == 1
    assert asked["batch_bytes_total"] > 0
    assert asked['retries_total{reason="route"}'] == 1
    assert asked['retries_total{reason="lost"}'] == 1
    assert asked['verdicts_total{verdict="accepted"}'] == 2
    assert asked['verdicts_total{verdict="SEQ_EQUIVOCATION"}'] == 1
    assert asked["commit_seconds_count"] == 2
    assert (
        asked["commit_seconds_sum"] == 2.0
    )  # the first was read two seconds before its transaction was found
