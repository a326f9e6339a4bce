"""Batches: what a relay submits. One deterministic CBOR array, an entry a ballot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.encodings import cbor
from client.encodings.errors import Refused
from client.encodings.ids import HASH_BYTES, ID_BYTES, MAX_INTEGER, is_meeting_id

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BATCH: Final = 4_000_000
MAX_ENTRY: Final = 4096

COMPACT: Final = 0
RAW: Final = 1
BY_PROXY: Final = 2
AMENDED: Final = 3

_REBUILT_MEMBERS: Final = 9
_COMPACT_MEMBERS: Final = 11
_RAW_MEMBERS: Final = 7
_SIGNATURE_BYTES: Final = 64

VoteIndexes = int | tuple[int, ...]
ClaimIndexes = tuple[int, int] | tuple[int, int, bytes]
"""A class's index and fen, and for a disputed claim the SHA-256 of its decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuiltEntry:
    """A ballot's field values, from which each endorser rebuilds exactly what was signed.

    `votes` has one item a motion of the record, in its order: a choice's index, or
    several in ascending order of the choices' names. `iat` and `ack_time` are seconds
    since 1970. `prx` is the mandate's digest (32 bytes) where a proxy signed.
    """

    sub: bytes
    seq: int
    ses: bytes
    iat: int
    votes: tuple[VoteIndexes, ...]
    signature: bytes
    ack_no: int
    ack_time: int
    prx: bytes | None = None

    def _values(self, kind: int) -> list[Any]:
        return [
            kind,
            self.sub,
            self.seq,
            self.ses,
            self.iat,
            [vote if isinstance(vote, int) else list(vote) for vote in self.votes],
            self.signature,
            self.ack_no,
            self.ack_time,
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactEntry(RebuiltEntry):
    """A rebuilt ballot with the values of its roll leaf.

    `excluded` are the indexes of the motions from which the leaf excludes its lender, rising.
    """

    index: int
    salt: bytes
    claims: tuple[ClaimIndexes, ...]
    proof: tuple[bytes, ...]
    excluded: tuple[int, ...] = ()

    def as_cbor(self) -> list[Any]:
        """Return the entry's CBOR items."""
        leaf = [self.index, self.salt, [list(claim) for claim in self.claims]]
        if self.excluded:
            leaf.append(list(self.excluded))
        kind, last = (COMPACT, []) if self.prx is None else (BY_PROXY, [self.prx])
        return [*self._values(kind), leaf, list(self.proof), *last]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendedEntry(RebuiltEntry):
    """A rebuilt ballot of a lender whose leaf an amendment on the channel has; there is nothing to prove."""

    def as_cbor(self) -> list[Any]:
        """Return the entry's CBOR items."""
        return [*self._values(AMENDED), *([] if self.prx is None else [self.prx])]


@dataclass(frozen=True, slots=True)
class RawEntry:
    """A ballot as its compact JWS, with the roll leaf's exact bytes."""

    jws: str
    leaf: bytes
    index: int
    proof: tuple[bytes, ...]
    ack_no: int
    ack_time: int

    def as_cbor(self) -> list[Any]:
        """Return the entry's CBOR items."""
        return [RAW, self.jws, self.leaf, self.index, list(self.proof), self.ack_no, self.ack_time]


Entry = CompactEntry | RawEntry | AmendedEntry


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch read: entries in order; one of a wrong form is the refusal that it gets."""

    mtg: str
    entries: tuple[Entry | Refused, ...]


def encode_entry(entry: Entry) -> bytes:
    """Return one entry's bytes; refuse (ENTRY_TOO_LARGE) over 4,096."""
    data = cbor.dumps(entry.as_cbor())
    if len(data) > MAX_ENTRY:
        raise Refused("ENTRY_TOO_LARGE", f"{len(data)} bytes")
    return data


def encode_batch(mtg: str, entries: Sequence[Entry | bytes]) -> bytes:
    """Return the batch of entries (or of their bytes, encoded before).

    Refuse with BATCH_EMPTY, BATCH_TOO_LARGE or ENTRY_TOO_LARGE.
    """
    if not entries:
        raise Refused("BATCH_EMPTY")
    parts = [entry if isinstance(entry, bytes) else encode_entry(entry) for entry in entries]
    data = b"".join((b"\x83\x01", cbor.dumps(mtg), _array_head(len(parts)), *parts))
    if len(data) > MAX_BATCH:
        raise Refused("BATCH_TOO_LARGE", f"{len(data)} bytes")
    return data


def _array_head(length: int) -> bytes:
    # RFC 8949 section 3: major type 4, the shortest form of the length.
    if length < 24:  # noqa: PLR2004
        return bytes([0x80 | length])
    for code, size in ((0x98, 1), (0x99, 2), (0x9A, 4)):
        if length < 1 << 8 * size:
            return bytes([code]) + length.to_bytes(size, "big")
    raise Refused("BATCH_TOO_LARGE", f"{length} entries")


def decode_batch(data: bytes) -> Batch:
    """Return the batch of `data`.

    Refuse as a whole with BATCH_TOO_LARGE, BATCH_FORMAT, BATCH_MEETING or BATCH_EMPTY, in
    this order; an entry alone is refused with ENTRY_TOO_LARGE, then ENTRY_FORMAT, in its place.
    """
    if len(data) > MAX_BATCH:
        raise Refused("BATCH_TOO_LARGE", f"{len(data)} bytes")
    try:
        value = cbor.loads(data)
    except cbor.CborError as error:
        raise Refused("BATCH_FORMAT", str(error)) from error
    match value:
        case [1, str(mtg), list(entries)]:
            pass
        case _:
            raise Refused("BATCH_FORMAT", "not [1, meeting id, entries]")
    if not is_meeting_id(mtg):
        raise Refused("BATCH_MEETING", mtg[:40])
    if not entries:
        raise Refused("BATCH_EMPTY")
    return Batch(mtg, tuple(_read(entry) for entry in entries))


def decode_entry(data: bytes) -> Entry:
    """Return the entry of its own bytes; refuse with ENTRY_TOO_LARGE or ENTRY_FORMAT."""
    if len(data) > MAX_ENTRY:
        raise Refused("ENTRY_TOO_LARGE", f"{len(data)} bytes")
    try:
        return _entry(cbor.loads(data))
    except cbor.CborError as error:
        raise Refused("ENTRY_FORMAT", str(error)) from error


def _read(value: Any) -> Entry | Refused:
    size = cbor.size(value)
    if size > MAX_ENTRY:
        return Refused("ENTRY_TOO_LARGE", f"{size} bytes")
    try:
        return _entry(value)
    except Refused as refused:
        return refused.with_traceback(None)  # kept as a value: it needn't hold the stack alive


def _entry(value: Any) -> Entry:
    match value:
        case [0, *_] if len(value) == _COMPACT_MEMBERS:
            return _compact(value, None)
        case [2, *_, bytes(prx)] if len(value) == _COMPACT_MEMBERS + 1:
            return _compact(value[:-1], _bytes(prx, HASH_BYTES, "prx"))
        case [3, *_] if len(value) == _REBUILT_MEMBERS:
            return AmendedEntry(**_rebuilt(value), prx=None)
        case [3, *_, bytes(prx)] if len(value) == _REBUILT_MEMBERS + 1:
            return AmendedEntry(**_rebuilt(value[:-1]), prx=_bytes(prx, HASH_BYTES, "prx"))
        case [1, *_] if len(value) == _RAW_MEMBERS:
            return _raw(value)
    raise Refused("ENTRY_FORMAT", "none of the kinds of entries")


def _rebuilt(value: list[Any]) -> dict[str, Any]:
    _, sub, seq, ses, iat, votes, signature, ack_no, ack_time = value
    if not isinstance(votes, list) or not all(
        isinstance(vote, int) or (isinstance(vote, list) and _uints(vote)) for vote in votes
    ):
        raise Refused("ENTRY_FORMAT", "votes")
    if not _uints([seq, iat]):
        raise Refused("ENTRY_FORMAT", "seq or iat")
    _check_ack(ack_no, ack_time)
    return {
        "sub": _bytes(sub, ID_BYTES, "sub"),
        "seq": seq,
        "ses": _bytes(ses, ID_BYTES, "ses"),
        "iat": iat,
        "votes": tuple(vote if isinstance(vote, int) else tuple(vote) for vote in votes),
        "signature": _bytes(signature, _SIGNATURE_BYTES, "sig"),
        "ack_no": ack_no,
        "ack_time": ack_time,
    }


def _compact(value: list[Any], prx: bytes | None) -> CompactEntry:
    *head, leaf, proof = value
    excluded: list[Any] = []
    match leaf:
        case [int(index), bytes(salt), list(claims)] if len(salt) == ID_BYTES:
            pass
        case [int(index), bytes(salt), list(claims), [_, *_] as excluded] if len(salt) == ID_BYTES:
            pass
        case _:
            raise Refused("ENTRY_FORMAT", "leaf")
    if not _uints(excluded):
        raise Refused("ENTRY_FORMAT", "excluded")
    return CompactEntry(
        **_rebuilt(head),
        index=index,
        salt=salt,
        claims=tuple(_claim(claim) for claim in claims),
        proof=_proof(proof),
        excluded=tuple(excluded),
        prx=prx,
    )


def _claim(value: Any) -> ClaimIndexes:
    match value:
        case [int(cls), int(fen)]:
            return (cls, fen)
        case [int(cls), int(fen), bytes(decision)] if len(decision) == HASH_BYTES:
            return (cls, fen, decision)
    raise Refused("ENTRY_FORMAT", "claims")


def _raw(value: list[Any]) -> RawEntry:
    _, jws, leaf, index, proof, ack_no, ack_time = value
    if not isinstance(jws, str) or not isinstance(leaf, bytes) or not _uints([index]):
        raise Refused("ENTRY_FORMAT", "jws, leaf or index")
    _check_ack(ack_no, ack_time)
    return RawEntry(jws, leaf, index, _proof(proof), ack_no, ack_time)


def _check_ack(ack_no: Any, ack_time: Any) -> None:
    # Numbers end up in JSON, whose integers end at 2^53-1; they start at 1.
    if not _uints([ack_no, ack_time]) or not 1 <= ack_no <= MAX_INTEGER:
        raise Refused("ENTRY_FORMAT", "ack_no or ack_time")


def _uints(values: list[Any]) -> bool:
    return all(isinstance(value, int) for value in values)


def _bytes(value: Any, size: int, what: str) -> bytes:
    if not isinstance(value, bytes) or len(value) != size:
        raise Refused("ENTRY_FORMAT", f"{what} is not {size} bytes")
    return value


def _proof(value: Any) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise Refused("ENTRY_FORMAT", "proof")
    return tuple(_bytes(node, HASH_BYTES, "a proof's hash") for node in value)
