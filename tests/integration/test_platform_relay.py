"""The relay as a process of its own: watched, stopped, killed; and the drill in which everything dies.

`CONCORDAT_DRILL_BALLOTS`, `CONCORDAT_DRILL_RUNS` and `CONCORDAT_DRILL_SEED` make the drill larger.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import random
import re
import shutil
import signal
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from network import topology
from network.ports import free_base
from tests.integration.conftest import LiveNetwork
from tests.integration.relay_process import Hall
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from client.bench.stage import Staged
    from tests.integration.relay_process import RelayProcess

pytestmark = [pytest.mark.network, pytest.mark.fault]
_log = logging.getLogger(__name__)
DRILL_BALLOTS = int(os.environ.get("CONCORDAT_DRILL_BALLOTS", "600"))
DRILL_RUNS = int(os.environ.get("CONCORDAT_DRILL_RUNS", "1"))
DRILL_SEED = int(os.environ.get("CONCORDAT_DRILL_SEED", "20260302"))
MEMORY_MIB = 600
_CHUNK = 200


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    """Open a platform on a network of its own: an institution has one issuer, and this is the bench's."""
    folder = Path(tempfile.mkdtemp(prefix=f"concordat-network-{os.getpid()}-"))
    running = LiveNetwork(folder)
    try:
        running.up(base=free_base(topology.load(topology.DEFAULT_TABLE)))
        platform = folder / "platform"
        platform.mkdir()
        opened = Hall(running, platform)
        yield opened
        opened.close()
    finally:
        running.down(purge=True)
        shutil.rmtree(folder, ignore_errors=True)


def ballots_of(staged: Staged, seed: int) -> list[str]:
    chooser = random.Random(seed)  # noqa: S311  votes of nobody
    return [voter.ballot(staged.meeting, chooser) for voter in staged.voters]


def test_it_carries_what_is_there_answers_for_itself_and_stops_when_told(hall: Hall) -> None:
    staged = hall.open(30, seed=1)
    ballots = ballots_of(staged, 1)
    acknowledged = hall.hand_in(staged, ballots[:20])
    relay = hall.relay(staged.meeting.mtg, "--batch", "7", "--metrics-port", "0", "--json")
    relay.start()
    wait_until(lambda: hall.count(staged.meeting.mtg) == 20, "the first twenty")
    acknowledged |= hall.hand_in(staged, ballots[20:])
    wait_until(lambda: hall.count(staged.meeting.mtg) == 30, "the ten that came later")
    assert relay.process is not None
    assert relay.process.stderr is not None
    found = re.search(r":(\d+)/metrics", relay.process.stderr.readline())
    assert found is not None
    connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=10)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    figures = answer.read().decode()
    connection.close()
    assert answer.status == 200
    assert 'concordat_relay_verdicts_total{verdict="accepted"} 30.0' in figures
    assert "concordat_relay_queue_ballots 0.0" in figures

    twin = hall.relay(staged.meeting.mtg)
    twin.start()
    code, _, log = twin.finish()
    assert (code, "runs for meeting" in log) == (2, True), log

    code, out, log = relay.finish(signal.SIGTERM)
    assert (code, json.loads(out)["left"]) == (0, 0), log
    hall.check_exactly_once(staged, ballots, acknowledged)


def test_without_the_meeting_it_says_so(hall: Hall) -> None:
    relay = hall.relay("nowhere")
    relay.start()
    code, _, log = relay.finish()
    assert (code, log.count("\n"), "knows no meeting 'nowhere'" in log) == (2, 1, True), log


def test_several_relays_on_one_outbox_carry_each_ballot_once(hall: Hall) -> None:
    staged = hall.open(120, seed=2)
    ballots = ballots_of(staged, 2)
    acknowledged = hall.hand_in(staged, ballots)
    relays = [
        hall.relay(staged.meeting.mtg, "--name", name, "--batch", "8", "--until-drained") for name in "abc"
    ]
    for relay in relays:
        relay.start()
    for relay in relays:
        code, _, log = relay.finish()
        assert code == 0, log
    hall.check_exactly_once(staged, ballots, acknowledged)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("run", range(DRILL_RUNS))
def test_whatever_is_killed_what_was_acknowledged_is_committed_once(hall: Hall, run: int) -> None:
    """Kill -9 the relay, an orderer, a peer and a chaincode process, each at a moment drawn by lot."""
    chooser = random.Random(DRILL_SEED + run)  # noqa: S311  moments, not secrets
    staged = hall.open(DRILL_BALLOTS, seed=DRILL_SEED + run)
    ballots = ballots_of(staged, DRILL_SEED + run)
    mtg = staged.meeting.mtg
    relay = hall.relay(mtg, "--batch", str(max(10, DRILL_BALLOTS // 40)), "--workers", "3")
    relay.start()
    acknowledged: set[str] = set()
    broken: list[BaseException] = []

    def hand_in() -> None:
        try:
            for start in range(0, len(ballots), _CHUNK):
                acknowledged.update(hall.hand_in(staged, ballots[start : start + _CHUNK]))
        except BaseException as error:
            broken.append(error)
            raise

    lenders = threading.Thread(target=hand_in)
    lenders.start()
    dead: list[str] = []
    for share, what, strike in sorted(strikes(hall, relay, chooser, dead)):
        wait_for(hall, mtg, int(share * DRILL_BALLOTS), f"killing {what}")
        _log.warning("killing %s at %d committed", what, hall.count(mtg))
        strike()
    lenders.join()
    assert not broken
    for node in dead:
        hall.network.start(node)
    wait_for(hall, mtg, len(acknowledged), "stopping")
    code, _, log = relay.finish(signal.SIGTERM)
    assert code == 0, log
    _log.warning("the relay's memory: %.0f MiB at most", relay.memory_mib)
    assert relay.memory_mib <= MEMORY_MIB
    assert len(acknowledged) == DRILL_BALLOTS
    hall.check_exactly_once(staged, ballots, acknowledged)


def wait_for(hall: Hall, mtg: str, ballots: int, what: str) -> None:
    wait_until(lambda: hall.count(mtg) >= ballots, f"{ballots} ballots committed, before {what}", 1200)


def strikes(
    hall: Hall, relay: RelayProcess, chooser: random.Random, dead: list[str]
) -> list[tuple[float, str, Callable[[], None]]]:
    """Return who is killed at which share of the ballots committed; what doesn't come back goes to `dead`."""
    orgs = ["association", "regulator", "arbitration"]
    orderer, peer = f"orderer0.{chooser.choice(orgs)}", f"peer0.{chooser.choice(orgs)}"
    chaincode = f"{chooser.choice(['arbitration', 'identity'])}.{chooser.choice(orgs)}"

    def relay_dies() -> None:
        relay.kill()
        relay.start()

    def node_dies(node: str) -> None:
        hall.network.kill(node)
        dead.append(node)

    return [
        (chooser.uniform(0.05, 0.9), "the relay", relay_dies),
        (chooser.uniform(0.05, 0.9), "the relay again", relay_dies),
        (chooser.uniform(0.05, 0.9), orderer, lambda: node_dies(orderer)),
        (chooser.uniform(0.05, 0.9), peer, lambda: node_dies(peer)),
        (chooser.uniform(0.05, 0.9), chaincode, lambda: hall.network.kill(chaincode)),
    ]
