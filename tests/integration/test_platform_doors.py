"""One lender at two doors at once: conflicting ballots, and what they cost everybody else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from client.platform import Database
from client.platform.models import Ballot, BatchAttempt
from client.relay.batch import Limits
from client.relay.delivery import Delivery
from client.relay.failover import Failover
from client.relay.gateways import route
from client.relay.worker import Relay
from client.services import ASSOCIATION, REGULATOR, Services
from tests.integration.meeting_stage import INSTITUTION, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from client.encodings.meeting import Meeting
    from client.relay.reads import Version
    from client.relay.route import Endorsed, Held, Route, Settled
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network
LENDERS, EARLIER = 10, 4
SECONDS = 60.0


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage.set(network.profile, tmp_path_factory.mktemp("doors"), LENDERS)
    yield opened
    opened.close()


class Between:
    """A real route on which something happens between endorsement and ordering."""

    def __init__(self, inner: Route, happens: Callable[[], None]) -> None:
        self._inner, self._happens = inner, happens

    @property
    def name(self) -> str:
        return self._inner.name

    def endorse(self, batch: bytes) -> Endorsed:
        return EndorsedBetween(self._inner.endorse(batch), self._happens)

    def settled(self, tx: str) -> Settled | None:
        return self._inner.settled(tx)

    def held(self, mtg: str, sub: str) -> Held | None:
        return self._inner.held(mtg, sub)


class EndorsedBetween:
    def __init__(self, inner: Endorsed, happens: Callable[[], None]) -> None:
        self._inner, self._happens = inner, happens

    @property
    def tx(self) -> str:
        return self._inner.tx

    @property
    def verdicts(self) -> bytes:
        return self._inner.verdicts

    def reads(self) -> Mapping[str, Version]:
        return self._inner.reads()

    def send(self) -> Settled:
        self._happens()
        return self._inner.send()


def regulators_platform(stage: Stage, folder: Path) -> Services:
    """Return the second door's services, on a database of its own that knows meeting and lenders."""
    copy = folder / "regulator.db"
    with stage.services.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("ROLLBACK")
        connection.execute(text("VACUUM INTO :file"), {"file": str(copy)})
    mine = stage.services
    return Services(mine.profile, Database.open(f"sqlite:///{copy}"), mine.vault, clock=stage.clock)


def relay_between(stage: Stage, meeting: Meeting, happens: Callable[[], None]) -> Relay:
    outbox = stage.services.outbox(meeting.mtg)
    real = route(stage.services.gateway(ASSOCIATION, "relay"), ASSOCIATION, meeting.channel)
    delivery = Delivery(outbox, Failover([Between(real, happens)]))
    return Relay(outbox, delivery, limits=Limits(count=100, age=0.0), workers=1)


def test_a_lender_at_two_doors_costs_the_others_at_most_one_resubmission(
    stage: Stage, tmp_path: Path
) -> None:
    meeting = stage.open(revote="last")
    restless, *others = stage.keys
    votes = {"m1": "approve", "m2": "approve"}
    quiet = [
        key.sign(meeting, votes, ses=ses, iat=stage.clock())
        for key, ses in zip(others, stage.sessions(meeting, others), strict=True)
    ]
    checks = [stage.sessions(meeting, [restless])[0] for _ in range(EARLIER + 1)]
    *earlier, last = (
        restless.sign(meeting, votes, ses=ses, iat=stage.clock(), seq=number + 1)
        for number, ses in enumerate(checks)
    )
    second = regulators_platform(stage, tmp_path)
    rival_desk = second.desk(meeting.mtg, REGULATOR)
    rival = second.relay(meeting.mtg, INSTITUTION, msp=REGULATOR, limits=Limits(count=1, age=0.0), workers=1)
    waiting = iter(earlier)

    def meanwhile() -> None:
        """Let the lender's next earlier ballot be committed at the other door."""
        signed = next(waiting, None)
        if signed is not None:
            rival_desk.accept(signed.compact)
            rival.drain(SECONDS)

    desk = stage.services.desk(meeting.mtg)
    acknowledged = {desk.accept(signed.compact).digest for signed in (*quiet, last)}
    relay_between(stage, meeting, meanwhile).drain(SECONDS)
    second.close()
    second.database.close()

    with stage.services.database.read() as session:
        rows = list(session.scalars(select(Ballot).where(Ballot.mtg == meeting.mtg)))
        sent = [json.loads(row.ballots) for row in session.scalars(select(BatchAttempt))]
    assert {(row.digest, row.status) for row in rows} == {(digest, "committed") for digest in acknowledged}
    times = {row.sub: sum(row.id in one for one in sent) for row in rows}
    assert times.pop(restless.sub) >= 3
    assert set(times.values()) == {2}
    held = stage.services.arbitration(REGULATOR, "officer", INSTITUTION)
    answer = json.loads(held.evaluate("GetBallot", meeting.mtg, restless.sub))
    assert answer["digest"] == last.digest
