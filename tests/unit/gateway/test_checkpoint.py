"""Checkpoints move forward whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from client.gateway import (
    ChaincodeEvent,
    Checkpointer,
    CheckpointError,
    FileCheckpointer,
    InMemoryCheckpointer,
)

EVENT = ChaincodeEvent(4, "tx4", "basic", "made", b"")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.json"


def position(checkpointer: Checkpointer) -> tuple[int | None, str | None]:
    return checkpointer.block_number, checkpointer.transaction_id


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_positions(kind: str, path: Path) -> None:
    checkpointer = InMemoryCheckpointer() if kind == "memory" else FileCheckpointer(path)
    assert position(checkpointer) == (None, None)
    checkpointer.checkpoint_chaincode_event(EVENT)
    assert position(checkpointer) == (4, "tx4")
    checkpointer.checkpoint_transaction(5, "tx5")
    assert position(checkpointer) == (5, "tx5")
    checkpointer.checkpoint_block(5)
    assert position(checkpointer) == (6, None)


def test_a_file_is_taken_up_again(path: Path) -> None:
    FileCheckpointer(path).checkpoint_transaction(5, "tx5")
    assert position(FileCheckpointer(path)) == (5, "tx5")
    FileCheckpointer(path).checkpoint_block(0)
    assert position(FileCheckpointer(path)) == (1, None)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_block_zero_is_a_position_and_not_the_lack_of_one(path: Path) -> None:
    FileCheckpointer(path).checkpoint_transaction(0, "tx0")
    assert position(FileCheckpointer(path)) == (0, "tx0")


def test_a_crash_before_the_replacement_leaves_the_old_checkpoint(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpointer = FileCheckpointer(path)
    checkpointer.checkpoint_block(1)

    def crash(*_: Any) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", crash)
        with pytest.raises(CheckpointError, match="disk full"):
            checkpointer.checkpoint_block(2)
    assert position(checkpointer) == (2, None)
    assert position(FileCheckpointer(path)) == (2, None)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_file_is_synced_before_it_replaces_the_old_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        steps.append("fsync")
        sync(descriptor)

    def replaced(self: Path, target: Path) -> Path:
        steps.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    FileCheckpointer(path).checkpoint_block(1)
    assert steps == ["fsync", "replace", "fsync"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"v":2,"block_number":1,"transaction_id":null}',
        b'{"v":1,"block_number":-1,"transaction_id":null}',
        b'{"v":1,"block_number":true,"transaction_id":null}',
        b'{"v":1,"block_number":"1","transaction_id":null}',
        b'{"v":1,"block_number":1,"transaction_id":7}',
        b'{"v":1,"transaction_id":null}',
    ],
)
def test_what_is_no_checkpoint_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=path.name):
        FileCheckpointer(path)
    assert path.read_bytes() == content


def test_a_missing_folder_is_told_at_the_first_step(tmp_path: Path) -> None:
    checkpointer = FileCheckpointer(tmp_path / "missing" / "checkpoint.json")
    with pytest.raises(CheckpointError, match="could not be written"):
        checkpointer.checkpoint_block(1)
    assert position(checkpointer) == (None, None)


def test_the_file_says_what_it_means(path: Path) -> None:
    FileCheckpointer(path).checkpoint_transaction(5, "tx5")
    assert json.loads(path.read_text()) == {"v": 1, "block_number": 5, "transaction_id": "tx5"}
