"""The coverage map: which byte of a stored block is held by which verification step, and which by none.

Data, from which docs/coverage.md is made (`python -m auditor.coverage`), and against which the tests
flip bytes: a flip in a protected region is refused, by the step named or by an earlier one.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor import coverage_rows
from auditor.blocks import STEP_CHAIN, STEP_DATA, STEP_GENESIS
from auditor.orderers import STEP_QUORUM

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT, _LENGTH = 0, 2  # protobuf's wire types that a block uses


@dataclass(frozen=True, slots=True)
class Region:
    """One part of a serialized common.Block, its own tag and length included.

    `genesis` and `step` are the steps that protect it in block 0 and in every later block (None: no
    hash and no signature does), `why` says so in words.
    """

    name: str
    genesis: int | None
    step: int | None
    why: str

    def protected_by(self, number: int) -> int | None:
        """Return the step that refuses a flip here in the block of that number; None for none."""
        return self.step if number else self.genesis


HEADER = Region("header", STEP_GENESIS, STEP_CHAIN, "without it nothing is known of the block")
NUMBER = Region("header.number", STEP_GENESIS, STEP_CHAIN, "the next number; signed and hashed, too")
PREVIOUS = Region(
    "header.previous_hash", STEP_GENESIS, STEP_CHAIN, "the hash of the block before; signed and hashed, too"
)
DATA_HASH = Region(
    "header.data_hash", STEP_GENESIS, STEP_DATA, "the hash of the data; signed and hashed, too"
)
DATA = Region("data", STEP_DATA, STEP_DATA, "without it there are no transactions to hash")
ENVELOPE = Region(
    "data.data[]",
    STEP_DATA,
    STEP_DATA,
    "every transaction, whole, is in the data hash, and is one envelope, which says where it ends",
)
METADATA = Region(
    "metadata",
    None,
    None,
    "no hash covers it as a whole: what matters in it is protected by itself",
)
SIGNED = Region(
    "metadata.metadata[0] SIGNATURES",
    None,
    STEP_QUORUM,
    "without it there are no signatures (block 0 has none)",
)
SIGNED_VALUE = Region(
    "metadata.metadata[0] SIGNATURES, value",
    None,
    STEP_QUORUM,
    "signed; it names the configuration in force (block 0 is not signed, its hash is pinned)",
)
SIGNATURE = Region(
    "metadata.metadata[0] SIGNATURES, signature of a bare quorum",
    None,
    STEP_QUORUM,
    "identifier header and signature of a consenter without whom there is no quorum",
)
SPARE_SIGNATURE = Region(
    "metadata.metadata[0] SIGNATURES, signature where there are more than a quorum",
    None,
    None,
    "the others are enough; a wrong one does not count",
)
LAST_CONFIG = Region(
    "metadata.metadata[1] LAST_CONFIG",
    None,
    None,
    "not read: the configuration in force is named in the signed value",
)
CODES = Region(
    "metadata.metadata[2] TRANSACTIONS_FILTER",
    None,
    None,
    "validation codes are each peer's own word, in no hash and no signature: the auditor takes them from "
    "its own peer only (step 3 counts them, steps 6 to 12 hold most of them to the transactions)",
)
ORDERER = Region(
    "metadata.metadata[3] ORDERER", None, None, "not read: orderers keep nothing there that is signed"
)
COMMIT_HASH = Region(
    "metadata.metadata[4] COMMIT_HASH",
    None,
    None,
    "not read: the peer's own hash over what it committed, signed by nobody",
)
UNKNOWN = Region(
    "anything else",
    None,
    None,
    "not read: a block that a peer serves has nothing else",
)

REGIONS = (
    HEADER,
    NUMBER,
    PREVIOUS,
    DATA_HASH,
    DATA,
    ENVELOPE,
    METADATA,
    SIGNED,
    SIGNED_VALUE,
    SIGNATURE,
    SPARE_SIGNATURE,
    LAST_CONFIG,
    CODES,
    ORDERER,
    COMMIT_HASH,
    UNKNOWN,
)
_HEADER_FIELDS = {(1, _VARINT): NUMBER, (2, _LENGTH): PREVIOUS, (3, _LENGTH): DATA_HASH}
_METADATA = (SIGNED, LAST_CONFIG, CODES, ORDERER, COMMIT_HASH)


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from `start` up to `end` (not included) belong to a region."""

    start: int
    end: int
    region: Region


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    kind: int
    start: int  # of the tag
    content: int  # after tag and length
    end: int


