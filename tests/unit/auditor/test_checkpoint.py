"""Checkpoints: what they bring back, and every way in which they are refused."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor import checkpoint
from auditor.ahead import Alone
from auditor.checkpoint import CheckpointRefused, Checkpoints
from auditor.replay.authority import Offices
from auditor.run import Roots
from auditor.store import InMemory, Store, StoreUnusable
from auditor.verifier import Verifier
from tests.unit.auditor.meeting_player import CHANNEL, Player
from tests.unit.auditor.test_ahead import STORIES, heard, seen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.auditor.builder import Network


def roots(player: Player) -> Roots:
    return Roots(player.genesis, Offices())


def stopped(player: Player, path: Path, at: int) -> None:
    """Verify identity and `at` blocks of the channel, save, and end without a word."""
    with closing(Store(path)) as store:
        verifier = Verifier(player.genesis, Offices(), Alone(), store)
        verifier.follow("identity", player.identity.blocks)
        verifier.follow(CHANNEL, player.chain.blocks[:at])
        Checkpoints(store, roots(player)).save(verifier)
        verifier.follow(CHANNEL, player.chain.blocks[at:])  # never saved: it did not happen


def resumed(player: Player, path: Path) -> Verifier | None:
    with closing(Store(path)) as store:
        return Checkpoints(store, roots(player)).resume(Alone())


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_a_resumed_verifier_says_what_one_says_that_never_stopped(
    fabric: Network, tmp_path: Path, story: Any
) -> None:
    player = Player(fabric, revote="last").enrolled(sessions=2).opened()
    story(player)
    plain = seen(player, Alone(), InMemory())
    for at in range(len(player.chain.blocks) + 1):
        path = tmp_path / f"{at}.db"
        stopped(player, path, at)
        with closing(Store(path)) as store:
            verifier = Checkpoints(store, roots(player)).resume(Alone())
            assert verifier is not None
            begun = verifier.height(CHANNEL)
            assert begun == min(at, plain["height"])
            verifier.follow(CHANNEL, player.chain.blocks[begun:])
            assert heard(verifier) == plain


@pytest.fixture
def player(fabric: Network) -> Player:
    return Player(fabric).enrolled().opened().submit([("an", 1, {}), ("bo", 2, {})])


@pytest.fixture
def path(player: Player, tmp_path: Path) -> Path:
    file = tmp_path / "following.db"
    stopped(player, file, len(player.chain.blocks))
    assert resumed(player, file) is not None
    return file


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement).rowcount > 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE moments SET made = substr(made, 1, 40) || x'00' || substr(made, 42)",
        "UPDATE moments SET made = substr(made, 1, 900)",
        "UPDATE rows0 SET value = x'00' || substr(value, 2) WHERE id = 1",
        "DELETE FROM rows0 WHERE id = (SELECT max(id) FROM rows0)",
        "UPDATE rows0 SET key = x'41' WHERE id = 2",
    ],
)
def test_a_damaged_checkpoint_is_refused(player: Player, path: Path, statement: str) -> None:
    change(path, statement)
    with pytest.raises(CheckpointRefused) as refused:
        resumed(player, path)
    assert "it is damaged" in refused.value.message
    assert "--from-genesis" in refused.value.message
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("auditor.ahead", "os.getcwd"),  # through what a module imports
        ("auditor.ahead", "os"),
        ("auditor.ahead", "that_hold"),  # of another module
        ("auditor.checkpoint", "code_version"),  # a function that is not for this
        ("auditor.checkpoint", "Path"),
        ("os", "getcwd"),
    ],
)
def test_a_checkpoint_that_names_what_it_should_not_is_refused(
    player: Player, path: Path, module: str, name: str
) -> None:
    def text(value: str) -> bytes:
        return b"\x8c" + bytes([len(value)]) + value.encode()

    with closing(Store(path)) as store:
        moment = store.moment()
        assert moment is not None
        state = b"\x80\x04" + text(module) + text(name) + b"\x93)R."  # calls it with nothing
        content = moment[32:].partition(b"\n")[0] + b"\n" + state
        store.commit(hashlib.sha256(content).digest() + content)
    with pytest.raises(CheckpointRefused, match="it names"):
        resumed(player, path)


def test_a_file_that_is_no_database_is_refused(player: Player, path: Path) -> None:
    path.write_bytes(b"x" * 5000)
    with pytest.raises(StoreUnusable):
        resumed(player, path)


def test_a_checkpoint_of_other_channels_is_refused(player: Player, path: Path) -> None:
    other = replace(roots(player), genesis={**player.genesis, CHANNEL: bytes(32)})
    with closing(Store(path)) as store, pytest.raises(CheckpointRefused, match="other channels"):
        Checkpoints(store, other).resume(Alone())


def test_a_checkpoint_of_other_code_is_refused(
    player: Player, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "code_version", lambda: "other")
    with pytest.raises(CheckpointRefused, match="another version"):
        resumed(player, path)


def test_starting_over_forgets_everything(player: Player, path: Path) -> None:
    with closing(Store(path)) as store:
        store.clear()
    assert resumed(player, path) is None
