"""Read and write sets: what a transaction relied on and what it changed, namespace by namespace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from auditor import protobuf as pb

# Of these there are thousands a block, and a named tuple is made in a third of a dataclass's time.


class Version(NamedTuple):
    """Where a key was last written: block and position in it."""

    block: int
    position: int


class Read(NamedTuple):
    """A key that was read, and the version it then had (None: no such key)."""

    key: str
    version: Version | None


@dataclass(frozen=True, slots=True)
class RangeRead:
    """A range query: its bounds, and the reads it returned where the peer kept them in full."""

    start: str
    end: str
    exhausted: bool
    reads: tuple[Read, ...] | None


class Write(NamedTuple):
    """A key set to `value`, or deleted (None)."""

    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class ReadWriteSet:
    """The public reads and writes of one namespace; `private` where collections are touched too."""

    namespace: str
    reads: tuple[Read, ...]
    ranges: tuple[RangeRead, ...]
    writes: tuple[Write, ...]
    metadata_writes: int
    private: bool


def parse_read_write_set(raw: bytes) -> tuple[ReadWriteSet, ...]:
    """Read a serialized TxReadWriteSet; raises protobuf's DecodeError."""
    return tuple(
        _namespace(
            one.namespace, pb.kvrwset.KVRWSet.FromString(one.rwset), private=bool(one.collection_hashed_rwset)
        )
        for one in pb.rwset.TxReadWriteSet.FromString(raw).ns_rwset
    )


def _namespace(name: str, message: pb.Message, *, private: bool) -> ReadWriteSet:
    return ReadWriteSet(
        name,
        tuple(_read(one) for one in message.reads),
        tuple(_range(one) for one in message.range_queries_info),
        tuple(Write(one.key, None if one.is_delete else one.value) for one in message.writes),
        len(message.metadata_writes),
        private,
    )


def _read(message: pb.Message) -> Read:
    if not message.HasField("version"):
        return Read(message.key, None)
    version = message.version
    return Read(message.key, Version(version.block_num, version.tx_num))


def _range(message: pb.Message) -> RangeRead:
    raw = message.WhichOneof("reads_info") == "raw_reads"
    reads = tuple(_read(one) for one in message.raw_reads.kv_reads) if raw else None
    return RangeRead(message.start_key, message.end_key, message.itr_exhausted, reads)
