"""A block opened: its parts and its transactions, each read once whoever looks at it first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.blocks import parse_block
from auditor.errors import TransactionError
from auditor.transactions import parse_transaction

if TYPE_CHECKING:
    from auditor.blocks import Block
    from auditor.transactions import Transaction


@dataclass(frozen=True, slots=True)
class OpenedBlock:
    """A block with what each envelope of it was read as; nothing of it is verified yet.

    A configuration's envelope is no endorser transaction, so there is an error in its place.
    """

    block: Block
    transactions: tuple[Transaction | TransactionError, ...]


def open_block(raw: bytes, channel: str) -> OpenedBlock:
    """Read a serialized block of a channel; raises BlockError (step 3) where it is malformed."""
    block = parse_block(raw)
    return OpenedBlock(
        block,
        tuple(
            _read(envelope, channel, block.header.number, position)
            for position, envelope in enumerate(block.data)
        ),
    )


def _read(envelope: bytes, channel: str, number: int, position: int) -> Transaction | TransactionError:
    try:
        return parse_transaction(envelope, channel, number, position)
    except TransactionError as error:
        return error.with_traceback(None)  # kept as a value: it needn't hold the stack alive
