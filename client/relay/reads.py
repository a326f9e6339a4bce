"""What an endorsed batch has read of the channel's state: it tells which voters' records have moved on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabric_protos.ledger.rwset import rwset_pb2 as _rwset
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2 as _kv_rwset

from client.gateway.protos import (
    common_pb2,
    gateway_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

rwset_pb2: Any = _rwset
kv_rwset_pb2: Any = _kv_rwset

_SEPARATOR = "\0"  # of composite keys: \0type\0part\0part\0

Version = tuple[int, int] | None
"""Block and transaction that wrote a key, None for a key that isn't there."""


def read_versions(transaction: bytes) -> dict[str, Version]:
    """Return the keys that an endorsed transaction (`Transaction.to_bytes`) read, with their versions."""
    prepared = gateway_pb2.PreparedTransaction.FromString(transaction)
    payload = common_pb2.Payload.FromString(prepared.envelope.payload)
    (action,) = transaction_pb2.Transaction.FromString(payload.data).actions
    endorsed = transaction_pb2.ChaincodeActionPayload.FromString(action.payload).action
    response = proposal_response_pb2.ProposalResponsePayload.FromString(endorsed.proposal_response_payload)
    results = proposal_pb2.ChaincodeAction.FromString(response.extension).results
    return {
        read.key: (read.version.block_num, read.version.tx_num) if read.HasField("version") else None
        for space in rwset_pb2.TxReadWriteSet.FromString(results).ns_rwset
        for read in kv_rwset_pb2.KVRWSet.FromString(space.rwset).reads
    }


def voters_moved(
    before: Mapping[str, Version], after: Mapping[str, Version], subs: Collection[str]
) -> set[str]:
    """Return those of `subs` one of whose records was written between two readings."""
    asked = set(subs)
    moved = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return {part for key in moved for part in key.split(_SEPARATOR) if part in asked}
