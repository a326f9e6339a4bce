from __future__ import annotations

import json
import threading
from collections import Counter
from typing import TYPE_CHECKING

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from client.errors import OutcomeUnknown
from client.platform import Database
from client.platform.models import Batch, BatchAttempt, OutboxEntry
from client.relay.batch import Limits
from client.relay.watch import Watch
from tests.ledger import Faults
from tests.unit.relay.bench import MTG, Bench

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


def test_ballots_are_committed_in_batches(bench: Bench) -> None:
    for voter in range(10):
        bench.acknowledge(voter)
    bench.run(bench.relay())
    bench.check_exactly_once()
    assert len(bench.ledger.valid) == 3


def test_a_batch_waits_until_it_is_full_or_old(bench: Bench) -> None:
    bench.limits = Limits(count=3, age=5.0)
    relay = bench.relay()
    bench.acknowledge(1)
    assert not relay.step()
    bench.clock.now += 5.0
    assert relay.step()
    for voter in (2, 3, 4):
        bench.acknowledge(voter)
    assert relay.step()
    bench.check_exactly_once()


def test_a_batch_ends_before_it_is_too_many_bytes(bench: Bench) -> None:
    size = 0
    for voter in range(5):
        bench.acknowledge(voter)
    size = len(bench.left()[0].entry)
    bench.limits = Limits(count=100, octets=2 * size + 1, age=0.0)
    bench.run(bench.relay())
    bench.check_exactly_once()
    assert len(bench.ledger.valid) == 3


def test_a_voters_second_ballot_waits_for_the_first(bench: Bench) -> None:
    bench.acknowledge(1, seq=1)
    bench.acknowledge(1, seq=2)
    bench.acknowledge(2)
    outbox = bench.outbox()
    parcel = outbox.claim(bench.limits)
    assert parcel is not None
    assert [item.ballot for item in parcel.items] == [1, 3]
    assert outbox.claim(bench.limits) is None
    bench.run(bench.relay())
    bench.check_exactly_once()
    assert len(bench.ledger.valid) == 2


def test_two_relays_never_hold_the_same_ballot(bench: Bench) -> None:
    for voter in range(8):
        bench.acknowledge(voter)
    parcels = [bench.outbox(name).claim(bench.limits) for name in ("a", "b", "c")]
    assert [len(parcel.items) if parcel else 0 for parcel in parcels] == [4, 4, 0]


