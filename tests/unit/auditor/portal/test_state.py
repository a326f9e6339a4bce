"""The portal's state on disk: what a killed one goes on with, what readers see, and what is refused."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from auditor.ahead import Alone, HelperProcesses
from auditor.checkpoint import CheckpointRefused
from auditor.facts import Facts as Known
from auditor.portal.hired import MUCH, Hired
from auditor.portal.watch import Watcher
from auditor.replay.authority import Offices
from auditor.resumed import SLICE, remove
from auditor.run import Roots
from auditor.store import StoreUnusable
from auditor.weights import Weights
from tests.unit.auditor.audit_load import CHANNEL as LOADED
from tests.unit.auditor.audit_load import MTG as LOAD
from tests.unit.auditor.meeting_player import CHANNEL, MTG, Player
from tests.unit.auditor.portal.peer import Peer
from tests.unit.auditor.portal.portal_load import make, watcher_of

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.portal.facts import Facts
    from tests.unit.auditor.builder import Network


def watching(player: Player, path: Path) -> tuple[Peer, Watcher]:
    peer = Peer(player)
    return peer, Watcher(peer, Roots(player.genesis, Offices()), state=path)


@pytest.fixture
def player(fabric: Network) -> Player:
    return Player(fabric, revote="last").enrolled(sessions=2).opened().submit([("an", 1, {}), ("bo", 2, {})])


def said(facts: Facts) -> dict[str, Any]:
    meeting = facts.meetings[CHANNEL, MTG]
    return {
        "blocks": dict(facts.blocks),
        "turnout": meeting.turnout,
        "accepted": list(meeting.accepted),
        "standing": dict(meeting.standing),
        "motions": meeting.motions,
        "numbers": (meeting.second_door, meeting.last_number),
        "named": [
            one.digest for ballot in meeting.accepted.values() for one in meeting.ballots_of(ballot.sub)
        ],
    }


def test_a_second_start_reads_no_block_again_and_says_the_same_at_once(
    player: Player, tmp_path: Path
) -> None:
    _, first = watching(player, tmp_path / "serving.db")
    before = said(first.refresh())
    first.close()
    peer, second = watching(player, tmp_path / "serving.db")
    assert said(second.facts) == before
    assert second.behind  # until it has looked at the peer
    player.submit([("an", 3, {"seq": 2, "m2": "reject"})])
    player.closed()
    grown = second.refresh()
    assert peer.served == list(range(before["blocks"][CHANNEL], grown.blocks[CHANNEL]))
    fresh = Watcher(Peer(player), Roots(player.genesis, Offices()))
    assert said(grown) == said(fresh.refresh())
    second.close()


def test_figures_renewed_step_by_step_are_those_of_counting_anew(player: Player, tmp_path: Path) -> None:
    _, watcher = watching(player, tmp_path / "serving.db")
    watcher.refresh()
    batches: list[list[tuple[str, int, dict[str, Any]]]] = [
        [("chen", 3, {})],
        [("an", 4, {"seq": 2, "m2": "reject"})],
    ]
    for batch in batches:
        player.submit(batch)
        watcher.refresh()
    player.closed()
    facts = watcher.refresh().meetings[CHANNEL, MTG]
    state = player.follow().states(CHANNEL)[MTG]
    counted, ballots = Weights(), list(state.counted())
    for one in ballots:
        counted.add(one.claims)
    assert (facts.turnout.ballots, facts.turnout.fen) == (len(ballots), counted.of("all", "fen"))
    assert dict(facts.accepted.items()) == dict(state.accepted)
    assert len(facts.accepted) == len(state.accepted)
    assert dict(facts.standing) == {sub: one.digest for sub, one in state.held.items()}
    for sub in facts.standing:
        assert facts.ballots_of(sub) == [one for one in state.accepted.values() if one.sub == sub]
    watcher.close()


def test_readers_see_whole_checkpoints_while_it_writes(player: Player, tmp_path: Path) -> None:
    """Whoever has facts gets records that are at least as new, whatever is written meanwhile."""
    _, watcher = watching(player, tmp_path / "serving.db")
    watcher.refresh()
    stop, wrong = threading.Event(), list[str]()

    def read() -> None:
        while not stop.is_set():
            facts = watcher.facts.meetings[CHANNEL, MTG]
            digests = list(facts.accepted)
            if len(digests) < facts.turnout.ballots or len(facts.standing) < facts.turnout.ballots:
                wrong.append("fewer records than the facts say")
            if any(facts.standing.get(facts.accepted[one].sub) is None for one in digests):
                wrong.append("an accepted ballot whose voter has none")

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number, name in enumerate(("chen", "an", "bo"), 3):
        player.submit([(name, number, {"seq": 1 if name == "chen" else 2, "m2": "reject"})])
        watcher.refresh()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(watcher.facts.meetings[CHANNEL, MTG].accepted) == 5
    watcher.close()


def test_a_damaged_state_is_refused_and_another_begins_anew(player: Player, tmp_path: Path) -> None:
    path = tmp_path / "serving.db"
    _, watcher = watching(player, path)
    before = said(watcher.refresh())
    with pytest.raises(StoreUnusable):  # one writes at a time
        watching(player, path)
    watcher.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE rows0 SET value = x'00' || substr(value, 2) WHERE id = 1")
    with pytest.raises(CheckpointRefused, match="--from-genesis"):
        watching(player, path)
    remove(path)
    _, again = watching(player, path)
    assert said(again.refresh()) == before
    again.close()


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("load")
    make(folder, 60, batch=2, silent=1)
    return folder


def test_killed_while_catching_up_it_goes_on_at_its_checkpoint(load: Path, tmp_path: Path) -> None:
    state = tmp_path / "serving.db"
    command = (sys.executable, "-m", "tests.unit.auditor.portal.watching_process", str(load), str(state))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told: dict[str, int] = {}
        while not told.get(LOADED):
            told = json.loads(process.stdout.readline())
        process.kill()
        process.wait()
        told = [told, *map(json.loads, process.stdout)][-1]
    watcher = watcher_of(load, state)
    resumed = dict(watcher.facts.blocks)
    # What was told was durable; a checkpoint that nobody was told of any more may be there.
    assert all(resumed[name] >= told[name] for name in told)
    assert resumed[LOADED] <= told[LOADED] + SLICE
    facts = watcher.refresh()
    assert facts.meetings[LOADED, LOAD].turnout.ballots == 60
    whole = watcher_of(load, tmp_path / "other.db")
    assert whole.refresh().heads == facts.heads
    watcher.close()
    whole.close()


def test_processes_help_while_there_is_much_and_are_gone_afterwards() -> None:
    made: list[HelperProcesses] = []

    def make_one() -> HelperProcesses:
        made.append(HelperProcesses(1))
        return made[-1]

    def through(hired: Hired) -> list[str]:
        return list(hired.ahead(["a", "b"], lambda _: [], Known()))

    hired = Hired(make_one)
    with hired.working(MUCH - 1):
        assert (through(hired), len(made)) == (["a", "b"], 0)
    with hired.working(MUCH):
        assert (through(hired), len(made)) == (["a", "b"], 1)
    assert through(hired) == ["a", "b"]
    assert isinstance(hired, Alone)  # a checkpoint leaves it out
