"""Meetings of two institutions at once: each on its own channel, and neither waits for the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, text

from client.encodings.errors import Refused
from client.platform import Database
from client.platform.models import Ballot
from client.relay.batch import Limits
from client.relay.delivery import Delivery
from client.relay.failover import Failover
from client.relay.gateways import route
from client.relay.worker import Relay
from client.services import ASSOCIATION, REGULATOR, Services
from network.ports import free_base
from network.topology import load
from tests.integration.conftest import LiveNetwork
from tests.integration.meeting_stage import Stage
from tests.integration.test_platform_doors import Between
from tests.unit.network.tables import with_second_institution

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.encodings.ballot import SignedBallot
    from client.encodings.meeting import Meeting

pytestmark = [pytest.mark.network, pytest.mark.fault]
LENDERS = 6
SECONDS = 60.0
ONE, OTHER = "InstitutionAMSP", "InstitutionBMSP"


@pytest.fixture(scope="module")
def wider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveNetwork]:
    folder = tmp_path_factory.mktemp("two")
    table = folder / "table.toml"
    table.write_text(with_second_institution(), encoding="utf-8")
    running = LiveNetwork(folder / "home")
    try:
        running.up(table=table, base=free_base(load(table)))
        yield running
    finally:
        running.down(purge=True)


@pytest.fixture(scope="module")
def stages(wider: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Stage]]:
    """Both institutions on platforms of their own: nothing is shared but the network."""
    one, other = (
        Stage.set(wider.profile, tmp_path_factory.mktemp(msp), LENDERS, institution=msp)
        for msp in (ONE, OTHER)
    )
    yield one, other
    one.close()
    other.close()


def committed(stage: Stage, meeting: Meeting) -> int:
    with stage.services.database.read() as session:
        query = select(func.count()).where(Ballot.mtg == meeting.mtg, Ballot.status == "committed")
        return session.scalar(query) or 0


def cast(stage: Stage, meeting: Meeting, ballots: list[SignedBallot]) -> None:
    """Hand ballots in and bring them to the channel, in batches of two."""
    relay = stage.services.relay(meeting.mtg, stage.institution, limits=Limits(count=2, age=0.0))
    desk = stage.services.desk(meeting.mtg, taken=relay.wake)
    for signed in ballots:
        desk.accept(signed.compact)
    relay.drain(SECONDS)


def close(stage: Stage, meeting: Meeting) -> list[int]:
    """Close a meeting; return its ballots, and the heads and fen of m1's approvals."""
    stage.clock.advance(hours=3)
    stage.step(meeting.mtg, "closing")
    stage.step(meeting.mtg, "closed")
    result = stage.services.convener(stage.institution).result(meeting.mtg)
    return [result["ballots"], *result["motions"]["m1"]["choices"]["approve"]["*"]]


def expected(fens: list[int]) -> list[int]:
    third = LENDERS // 3  # they reject m1
    return [LENDERS, LENDERS - third, sum(fens[third:])]


def amounts(stage: Stage) -> list[int]:
    return [line.leaf.fen for line in stage.roll("m")]


def test_ballots_on_both_channels_are_interleaved_and_both_results_exact(stages: tuple[Stage, Stage]) -> None:
    meetings = [stage.open() for stage in stages]
    assert len({meeting.channel for meeting in meetings}) == len(stages)
    ballots = [stage.ballots(meeting) for stage, meeting in zip(stages, meetings, strict=True)]
    with ThreadPoolExecutor(len(stages)) as pool:
        list(pool.map(cast, stages, meetings, ballots))
    for stage, meeting in zip(stages, meetings, strict=True):
        assert close(stage, meeting) == expected(amounts(stage))


def test_a_ballot_of_one_institution_is_none_at_the_other(stages: tuple[Stage, Stage]) -> None:
    """The other platform knows neither voter nor meeting, even by the same id."""
    one, other = stages
    here, there = one.open(mtg="same-id"), other.open(mtg="same-id")
    assert here.mh != there.mh
    taken = one.ballots(here)[0].compact
    with pytest.raises(Refused) as caught:
        other.services.desk(there.mtg).accept(taken)
    assert caught.value.code == "BALLOT_NETWORK"


def test_a_batch_that_waits_and_conflicts_on_one_channel_holds_up_nothing_on_the_other(
    stages: tuple[Stage, Stage], tmp_path: Path
) -> None:
    """While a batch is endorsed and not ordered, another meeting is cast whole; then the batch conflicts."""
    one, other = stages
    stalled, free = one.open(revote="last"), other.open()
    restless = one.keys[0]
    votes = {"m1": "approve", "m2": "approve"}
    checks = [one.sessions(stalled, [restless])[0] for _ in range(2)]
    earlier, last = (
        restless.sign(stalled, votes, ses=ses, iat=one.clock(), seq=number + 1)
        for number, ses in enumerate(checks)
    )
    second = _regulators_platform(one, tmp_path)
    seen: list[int] = []

    def meanwhile() -> None:
        if not seen:
            second.desk(stalled.mtg, REGULATOR).accept(earlier.compact)
            second.relay(stalled.mtg, ONE, msp=REGULATOR, limits=Limits(count=1, age=0.0)).drain(SECONDS)
            cast(other, free, other.ballots(free))
            seen.append(committed(other, free))
            assert committed(one, stalled) == 0

    outbox = one.services.outbox(stalled.mtg)
    real = route(one.services.gateway(ASSOCIATION, "relay"), ASSOCIATION, stalled.channel)
    delivery = Delivery(outbox, Failover([Between(real, meanwhile)]))
    desk = one.services.desk(stalled.mtg)
    for signed in (*one.ballots(stalled)[1:], last):
        desk.accept(signed.compact)
    Relay(outbox, delivery, limits=Limits(count=100, age=0.0), workers=1).drain(SECONDS)
    second.close()
    second.database.close()
    assert seen == [LENDERS]
    assert committed(one, stalled) == LENDERS
    assert close(other, free) == expected(amounts(other))


def test_an_institution_whose_nodes_are_down_holds_up_neither_channel(
    wider: LiveNetwork, stages: tuple[Stage, Stage]
) -> None:
    meetings = [stage.open() for stage in stages]
    ballots = [stage.ballots(meeting) for stage, meeting in zip(stages, meetings, strict=True)]
    nodes = [node.name for node in wider.status().nodes]
    down = [name for name in nodes if name.endswith(".institutiona") and name.startswith(("peer", "orderer"))]
    assert len(down) == 2
    try:
        for node in down:
            wider.kill(node)
        with ThreadPoolExecutor(len(stages)) as pool:
            list(pool.map(cast, stages, meetings, ballots))
        assert [committed(*pair) for pair in zip(stages, meetings, strict=True)] == [LENDERS, LENDERS]
    finally:
        for node in down:
            wider.start(node)


def _regulators_platform(stage: Stage, folder: Path) -> Services:
    copy = folder / "regulator.db"
    with stage.services.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("ROLLBACK")
        connection.execute(text("VACUUM INTO :file"), {"file": str(copy)})
    mine = stage.services
    return Services(mine.profile, Database.open(f"sqlite:///{copy}"), mine.vault, clock=stage.clock)
