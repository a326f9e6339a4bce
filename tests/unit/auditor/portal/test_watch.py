"""The facts grow with the chain, say what is broken and behind, and hold no running choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.portal.outcomes import outcomes_of
from auditor.portal.watch import PATIENCE, Watcher
from auditor.replay.authority import Offices
from auditor.run import Roots
from tests.unit.auditor.meeting_player import CHANNEL, MTG, Player
from tests.unit.auditor.portal.peer import Peer

if TYPE_CHECKING:
    from tests.unit.auditor.builder import Network


@pytest.fixture
def player(fabric: Network) -> Player:
    return Player(fabric).enrolled().opened().submit([("an", 1, {}), ("bo", 2, {"m2": "reject"})])


class Hands:
    """A monotonic clock that the test turns."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_facts_grow_with_the_chain_and_read_no_block_twice(player: Player) -> None:
    peer, hands = Peer(player), Hands()
    watcher = Watcher(peer, Roots(player.genesis, Offices()), monotonic=hands)
    before, first = watcher.behind, watcher.refresh()
    assert (before, watcher.behind) == (True, False)
    facts = first.find("institutiona", MTG)
    assert facts is not None
    assert (facts.state, facts.turnout.ballots, facts.motions) == ("open", 2, None)
    assert facts.turnout.fen == 12_345_67 + 1 + 250_000_00
    read = len(peer.served)
    player.submit([("chen", 3, {})])
    second = watcher.refresh()
    assert len(peer.served) == read + 1
    assert second.blocks[CHANNEL] == first.blocks[CHANNEL] + 1
    grown = second.find("institutiona", MTG)
    assert grown is not None
    assert (facts.turnout.ballots, grown.turnout.ballots) == (2, 3)
    assert watcher.refresh().meetings[CHANNEL, MTG] is grown


def test_a_closed_meeting_has_its_motions_and_margins(player: Player) -> None:
    watcher = Watcher(Peer(player), Roots(player.genesis, Offices()))
    watcher.refresh()
    player.closed()
    facts = watcher.refresh().meetings[CHANNEL, MTG]
    assert facts.motions is not None
    m1, m2 = facts.motions
    assert (m1["choices"][0][:2], m2["choices"][1][:2]) == (["approve", 2], ["reject", 1])
    assert [test["name"] for test in m1["tests"]] == ["heads", "participation", "value"]
    assert m1["margin"]["needs"] == "all"


def test_a_running_count_is_refused(player: Player) -> None:
    with pytest.raises(ValueError, match="nobody"):
        outcomes_of(player.follow().states(CHANNEL)[MTG])


def test_a_silent_peer_leaves_the_last_facts_and_says_so(player: Player) -> None:
    peer, hands = Peer(player), Hands()
    watcher = Watcher(peer, Roots(player.genesis, Offices()), monotonic=hands)
    good = watcher.refresh()
    peer.down = True
    bad = watcher.refresh()
    assert bad.meetings == good.meetings
    assert "own peer" in bad.trouble
    hands.now = PATIENCE + 1
    assert watcher.behind


def test_what_fails_hides_the_result(player: Player) -> None:
    player.closed()
    player.chain.blocks[-1] = player.chain.blocks[-1].replace(b"ConfirmStep", b"ConfirmStap")
    facts = Watcher(Peer(player), Roots(player.genesis, Offices())).refresh()
    assert facts.broken
    meeting = facts.meetings[CHANNEL, MTG]
    assert meeting.motions is None
    assert meeting.findings[0].step == 3
