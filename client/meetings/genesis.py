"""Genesis hashes: which network a meeting's ballots are for, read from the channels' first blocks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from client.encodings.ids import arbitration_channel
from client.errors import UserError
from client.gateway.protos import common_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from client.platform.chain import Contract

_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30


class Announces(Protocol):
    """A channel of the connection profile."""

    @property
    def genesis(self) -> str:
        """Return the hash of block 0's header, lower-case hex."""


def read_genesis(qscc: Contract, channel: str) -> str:
    """Return the hash of a channel's block 0, computed from the block that a peer gives (hex)."""
    block = common_pb2.Block.FromString(qscc.evaluate("GetBlockByNumber", channel, "0"))
    if block.header.number != 0 or block.header.previous_hash:
        raise UserError(f"the peer gave another block than {channel}'s first: ask another peer")
    if hashlib.sha256(b"".join(block.data.data)).digest() != block.header.data_hash:
        raise UserError(f"the first block of {channel} doesn't hold the data that it names: ask another peer")
    return header_hash(0, b"", block.header.data_hash)


def header_hash(number: int, previous: bytes, data: bytes) -> str:
    """Return a block header's hash: SHA-256 over ASN.1 DER of (number, previous hash, data hash), hex."""
    size = number.bit_length() // 8 + 1  # DER integers are signed
    parts = _der(_INTEGER, number.to_bytes(size, "big")) + _der(_OCTETS, previous) + _der(_OCTETS, data)
    return hashlib.sha256(_der(_SEQUENCE, parts)).hexdigest()


def _der(tag: int, content: bytes) -> bytes:
    if len(content) > 127:  # noqa: PLR2004  the short form's end; a header is shorter
        raise ValueError("a block header's parts are shorter than that")
    return bytes([tag, len(content)]) + content


def genesis_of(
    institution: str,
    announced: Callable[[str], Announces],
    qscc_of: Callable[[str], Contract],
) -> Mapping[str, str]:
    """Return the genesis hashes that an institution's meetings name: as announced, checked at a peer.

    Raises UserError when a peer's chain begins otherwise than the connection profile says.
    """
    hashes = {}
    for channel in ("identity", arbitration_channel(institution)):
        found, told = read_genesis(qscc_of(channel), channel), announced(channel).genesis
        if found != told:
            raise UserError(
                f"{channel} begins with {found} at the peer but with {told} in the connection profile: "
                "one of them is of another network"
            )
        hashes[channel] = found
    return hashes
