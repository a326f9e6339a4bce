"""What is told of an open meeting: where and what, never a value in which a choice could be read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auditor.errors import BlockError, ReplayError
from auditor.following.announcement import of_finding
from auditor.log.current import verify_current
from auditor.log.errors import LogRefused
from auditor.replay.authority import Offices
from auditor.run import Roots
from auditor.sampling import draw_from
from auditor.withhold import WITHHELD
from tests.unit.auditor.lenders import key
from tests.unit.auditor.meeting_player import CHANNEL, MTG, Player
from tests.unit.auditor.platform_side import change
from tests.unit.auditor.test_following import Follower
from tests.unit.auditor.test_run import Peer, save

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.auditor.builder import Network

CHOICES = ("approve", "reject", "abstain")


def forged(fabric: Network) -> Player:
    """Return a player whose open meeting has a ballot record other than the chaincode writes."""
    player = Player(fabric).enrolled().opened()
    record = key("ballot", MTG, player.scene.lenders["an"].sub)
    return player.submit([("an", 1, {})], change={record: b'{"v":1,"motions":{"m1":"approve"}}'})


def test_the_follower_tells_no_choice_of_a_row_altered_while_the_meeting_is_open(
    fabric: Network, tmp_path: Path
) -> None:
    player = Player(fabric).enrolled().opened().submit([("an", 1, {})])
    database = save(player, tmp_path / "platform.db")
    follower = Follower(player, tmp_path)

    def alter() -> None:
        change(database, "UPDATE ballots SET choices = 'zzz', ses = 'other' WHERE ack_no = 1")

    follower.run(alter, lambda: bool(follower.teller.told), order=follower.order(database))
    told = {one["text"].partition(":")[0]: one["text"] for one in follower.teller.told}
    assert WITHHELD in told["altered choices"]
    assert "platform other" in told["altered ses"]  # what tells nothing of a choice stays
    assert not any(word in json.dumps(follower.teller.told) for word in CHOICES)


def test_the_follower_tells_a_forged_record_without_its_values_once(
    fabric: Network, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    player = forged(fabric)
    follower = Follower(player, tmp_path).run(lambda: None)
    (told,) = follower.teller.told
    assert "another verdict than the ballot deserves" in told["text"]
    assert WITHHELD in told["text"]
    assert not any(word in json.dumps(follower.teller.told) + caplog.text for word in CHOICES)
    follower.run(player.closed)
    assert len([one for one in follower.teller.told if one["id"] == told["id"]]) == 1


def test_an_alarm_has_the_same_name_before_and_after_the_meeting_is_closed() -> None:
    error = ReplayError(15, f"{CHANNEL} block 3", "wrote otherwise", expected="approve", found="reject")
    before, after = (of_finding(CHANNEL, error, closed=closed) for closed in (False, True))
    assert before.key == after.key
    assert (before.text == after.text, "approve" in after.text) == (False, True)


def test_what_holds_no_choice_is_told_in_full() -> None:
    block = BlockError(2, f"{CHANNEL} block 3", "another predecessor", expected="ab", found="cd")
    assert of_finding(CHANNEL, block, closed=False).text == str(block)
    record = ReplayError(15, "identity block 3", "wrote otherwise", expected="ab", found="cd")
    assert of_finding("identity", record, closed=False).text == str(record)


def test_no_head_and_no_sample_tell_a_choice(fabric: Network) -> None:
    player = forged(fabric)
    peer, roots = Peer(player), Roots(player.genesis, Offices())
    with pytest.raises(LogRefused) as signing:
        verify_current(peer, roots, MTG)
    with pytest.raises(LogRefused) as sampling:
        draw_from(peer, roots, MTG, "a seed of later", 2)
    for error in (signing.value, sampling.value):
        assert error.code == "LOG_UNVERIFIED"
        assert WITHHELD in str(error)
        assert not any(word in str(error) for word in CHOICES)
