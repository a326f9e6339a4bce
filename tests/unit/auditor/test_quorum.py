"""Step 4: who signed a block, how often each counts, and what exactly each signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor import protobuf as pb
from auditor.errors import BlockError
from auditor.ledger import Ledger
from tests.unit.auditor.builder import Chain, sign

if TYPE_CHECKING:
    from collections.abc import Callable

THREE = ("AssociationMSP", "RegulatorMSP", "ArbitrationMSP")


def block_signed(chain: Chain, change: Callable[[pb.Message, pb.Message], None], *by: str) -> None:
    """Add a block whose signatures (in common.Metadata) a test changes; it is handed the block, too."""
    creator = chain.network.person("AssociationMSP", "relay")
    block = pb.common.Block.FromString(
        chain.add(chain.invoke(creator, "arbitration", [b"f"]), signers=by or THREE)
    )
    signed = pb.common.Metadata.FromString(block.metadata.metadata[0])
    change(signed, block)
    block.metadata.metadata[0] = signed.SerializeToString()
    chain.blocks[-1] = block.SerializeToString()


def follow(chain: Chain) -> None:
    ledger = Ledger(chain.channel, chain.genesis)
    for raw in chain.blocks:
        ledger.accept(raw)


def refused(chain: Chain) -> str:
    with pytest.raises(BlockError) as error:
        follow(chain)
    assert error.value.step == 4
    assert error.value.expected == "3 of 4"
    return str(error.value.found)


def resign(chain: Chain, signed: pb.Message, position: int, by: str, identifier: bytes) -> None:
    """Let `by` sign anew, under an identifier header of the test's making."""
    message = signed.value + identifier + chain.header(len(chain.blocks) - 1).encoded()
    signed.signatures[position].identifier_header = identifier
    signed.signatures[position].signature = sign(chain.network.orderers[by].key, message)


def header(number: int, nonce: bytes = b"n") -> bytes:
    raw: bytes = pb.common.IdentifierHeader(identifier=number, nonce=nonce).SerializeToString()
    return raw


def test_three_of_four_in_any_order(chain: Chain) -> None:
    block_signed(chain, lambda signed, _: signed.signatures.reverse())
    follow(chain)


def test_a_fourth_signature_may_be_wrong(chain: Chain) -> None:
    def spoil(signed: pb.Message, _: pb.Message) -> None:
        signed.signatures[1].signature = b"wrong"

    block_signed(chain, spoil, *THREE, "InstitutionAMSP")
    follow(chain)


def test_step_4_one_consenter_with_fresh_nonces_counts_once(chain: Chain) -> None:
    """Three signatures, each good, each over another header, all by one orderer."""

    def repeat(signed: pb.Message, _: pb.Message) -> None:
        for position in range(3):
            resign(chain, signed, position, "AssociationMSP", header(1, bytes([position])))

    block_signed(chain, repeat)
    assert refused(chain) == "1 ([1])"


def test_step_4_one_orderer_under_the_numbers_of_others(chain: Chain) -> None:
    def claim(signed: pb.Message, _: pb.Message) -> None:
        for position in range(3):
            resign(chain, signed, position, "AssociationMSP", header(position + 1))

    block_signed(chain, claim)
    assert refused(chain) == "1 ([1])"


def test_step_4_a_number_that_no_consenter_has(chain: Chain) -> None:
    block_signed(chain, lambda signed, _: resign(chain, signed, 2, "ArbitrationMSP", header(9)))
    assert refused(chain) == "2 ([1, 2])"


def test_step_4_an_identifier_header_changed_after_signing(chain: Chain) -> None:
    def change(signed: pb.Message, _: pb.Message) -> None:
        signed.signatures[2].identifier_header = header(3, b"another nonce")

    block_signed(chain, change)
    assert refused(chain) == "2 ([1, 2])"


def test_step_4_a_signature_without_identifier_header(chain: Chain) -> None:
    block_signed(chain, lambda signed, _: resign(chain, signed, 2, "ArbitrationMSP", b""))
    assert refused(chain) == "2 ([1, 2])"


def test_step_4_a_signature_header_beside_the_identifier(chain: Chain) -> None:
    """Which of the two names the signer would be the reader's choice."""

    def add(signed: pb.Message, _: pb.Message) -> None:
        identity = chain.network.orderers["ArbitrationMSP"].identity
        signed.signatures[2].signature_header = pb.common.SignatureHeader(
            creator=identity
        ).SerializeToString()

    block_signed(chain, add)
    assert refused(chain) == "2 ([1, 2])"


def test_step_4_a_signature_in_the_high_half(chain: Chain) -> None:
    def malleate(signed: pb.Message, _: pb.Message) -> None:
        identifier = signed.signatures[2].identifier_header
        message = signed.value + identifier + chain.header(len(chain.blocks) - 1).encoded()
        key = chain.network.orderers["ArbitrationMSP"].key
        signed.signatures[2].signature = sign(key, message, high=True)

    block_signed(chain, malleate)
    assert refused(chain) == "2 ([1, 2])"


def test_step_4_a_value_changed_after_signing(chain: Chain) -> None:
    def change(signed: pb.Message, _: pb.Message) -> None:
        signed.value += b"\x12\x00"  # consenter metadata: empty before and after, yet other bytes

    block_signed(chain, change)
    assert refused(chain) == "0 ([])"
