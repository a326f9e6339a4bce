"""A wrong root that is anchored: told as its block comes, and by a full pass as by an audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.following.passing import full_pass
from client.encodings import base64url
from tests.unit.auditor.meeting_player import CHANNEL
from tests.unit.auditor.test_disputes import Disputes
from tests.unit.auditor.test_following import Follower
from tests.unit.auditor.test_run import save

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.auditor.builder import Network

WRONG = base64url.encode(b"r" * 32)


@pytest.fixture
def play(fabric: Network) -> Disputes:
    return Disputes(fabric).objecting()


def test_a_wrong_anchored_root_is_told_once_and_the_pass_is_inconsistent(
    play: Disputes, tmp_path: Path
) -> None:
    follower = Follower(play, tmp_path)
    follower.run(lambda: play.anchor(1), lambda: play.anchor(2, root=WRONG), lambda: play.anchor(2))
    (told,) = follower.teller.told
    assert (told["kind"], told["channel"]) == ("unverified", CHANNEL)
    assert told["text"].startswith("step 21: ")
    assert play.root(2) in told["text"]
    database = save(play, tmp_path / "platform.db")
    (found,) = full_pass(follower.order(database))["discrepancies"]
    assert (found["kind"], found["field"], found["where"]) == ("unverified", "step 21", told["where"])
    follower.run(
        lambda: bool(follower.value("passes_total", verdict="inconsistent")), order=follower.order(database)
    )
    assert len(follower.teller.told) == 1  # also after a restart, and by a pass that finds it, too


def test_true_anchors_are_no_alarm(play: Disputes, tmp_path: Path) -> None:
    follower = Follower(play, tmp_path)
    follower.run(lambda: play.anchor(1), lambda: play.anchor(2))
    assert follower.teller.told == []
    assert full_pass(follower.order(save(play, tmp_path / "platform.db")))["discrepancies"] == []


def test_more_ballots_than_the_chain_has_are_told(play: Disputes, tmp_path: Path) -> None:
    follower = Follower(play, tmp_path).run(lambda: play.anchor(3, root=WRONG))
    assert any("more ballots than the chain" in one["text"] for one in follower.teller.told)
