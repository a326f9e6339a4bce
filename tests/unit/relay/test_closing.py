"""What became of batches that were under way when their meeting began to close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ledger import Faults
from tests.unit.relay.bench import Bench

if TYPE_CHECKING:
    from client.platform import Database
    from client.relay.worker import Relay


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


def under_way(bench: Bench) -> Relay:
    """Send a batch whose block the peer asked lacks still when endorsers say that the meeting closes."""
    for voter in (1, 2):
        bench.acknowledge(voter)
    relay = bench.relay([Faults.of(["ok", "late"])])
    relay.step()
    bench.clock.now += 1.0
    bench.box.is_open = False
    relay.step()
    assert [row.status for row in bench.ballots()] == ["queued"] * 2
    return relay


def test_a_transaction_of_unknown_outcome_is_not_forgotten(bench: Bench) -> None:
    relay = under_way(bench)
    bench.ledger.deliver_late()
    bench.run(relay)
    bench.check_exactly_once()


def test_one_that_never_comes_holds_its_ballots_for_a_while_only(bench: Bench) -> None:
    relay = under_way(bench)
    bench.run(relay, 700)
    assert [(row.status, row.code) for row in bench.ballots()] == [("queued", "MEETING_NOT_OPEN")] * 2
    bench.box.is_open = True
    bench.run(relay)
    bench.check_exactly_once()


def test_parts_of_a_batch_that_came_whole_are_settled_by_it(bench: Bench) -> None:
    for voter in (1, 2):
        bench.acknowledge(voter)
    outbox = bench.outbox()
    relay = bench.relay([Faults.of(["ok", "late"])])
    relay.step()
    bench.clock.now += 1.0
    parcel = outbox.resume(())
    assert parcel is not None
    outbox.split(parcel, [[item.ballot] for item in parcel.items])
    bench.ledger.deliver_late()
    bench.box.is_open = False
    bench.run(relay)
    bench.check_exactly_once()
