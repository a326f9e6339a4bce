"""Blocks: bytes to typed values, and the hash chain that ties each to the one before."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from auditor import protobuf as pb
from auditor.errors import BlockError

STEP_GENESIS = 1
STEP_CHAIN = 2
STEP_DATA = 3


@dataclass(frozen=True, slots=True)
class Header:
    """What the orderers order: a number and two SHA-256 hashes."""

    number: int
    previous_hash: bytes
    data_hash: bytes

    def encoded(self) -> bytes:
        """Return the ASN.1 DER form that is hashed and signed (protoutil.BlockHeaderBytes)."""
        body = _der_integer(self.number) + _der_octets(self.previous_hash) + _der_octets(self.data_hash)
        return b"\x30" + _der_length(len(body)) + body

    def hash(self) -> bytes:
        """Return the block hash: SHA-256 over the DER form."""
        return hashlib.sha256(self.encoded()).digest()


@dataclass(frozen=True, slots=True)
class OrdererSignature:
    """One signature in a block's metadata, with the header that names its signer."""

    identifier: int | None
    identifier_header: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """A block of one channel; `codes` are the peer's own validation codes, one a transaction."""

    header: Header
    data: tuple[bytes, ...]
    codes: bytes
    signed_value: bytes
    signatures: tuple[OrdererSignature, ...]
    last_config: int

    @property
    def where(self) -> str:
        """Name the block in a finding."""
        return f"block {self.header.number}"


def parse_block(raw: bytes) -> Block:
    """Read a serialized `common.Block`; raises BlockError (step 3) where it is malformed."""
    try:
        message = pb.common.Block.FromString(raw)
        metadata = list(message.metadata.metadata)
        signed = pb.common.Metadata.FromString(metadata[pb.common.SIGNATURES] if metadata else b"")
        ordering = pb.common.OrdererBlockMetadata.FromString(signed.value)
        signatures = tuple(_signature(one) for one in signed.signatures)
    except pb.DecodeError as error:
        raise BlockError(STEP_DATA, "block", f"it is not a block: {error}") from error
    header = Header(message.header.number, message.header.previous_hash, message.header.data_hash)
    codes = metadata[pb.common.TRANSACTIONS_FILTER] if len(metadata) > pb.common.TRANSACTIONS_FILTER else b""
    return Block(
        header, tuple(message.data.data), codes, signed.value, signatures, ordering.last_config.index
    )


def verify_genesis(block: Block, pinned: bytes) -> None:
    """Step 1: block 0 is the pinned one: its header hash equals the pinned genesis hash."""
    if block.header.number != 0 or block.header.previous_hash:
        raise BlockError(STEP_GENESIS, block.where, "a channel begins with block 0, which has no predecessor")
    if block.header.hash() != pinned:
        raise BlockError(
            STEP_GENESIS,
            block.where,
            "the genesis block is not the pinned one",
            expected=pinned.hex(),
            found=block.header.hash().hex(),
        )


def verify_succession(block: Block, previous: Header) -> None:
    """Step 2: the block's number is the next one and it names its predecessor's hash."""
    if block.header.number != previous.number + 1:
        raise BlockError(
            STEP_CHAIN,
            block.where,
            "the block is not the next one",
            expected=previous.number + 1,
            found=block.header.number,
        )
    if block.header.previous_hash != previous.hash():
        raise BlockError(
            STEP_CHAIN,
            block.where,
            "the hash of the block before differs",
            expected=previous.hash().hex(),
            found=block.header.previous_hash.hex(),
        )


def verify_data(block: Block) -> None:
    """Step 3: the data hash is the SHA-256 of the concatenated transactions, each one envelope, with a code.

    The hash doesn't say where one ends and the next begins. Two joined would be read as the latter alone.
    """
    if not block.data:
        raise BlockError(
            STEP_DATA, block.where, "a block without transactions", expected="at least 1", found=0
        )
    computed = hashlib.sha256(b"".join(block.data)).digest()
    if computed != block.header.data_hash:
        raise BlockError(
            STEP_DATA,
            block.where,
            "the transactions are not those the header names",
            expected=block.header.data_hash.hex(),
            found=computed.hex(),
        )
    for position, envelope in enumerate(block.data):
        if not _is_one_envelope(envelope):
            raise BlockError(
                STEP_DATA,
                block.where,
                f"transaction number {position} is not one envelope as an orderer writes it",
                expected="one",
                found=f"{len(envelope)} bytes",
            )
    if len(block.codes) != len(block.data):
        raise BlockError(
            STEP_DATA,
            block.where,
            "the peer's validation codes do not cover the transactions",
            expected=len(block.data),
            found=len(block.codes),
        )


def _is_one_envelope(data: bytes) -> bool:
    """Say whether bytes are a payload and a signature and no more; what can't be read at all is step 6's."""
    try:
        return bool(pb.common.Envelope.FromString(data).SerializeToString() == data)
    except pb.DecodeError:
        return True


def _signature(message: Any) -> OrdererSignature:
    identifier: int | None = None
    if message.identifier_header and not message.signature_header:
        identifier = pb.common.IdentifierHeader.FromString(message.identifier_header).identifier
    return OrdererSignature(identifier, message.identifier_header, message.signature)


def _der_length(length: int) -> bytes:
    if length < 0x80:  # noqa: PLR2004  the short form of X.690 8.1.3
        return bytes([length])
    encoded = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(encoded)]) + encoded


def _der_integer(value: int) -> bytes:
    encoded = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return b"\x02" + _der_length(len(encoded)) + encoded


def _der_octets(value: bytes) -> bytes:
    return b"\x04" + _der_length(len(value)) + value
