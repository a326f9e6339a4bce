"""The follower on the real network: killed and resumed, a bad block, a silent row, its peers compared."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest

from auditor.checkpoint import Checkpoints
from auditor.following.follow import Following, Rhythm
from auditor.following.metrics import Metrics
from auditor.following.passing import PassOrder
from auditor.replay.authority import Offices
from auditor.run import Roots
from auditor.source import OwnPeer
from auditor.store import Store
from client.relay.batch import Limits
from tests.integration.follower_process import FollowerProcess, Hook
from tests.integration.meeting_stage import INSTITUTION, Stage
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.encodings.meeting import Meeting
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network

CHANNEL = "arbitration-institutiona"
LENDERS = 6
OTHERS = ("AssociationMSP", "ArbitrationMSP", INSTITUTION)
FOREVER = 10**9  # the stage's clock stands in another year


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    one = Stage.set(network.profile, tmp_path_factory.mktemp("following"), LENDERS)
    yield one
    one.close()


def cast(stage: Stage, meeting: Meeting, numbers: slice) -> list[str]:
    """Cast some lenders' ballots; return their digests."""
    relay = stage.services.relay(meeting.mtg, INSTITUTION, limits=Limits(count=2, age=0.1))
    desk = stage.services.desk(meeting.mtg)
    signed = stage.ballots(meeting)[numbers]
    for one in signed:
        desk.accept(one.compact)
    relay.drain(60)
    return [one.digest for one in signed]


def database(stage: Stage) -> str:
    return str(stage.services.database.engine.url.database)


# Other tests on this network defined and used chaincodes of their own.
OTHERS_CHAINCODE = {"foreign-definition", "foreign-transaction"}


def alter(stage: Stage, digest: str) -> None:
    with contextlib.closing(sqlite3.connect(database(stage), timeout=30)) as connection, connection:
        statement = "UPDATE ballots SET choices = '{}' WHERE digest = ?"
        assert connection.execute(statement, (digest,)).rowcount == 1


def heights(network: LiveNetwork) -> dict[str, int]:
    with network.profile.gateway("RegulatorMSP", "auditor") as gateway:
        return {name: OwnPeer(gateway).height(name) for name in ("identity", CHANNEL)}


def verified(follower: FollowerProcess, network: LiveNetwork) -> bool:
    return all(
        follower.value(f'height{{channel="{name}"}}') == height for name, height in heights(network).items()
    )


def test_killed_it_goes_on_where_it_was_and_tells_of_a_silent_row(
    network: LiveNetwork, stage: Stage, tmp_path: Path
) -> None:
    meeting = stage.open()
    first = cast(stage, meeting, slice(0, 3))
    with Hook() as hook, contextlib.ExitStack() as at_the_end:
        others = [part for msp in OTHERS for part in ("--compare", msp)]
        follower = FollowerProcess(
            *(network.home, tmp_path / "following.db"),
            *("--database", f"sqlite:///{database(stage)}", "--patience", str(FOREVER), "--full-every", "1"),
            *("--webhook", hook.url, *others),
        )
        at_the_end.callback(follower.close)
        follower.start()
        wait_until(lambda: verified(follower, network), "everything verified")
        wait_until(lambda: follower.value("passes_total") >= 1, "a full pass")
        whole = follower.value("blocks_read_total")
        assert whole == sum(heights(network).values())
        follower.end(signal.SIGKILL)

        before = sum(heights(network).values())
        second = cast(stage, meeting, slice(3, None))
        new = sum(heights(network).values()) - before
        hook.down = True
        follower.start()
        wait_until(lambda: verified(follower, network), "the new blocks verified")
        assert "resumed from the checkpoint" in follower.log
        assert follower.value("blocks_read_total") == new < whole
        wait_until(lambda: follower.value("passes_total") >= 1, "a full pass")

        # Nobody is told yet, since the hook is down: following goes on all the same.
        alter(stage, second[0])
        wait_until(lambda: "ALARM discrepancy" in follower.log, "an alarm in the log")
        hook.down = False
        wait_until(lambda: any(one["ballot"] == second[0] for one in hook.told), "the hook told")
        told = [one for one in hook.told if one["ballot"] in {*first, *second}]
        assert {(one["kind"], one["ballot"]) for one in told} == {("discrepancy", second[0])}
        assert "altered choices" in told[0]["text"]
        # Peers of one chain: no fork, no other code, and no step refused.
        assert {one["kind"] for one in hook.told} - OTHERS_CHAINCODE == {"discrepancy"}
        assert follower.end(signal.SIGTERM) == 0


class Tampering(OwnPeer):
    """The own peer, but that one block comes with a bit of its transactions flipped."""

    def __init__(self, gateway: Any, number: int) -> None:
        super().__init__(gateway)
        self.number = number

    def blocks(self, channel: str, start: int, stop: int) -> Iterator[bytes]:
        for number, raw in enumerate(super().blocks(channel, start, stop), start):
            if channel == CHANNEL and number == self.number:
                place = raw.index(b"SubmitBallots")
                yield raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
            else:
                yield raw


def test_a_bad_block_is_told_before_the_next_pass(network: LiveNetwork, stage: Stage, tmp_path: Path) -> None:
    meeting = stage.open()
    bad = heights(network)[CHANNEL]
    cast(stage, meeting, slice(0, 2))
    told: list[dict[str, Any]] = []
    stop = threading.Event()

    class Teller:
        def tell(self, document: dict[str, Any]) -> None:
            if document["kind"] not in OTHERS_CHAINCODE:
                told.append(document)
                stop.set()

    roots = Roots(
        {name: bytes.fromhex(network.profile.channels[name].genesis) for name in ("identity", CHANNEL)},
        Offices(),
    )
    path, metrics = tmp_path / "following.db", Metrics()
    order = PassOrder(path, dict(roots.genesis), f"sqlite:///{database(stage)}", FOREVER)
    with (
        network.profile.gateway("RegulatorMSP", "auditor") as gateway,
        contextlib.closing(Store(path)) as store,
    ):
        Following(
            Tampering(gateway, bad),
            Checkpoints(store, roots),
            metrics,
            order=order,
            sinks=(Teller(),),
            rhythm=Rhythm(look=0.1, full=90),
        ).run(stop)
    (one,) = told
    assert (one["kind"], one["channel"]) == ("unverified", CHANNEL)
    assert f"block {bad}" in one["where"]
    assert metrics.registry.get_sample_value("concordat_audit_height", {"channel": CHANNEL}) == bad
    passes = ("consistent", "inconsistent", "failed")
    values = [
        metrics.registry.get_sample_value("concordat_audit_passes_total", {"verdict": v}) for v in passes
    ]
    assert not any(values)
