"""What the run's blocks hold: their bytes, and how many endorsements a transaction carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.errors import UserError
from client.gateway.protos import common_pb2, transaction_pb2

if TYPE_CHECKING:
    from collections.abc import Collection

    from client.gateway import Gateway

_FILTER = 2  # BlockMetadataIndex.TRANSACTIONS_FILTER
_VALID = 0


@dataclass(frozen=True, slots=True)
class Weighed:
    """Blocks together: how many, their serialized bytes, and the endorsements of each transaction."""

    blocks: int
    octets: int
    endorsements: int


def weigh(gateway: Gateway, channel: str, numbers: Collection[int]) -> Weighed:
    """Read blocks from a peer, one at a time, and weigh those of these numbers as they are serialized.

    Raises UserError when their transactions don't all carry the same number of endorsements.
    """
    blocks, octets, endorsements = 0, 0, set[int]()
    events = gateway.network(channel).block_events(start_block=min(numbers), stop_block=max(numbers))
    with events:
        for block in events:
            if block.header.number in numbers:
                blocks += 1
                octets += block.ByteSize()
                endorsements |= _endorsements(block)
    if len(endorsements) != 1:
        raise UserError(f"transactions of one run carry different numbers of endorsements: {endorsements}")
    return Weighed(blocks, octets, endorsements.pop())


def _endorsements(block: Any) -> set[int]:
    codes = block.metadata.metadata[_FILTER]
    return {_count(envelope) for envelope, code in zip(block.data.data, codes, strict=True) if code == _VALID}


def _count(envelope: bytes) -> int:
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(envelope).payload)
    (action,) = transaction_pb2.Transaction.FromString(payload.data).actions
    return len(transaction_pb2.ChaincodeActionPayload.FromString(action.payload).action.endorsements)
