"""Checkpoints: where a reader of events stopped, so that it can go on there."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from client.gateway.errors import CheckpointError

if TYPE_CHECKING:
    from client.gateway.chaincode_events import ChaincodeEvent


class Checkpoint(Protocol):
    """A position: everything before `block_number` is done, and in it all up to `transaction_id`."""

    @property
    def block_number(self) -> int | None:
        """The next block to look at, or None when nothing has been done."""

    @property
    def transaction_id(self) -> str | None:
        """The last transaction done in that block, or None when none was."""


class Checkpointer:
    """A checkpoint that moves: call it after an event's work is done, not before.

    An event is then handled at least once; a crash between the work and the checkpoint repeats
    one event. Thread-safe.
    """

    def __init__(self, block_number: int | None = None, transaction_id: str | None = None) -> None:
        self._lock = threading.Lock()
        self._position = (block_number, transaction_id)

    @property
    def block_number(self) -> int | None:
        """The next block to look at, or None when nothing has been done."""
        return self._position[0]

    @property
    def transaction_id(self) -> str | None:
        """The last transaction done in that block, or None when none was."""
        return self._position[1]

    def checkpoint_block(self, block_number: int) -> None:
        """Record that a whole block is done."""
        self._move(block_number + 1, None)

    def checkpoint_transaction(self, block_number: int, transaction_id: str) -> None:
        """Record that a block is done up to and including this transaction."""
        self._move(block_number, transaction_id)

    def checkpoint_chaincode_event(self, event: ChaincodeEvent) -> None:
        """Record that an event is done."""
        self._move(event.block_number, event.transaction_id)

    def _move(self, block_number: int, transaction_id: str | None) -> None:
        with self._lock:
            self._store(block_number, transaction_id)
            self._position = (block_number, transaction_id)

    def _store(self, block_number: int, transaction_id: str | None) -> None:
        """Make the position last; called under the lock, before it counts."""


class InMemoryCheckpointer(Checkpointer):
    """A checkpoint for resuming within one process: it is gone with the process."""


class FileCheckpointer(Checkpointer):
    """A checkpoint in a small JSON file, replaced atomically and synced at each step.

    One file belongs to one reader. Raises `CheckpointError` when the file is not a checkpoint or
    can't be written.
    """

    def __init__(self, path: Path | str) -> None:
        """Read the checkpoint if the file exists; it is made at the first step otherwise."""
        self._path = Path(path)
        super().__init__(*_load(self._path))

    def _store(self, block_number: int, transaction_id: str | None) -> None:
        document = json.dumps({"v": 1, "block_number": block_number, "transaction_id": transaction_id})
        try:
            _replace(self._path, document.encode())
        except OSError as error:
            raise CheckpointError(f"the checkpoint {self._path} could not be written: {error}") from error


def _load(path: Path) -> tuple[int | None, str | None]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None, None
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"the checkpoint {path} could not be read: {error}") from error
    try:
        document = json.loads(text)
    except ValueError as error:
        raise CheckpointError(f"the checkpoint {path} is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("v") != 1:
        raise CheckpointError(f"{path} is not a checkpoint of a version known here")
    block, transaction = document.get("block_number"), document.get("transaction_id")
    if type(block) is not int or block < 0 or not (transaction is None or isinstance(transaction, str)):
        raise CheckpointError(f"the checkpoint {path} names no block and transaction")
    return block, transaction


def _replace(path: Path, content: bytes) -> None:
    """Write so that a crash at any moment leaves the old file or the new one, whole."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)  # the rename itself
    finally:
        os.close(directory)