def test_many_workers_and_relays_at_once_deliver_each_ballot_once(bench: Bench) -> None:
    for voter in range(30):
        bench.acknowledge(voter, seq=1)
        bench.acknowledge(voter, seq=2)
    relays = [bench.relay(name=name) for name in ("a", "b")]
    threads = [threading.Thread(target=bench.run, args=(relay, 40)) for relay in relays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bench.run(relays[0])
    bench.check_exactly_once()


def test_another_gateway_is_used_when_one_is_down(bench: Bench) -> None:
    bench.acknowledge(1)
    bench.relay([Faults.of(["down"] * 9), Faults()]).step()
    bench.check_exactly_once()


@pytest.mark.parametrize(
    "script",
    [
        ["down"],
        ["ok", "refused"],
        ["ok", "lost"],
        ["ok", "late"],
        ["ok", "late", "ok", "late"],
        ["ok", "ok", "lost"],
        ["killed"],
        ["ok", "killed"],
        ["ok", "killed-after"],
        ["ok", "ok", "killed"],
    ],
)
def test_whatever_is_lost_each_ballot_counts_once(bench: Bench, script: list[str]) -> None:
    for voter in range(3):
        bench.acknowledge(voter)
    bench.run_through(script)
    bench.ledger.deliver_late()
    bench.check_exactly_once()


WORDS = ["ok", "down", "refused", "lost", "late", "killed", "killed-after"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    script=st.lists(st.sampled_from(WORDS), max_size=24),
    voters=st.lists(st.integers(0, 5), min_size=1, max_size=12),
)
def test_any_faults_in_any_order_leave_each_ballot_counted_once(
    tmp_path_factory: pytest.TempPathFactory, script: list[str], voters: list[int]
) -> None:
    folder: Path = tmp_path_factory.mktemp("relay")
    database = Database.open(f"sqlite:///{folder / 'platform.db'}")
    bench = Bench(database)
    seqs: dict[int, int] = {}
    for voter in voters:
        seqs[voter] = seqs.get(voter, 0) + 1
        bench.acknowledge(voter, seqs[voter])
    bench.run_through(script, steps=150)
    bench.ledger.deliver_late()
    bench.check_exactly_once()
    database.close()


def test_a_killed_relays_batch_is_settled_from_its_transaction_without_sending_again(bench: Bench) -> None:
    bench.acknowledge(1)
    bench.run_through(["ok", "killed-after"])
    bench.check_exactly_once()
    assert len(bench.ledger.settled) == 1


def test_another_relay_takes_over_when_the_lease_is_over(bench: Bench) -> None:
    bench.acknowledge(1)
    assert bench.outbox("dead").claim(bench.limits) is not None
    heir = bench.relay(name="heir")
    assert not heir.step()
    bench.clock.now += 121
    assert heir.step()
    bench.check_exactly_once()


class OtherDoor(Faults):
    """Lets a ballot of `voter` through another door just before the relay's transaction is ordered."""

    def __init__(self, bench: Bench, voter: int, seqs: list[int]) -> None:
        super().__init__()
        self.bench, self.voter, self.seqs = bench, voter, seqs

    def next(self, stage: str) -> str:
        if stage == "submit" and self.seqs:
            sub = self.voter.to_bytes(16, "big")
            entry = [0, sub, self.seqs.pop(0), b"\7" * 16, 0, [0], b"", 1, 0, [], []]
            contract = self.bench.ledger.contract("RegulatorMSP/relay")
            batch = cbor2.dumps([1, MTG, [entry]])
            contract.new_proposal("SubmitBallots", arguments=[batch]).endorse().submit()
        return "ok"


class Seen(Watch):
    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.retries: list[str] = []
        self.seconds: list[float] = []
        self.verdicts: Counter[str] = Counter()

    def claimed(self, ballots: int, octets: int) -> None:
        assert octets > 0
        self.sizes.append(ballots)

    def retried(self, reason: str) -> None:
        self.retries.append(reason)

    def settled(self, seconds: float, verdicts: Mapping[str, int]) -> None:
        self.seconds.append(seconds)
        self.verdicts.update(verdicts)


def sent(bench: Bench) -> list[list[int]]:
    """Return the ballots of every transaction that was sent, in order."""
    with bench.database.read() as session:
        rows = session.scalars(select(BatchAttempt).order_by(BatchAttempt.tx))
        return [json.loads(row.ballots) for row in rows]


def test_a_conflict_parts_the_changed_voter_from_the_others(bench: Bench) -> None:
    for voter in range(4):
        bench.acknowledge(voter)
    bench.run(bench.relay([OtherDoor(bench, 2, seqs=[9])]))
    rows = bench.ballots()
    assert [row.status for row in rows] == ["committed", "committed", "refused", "committed"]
    assert rows[2].code == "SEQ_STALE"
    assert len({rows[index].tx for index in (0, 1, 3)}) == 1


def test_a_voter_who_conflicts_again_and_again_costs_the_others_one_resubmission(bench: Bench) -> None:
    for voter in range(4):
        bench.acknowledge(voter, seq=1 if voter != 2 else 500)
    bench.run(bench.relay([OtherDoor(bench, 2, seqs=[1, 2, 3, 4])]))
    rows = bench.ballots()
    assert [row.status for row in rows] == ["committed"] * 4
    assert [sum(row.id in ballots for ballots in sent(bench)) for row in rows] == [2, 2, 4, 2]


def test_a_conflict_that_is_no_voters_leaves_the_batch_whole(bench: Bench) -> None:
    class Step(Faults):
        """Takes the meeting a step on between endorsing and ordering, once."""

        def next(self, stage: str) -> str:
            if stage == "submit" and self.script and self.script.popleft() == "step":
                contract = bench.ledger.contract("RegulatorMSP/officer")
                contract.new_proposal("Touch", arguments=[MTG]).endorse().submit()
            return "ok"

    for voter in range(4):
        bench.acknowledge(voter)
    watch = Seen()
    relay = bench.relay([Step.of(["step"])], watch=watch)
    bench.run(relay)
    bench.check_exactly_once()
    assert sent(bench) == [[1, 2, 3, 4], [1, 2, 3, 4]]
    assert watch.retries == ["conflict"]


def test_a_batch_that_conflicts_while_no_endorser_answers_stays_whole(bench: Bench) -> None:
    other = OtherDoor(bench, 2, seqs=[1])
    endorsed = iter(["ok", "down"])

    class ThenDown(Faults):
        def next(self, stage: str) -> str:
            return next(endorsed, "ok") if stage == "endorse" else other.next(stage)

    for voter in range(4):
        bench.acknowledge(voter, seq=7)
    bench.run(bench.relay([ThenDown()]))
    assert [row.status for row in bench.ballots()] == ["committed"] * 4
    assert sent(bench) == [[1, 2, 3, 4], [1, 2, 3, 4]]


def test_a_watcher_hears_of_batches_retries_and_verdicts(bench: Bench) -> None:
    watch = Seen()
    bench.acknowledge(1, seq=1)
    bench.acknowledge(2)
    bench.run(bench.relay([Faults.of(["down"])], watch=watch))
    bench.acknowledge(1, seq=1, session=77)
    bench.acknowledge(3)
    bench.run(bench.relay(watch=watch))
    assert watch.sizes == [2, 2]
    assert watch.retries == ["route"]
    assert watch.verdicts == {"accepted": 3, "SEQ_EQUIVOCATION": 1}
    assert watch.seconds == [1.0, 0.0]


def test_a_refused_ballot_is_settled_with_its_code_and_the_others_count(bench: Bench) -> None:
    bench.acknowledge(1, seq=1)
    bench.acknowledge(2)
    bench.run(bench.relay())
    bench.acknowledge(1, seq=1, session=77)
    bench.acknowledge(3)
    bench.run(bench.relay())
    assert [(row.status, row.code) for row in bench.ballots()] == [
        ("committed", None),
        ("committed", None),
        ("refused", "SEQ_EQUIVOCATION"),
        ("committed", None),
    ]
    assert bench.left() == []


def test_a_pending_ballot_is_tried_again_until_the_endorsers_have_its_session(bench: Bench) -> None:
    session = (5).to_bytes(16, "big")
    bench.box.pending.add(session)
    bench.acknowledge(1, session=5)
    bench.acknowledge(2)
    relay = bench.relay()
    bench.run(relay, 5)
    assert [row.status for row in bench.ballots()] == ["queued", "committed"]
    assert bench.ballots()[0].code == "SESSION_NOT_FOUND"
    bench.box.pending.clear()
    bench.run(relay, 10)
    bench.check_exactly_once()


def test_a_ballot_pending_past_its_deadline_is_parked_not_dropped(bench: Bench) -> None:
    bench.box.pending.add((5).to_bytes(16, "big"))
    bench.acknowledge(1, session=5)
    bench.clock.now += 3601
    bench.run(bench.relay(), 10)
    assert [entry.parked for entry in bench.left()] == [True]
    assert bench.outbox().is_empty(but_for_parked=True)
    assert not bench.outbox().is_empty()
    assert bench.ballots()[0].status == "queued"


def test_a_batch_that_the_meeting_does_not_take_waits(bench: Bench) -> None:
    bench.box.is_open = False
    bench.acknowledge(1)
    relay = bench.relay()
    bench.run(relay, 5)
    assert bench.ballots()[0].code == "MEETING_NOT_OPEN"
    bench.box.is_open = True
    bench.run(relay, 10)
    bench.check_exactly_once()


def test_one_ballot_that_fails_whole_batches_does_not_stall_the_others(bench: Bench) -> None:
    bench.box.refuse_whole.add((2).to_bytes(16, "big"))
    for voter in range(4):
        bench.acknowledge(voter)
    bench.run(bench.relay(), 30)
    assert [row.status for row in bench.ballots()] == ["committed", "committed", "queued", "committed"]
    assert bench.ballots()[2].code == "BATCH_FORMAT"


def test_draining_says_how_many_are_left(bench: Bench) -> None:
    bench.acknowledge(1)
    relay = bench.relay([Faults.of(["down"] * 1000)])
    with pytest.raises(OutcomeUnknown, match="1 acknowledged"):
        relay.drain(timeout=0.0)


def test_batches_disappear_and_transactions_stay_as_a_log(bench: Bench) -> None:
    for voter in range(5):
        bench.acknowledge(voter)
    bench.run(bench.relay())
    with bench.database.read() as session:
        assert session.scalars(select(Batch)).all() == []
        assert session.scalars(select(OutboxEntry)).all() == []
        assert {row.code for row in session.scalars(select(BatchAttempt))} == {"VALID"}


def test_running_workers_commit_what_arrives(database: Database) -> None:
    bench = Bench(database)
    with bench.relay() as relay:
        for voter in range(9):
            bench.acknowledge(voter)
            relay.wake()
        relay.drain(timeout=30.0)
    bench.check_exactly_once()
