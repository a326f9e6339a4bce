import hashlib
from typing import Any

import pytest

from client.gateway import Contract, Gateway, Identity, MalformedError
from client.gateway.protos import (
    chaincode_pb2,
    common_pb2,
    gateway_pb2,
    identities_pb2,
    proposal_pb2,
)


@pytest.fixture
def contract(gateway: Gateway) -> Contract:
    return gateway.network("mychannel").contract("basic")


def unpacked(data: bytes) -> tuple[Any, Any, Any, Any, Any]:
    """Channel header, signature header, payload, invocation and extension of `Proposal.to_bytes`."""
    proposed = gateway_pb2.ProposedTransaction.FromString(data)
    proposal = proposal_pb2.Proposal.FromString(proposed.proposal.proposal_bytes)
    header = common_pb2.Header.FromString(proposal.header)
    payload = proposal_pb2.ChaincodeProposalPayload.FromString(proposal.payload)
    channel_header = common_pb2.ChannelHeader.FromString(header.channel_header)
    return (
        channel_header,
        common_pb2.SignatureHeader.FromString(header.signature_header),
        payload,
        chaincode_pb2.ChaincodeInvocationSpec.FromString(payload.input),
        proposal_pb2.ChaincodeHeaderExtension.FromString(channel_header.extension),
    )


def test_the_header_names_channel_chaincode_and_creator(contract: Contract, identity: Identity) -> None:
    proposal = contract.new_proposal("fn")
    channel, signature, _, invocation, extension = unpacked(proposal.to_bytes())
    creator = identities_pb2.SerializedIdentity.FromString(signature.creator)
    assert (creator.mspid, creator.id_bytes) == ("Org1MSP", identity.cert_pem)
    assert channel.type == common_pb2.ENDORSER_TRANSACTION
    assert channel.channel_id == "mychannel"
    assert channel.timestamp.seconds > 0
    assert extension.chaincode_id.name == "basic"
    assert invocation.chaincode_spec.chaincode_id.name == "basic"


def test_the_transaction_id_is_the_hash_of_nonce_and_creator(contract: Contract) -> None:
    proposal = contract.new_proposal("fn")
    channel, signature, *_ = unpacked(proposal.to_bytes())
    expected = hashlib.sha256(signature.nonce + signature.creator).hexdigest()
    assert proposal.transaction_id == channel.tx_id == expected
    assert len(signature.nonce) == 24


def test_no_two_proposals_share_a_nonce(contract: Contract) -> None:
    assert len({contract.new_proposal("fn").transaction_id for _ in range(50)}) == 50


def test_arguments_are_utf8_or_raw_bytes(contract: Contract) -> None:
    proposal = contract.new_proposal("fn", arguments=["协和", b"\xff\x00", ""])
    *_, invocation, _ = unpacked(proposal.to_bytes())
    assert list(invocation.chaincode_spec.input.args) == [b"fn", "协和".encode(), b"\xff\x00", b""]


def test_a_named_contract_prefixes_the_function(gateway: Gateway) -> None:
    contract = gateway.network("mychannel").contract("basic", "assets")
    *_, invocation, _ = unpacked(contract.new_proposal("fn").to_bytes())
    assert list(invocation.chaincode_spec.input.args) == [b"assets:fn"]


def test_transient_data_is_in_the_payload_only(contract: Contract) -> None:
    proposal = contract.new_proposal("fn", transient={"secret": "词", "raw": b"\xfe"})
    _, _, payload, invocation, _ = unpacked(proposal.to_bytes())
    assert dict(payload.TransientMap) == {"secret": "词".encode(), "raw": b"\xfe"}
    assert list(invocation.chaincode_spec.input.args) == [b"fn"]


def test_endorsing_organizations_travel_beside_the_proposal(contract: Contract) -> None:
    proposal = contract.new_proposal("fn", endorsing_orgs=["B", "A"])
    proposed = gateway_pb2.ProposedTransaction.FromString(proposal.to_bytes())
    assert list(proposed.endorsing_organizations) == ["B", "A"]


def test_the_digest_is_of_the_bytes_that_are_sent(contract: Contract) -> None:
    proposal = contract.new_proposal("fn")
    proposed = gateway_pb2.ProposedTransaction.FromString(proposal.to_bytes())
    assert proposal.digest == hashlib.sha256(proposed.proposal.proposal_bytes).digest()


def test_a_proposal_survives_its_bytes(gateway: Gateway, contract: Contract) -> None:
    proposal = contract.new_proposal("fn", arguments=["a"], endorsing_orgs=["A"])
    again = gateway.new_proposal(proposal.to_bytes())
    assert again.transaction_id == proposal.transaction_id
    assert again.digest == proposal.digest
    assert again.to_bytes() == proposal.to_bytes()


@pytest.mark.parametrize("reader", ["new_proposal", "new_transaction", "new_commit"])
def test_other_bytes_are_refused(gateway: Gateway, reader: str) -> None:
    with pytest.raises(MalformedError, match="3 bytes are not a"):
        getattr(gateway, reader)(b"\xff\xff\xff")
