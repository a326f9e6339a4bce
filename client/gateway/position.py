"""Where a stream of events starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from client.gateway.protos import ab_pb2

if TYPE_CHECKING:
    from client.gateway.checkpoint import Checkpoint


def seek_position(start_block: int | None, checkpoint: Checkpoint | None) -> Any:
    """Return the checkpoint's block if it has one, else `start_block`, else the next commit."""
    at_checkpoint = checkpoint.block_number if checkpoint is not None else None
    block = start_block if at_checkpoint is None else at_checkpoint
    if block is None:
        return ab_pb2.SeekPosition(next_commit=ab_pb2.SeekNextCommit())
    return block_position(block)


def block_position(number: int) -> Any:
    """Return the position of one block."""
    return ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=number))