def spans(raw: bytes, quorum: int) -> tuple[Span, ...]:
    """Return the regions of a serialized block in order: they touch, and cover every byte once.

    `quorum` is how many consenters must sign under the configuration in force. The block is one that was
    accepted; anything else may raise ValueError.
    """
    return tuple(_merged(_block(raw, quorum)))


def _block(raw: bytes, quorum: int) -> Iterator[Span]:
    for field in _fields(raw, 0, len(raw)):
        if (field.number, field.kind) == (1, _LENGTH):
            yield Span(field.start, field.content, HEADER)
            for part in _fields(raw, field.content, field.end):
                yield Span(part.start, part.end, _HEADER_FIELDS.get((part.number, part.kind), UNKNOWN))
        elif (field.number, field.kind) == (2, _LENGTH):
            yield Span(field.start, field.content, DATA)
            for part in _fields(raw, field.content, field.end):
                yield Span(part.start, part.end, ENVELOPE if part.number == 1 else UNKNOWN)
        elif (field.number, field.kind) == (3, _LENGTH):
            yield Span(field.start, field.content, METADATA)
            yield from _metadata(raw, field, quorum)
        else:
            yield Span(field.start, field.end, UNKNOWN)


def _metadata(raw: bytes, whole: _Field, quorum: int) -> Iterator[Span]:
    index = 0
    for part in _fields(raw, whole.content, whole.end):
        region = _METADATA[index] if part.number == 1 and index < len(_METADATA) else UNKNOWN
        if region is SIGNED:
            yield Span(part.start, part.content, SIGNED)
            yield from _signatures(raw, part, quorum)
        else:
            yield Span(part.start, part.end, region)
        index += part.number == 1


def _signatures(raw: bytes, whole: _Field, quorum: int) -> Iterator[Span]:
    parts = list(_fields(raw, whole.content, whole.end))
    count = sum(1 for one in parts if one.number == 2)  # noqa: PLR2004  common.Metadata.signatures
    for part in parts:
        if part.number == 1:
            yield Span(part.start, part.end, SIGNED_VALUE)
        elif part.number == 2:  # noqa: PLR2004
            yield Span(part.start, part.end, SIGNATURE if count <= quorum else SPARE_SIGNATURE)
        else:
            yield Span(part.start, part.end, UNKNOWN)


def _fields(raw: bytes, start: int, end: int) -> Iterator[_Field]:
    """Yield the fields of one message on the wire; raises ValueError where there is none."""
    while start < end:
        tag, place = _varint(raw, start, end)
        kind = tag & 7
        if kind == _VARINT:
            content = place
            _, place = _varint(raw, place, end)
        elif kind == _LENGTH:
            length, content = _varint(raw, place, end)
            place = content + length
        else:
            raise ValueError(f"wire type {kind} at byte {start}")
        if place > end:
            raise ValueError(f"the field at byte {start} is cut off")
        yield _Field(tag >> 3, kind, start, content, place)
        start = place


def _varint(raw: bytes, start: int, end: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(start, end):
        value |= (raw[place] & 0x7F) << shift
        if raw[place] < 0x80:  # noqa: PLR2004  the last byte has no continuation bit
            return value, place + 1
        shift += 7
    raise ValueError(f"the number at byte {start} is cut off")


def _merged(found: Iterator[Span]) -> Iterator[Span]:
    last: Span | None = None
    for one in found:
        if last is not None and last.region is one.region and last.end == one.start:
            last = Span(last.start, one.end, one.region)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


_HEAD = """\
# Which bytes of a block are protected

Made from `auditor/coverage.py` by `python -m auditor.coverage`; a test keeps the two the same. The regions
are those of a serialized `common.Block` as a peer's deliver service hands it out. The tag and the length in
front of a field belong to its region, and every byte of a block belongs to exactly one region.

A flipped bit in a protected region is refused by the step named ([verification.md](verification.md)) or by
an earlier one; a flip after which the bytes are no block at all is refused by step 3 as such, wherever it is.
Where no step is named, no hash and no signature covers the byte: a flip may pass. Tests flip bytes over whole
blocks of a real network (`tests/integration/test_audit_flips.py`); `CONCORDAT_FLIPS` says how many.

| region | block 0 | later blocks | why |
| --- | --- | --- | --- |
"""


def render() -> str:
    """Return docs/coverage.md."""
    return (
        _HEAD
        + "".join(
            f"| {one.name} | {_step(one.genesis)} | {_step(one.step)} | {one.why} |\n" for one in REGIONS
        )
        + coverage_rows.render()
    )


def _step(step: int | None) -> str:
    return "none" if step is None else f"step {step}"


if __name__ == "__main__":
    sys.stdout.write(render())
