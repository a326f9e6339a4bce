"""What fails on a real network says at which stage, for which transaction, and who said what."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from client.gateway import (
    CommitError,
    CommitStatusError,
    EndorseError,
    EvaluateError,
    Identity,
    connect,
    ecdsa_signer,
    grpc_channel,
)
from client.gateway.protos import gateway_pb2
from tests.integration.gateway.deployment import fresh

if TYPE_CHECKING:
    from client.gateway import Contract, Gateway
    from tests.integration.gateway.deployment import Deployed

pytestmark = pytest.mark.network


def test_a_failed_query_carries_the_chaincodes_words(contract: Contract) -> None:
    with pytest.raises(EvaluateError) as caught:
        contract.evaluate("fail", "CODE: 不行", endorsing_orgs=["RegulatorMSP"])
    error = caught.value
    assert error.grpc_code is grpc.StatusCode.UNKNOWN
    assert error.chaincode_messages == ("CODE: 不行",)
    assert [detail.msp_id for detail in error.details] == ["RegulatorMSP"]
    assert error.details[0].address
    assert error.transaction_id is not None
    assert len(error.transaction_id) == 64


def test_a_refused_endorsement_names_every_endorser_that_refused(
    deployed: Deployed, contract: Contract
) -> None:
    orgs = ["AssociationMSP", "RegulatorMSP"]
    with pytest.raises(EndorseError) as caught:
        contract.submit("fail", "CODE: no", endorsing_orgs=orgs)
    error = caught.value
    assert error.grpc_code is grpc.StatusCode.ABORTED
    assert {detail.msp_id for detail in error.details} == set(orgs)
    assert {detail.message for detail in error.details} == {"chaincode response 500, CODE: no"}
    assert error.chaincode_messages == ("CODE: no",)
    assert not error.outcome_unknown
    for expected in ("RegulatorMSP", "CODE: no", str(error.transaction_id)):
        assert expected in str(error)


def test_one_refusal_of_two_names_its_endorser(contract: Contract) -> None:
    name = contract.evaluate("whoami", endorsing_orgs=["ArbitrationMSP"])
    with pytest.raises(EndorseError) as caught:
        contract.submit("failAt", name, endorsing_orgs=["RegulatorMSP", "ArbitrationMSP"])
    assert [detail.msp_id for detail in caught.value.details] == ["ArbitrationMSP"]
    assert caught.value.chaincode_messages[0].startswith("REFUSED: ")


def test_an_endorser_that_refuses_is_replaced_by_another(contract: Contract) -> None:
    name = contract.evaluate("whoami", endorsing_orgs=["ArbitrationMSP"])
    contract.submit("failAt", name)


def test_endorsers_that_disagree_are_named(contract: Contract) -> None:
    with pytest.raises(EndorseError) as caught:
        contract.submit("disagree", endorsing_orgs=["AssociationMSP", "RegulatorMSP"])
    assert any("do not match" in detail.message for detail in caught.value.details)


@pytest.mark.parametrize(("channel", "chaincode"), [("missing", "identity"), (None, "missing")])
def test_what_does_not_exist_is_an_endorse_error(
    deployed: Deployed, gateway: Gateway, channel: str | None, chaincode: str
) -> None:
    contract = gateway.network(channel or deployed.channel).contract(chaincode)
    with pytest.raises(EndorseError, match="missing"):
        contract.submit("echo", "x")
    with pytest.raises(EvaluateError, match="missing"):
        contract.evaluate("echo", "x")


def test_an_unknown_function_is_the_chaincodes_refusal(contract: Contract) -> None:
    with pytest.raises(EvaluateError) as caught:
        contract.evaluate("missing")
    assert caught.value.chaincode_messages == ('unknown function "missing"',)


@pytest.mark.parametrize("alone", ["AssociationMSP", "RegulatorMSP"])
def test_too_few_endorsements_are_found_at_the_commit(contract: Contract, alone: str) -> None:
    key = fresh("key")
    with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE") as caught:
        contract.submit("put", key, "value", endorsing_orgs=[alone])
    assert caught.value.code_name == "ENDORSEMENT_POLICY_FAILURE"
    assert caught.value.block_number > 0
    assert contract.evaluate("get", key) == b""


def test_the_loser_of_a_conflict_is_told_so(contract: Contract) -> None:
    key = fresh("counter")
    first, second = (contract.new_proposal("increment", arguments=[key]).endorse() for _ in range(2))
    assert first.submit().status().successful
    status = second.submit().status()
    assert not status.successful
    assert status.code_name == "MVCC_READ_CONFLICT"
    assert contract.evaluate("get", key) == b"1"


def test_a_key_that_is_not_the_certificates_is_refused(deployed: Deployed) -> None:
    peer = deployed.profile.org("AssociationMSP").peers[0]
    identity, _ = deployed.profile.signer("AssociationMSP", "officer")
    stranger = ecdsa_signer(ec.generate_private_key(ec.SECP256R1()))
    channel = grpc_channel(peer.address, peer.tls_root.read_bytes())
    with connect(channel, identity, stranger, close_channel=True) as gateway:
        contract = deployed.contract(gateway)
        with pytest.raises(EndorseError, match="access denied"):
            contract.submit("echo", "x")
        with pytest.raises(EvaluateError, match="access denied"):
            contract.evaluate("echo", "x")


def test_an_msp_that_is_not_the_certificates_is_refused(deployed: Deployed) -> None:
    peer = deployed.profile.org("AssociationMSP").peers[0]
    identity, sign = deployed.profile.signer("InstitutionAMSP", "officer")
    impostor = Identity("AssociationMSP", identity.cert_pem)
    channel = grpc_channel(peer.address, peer.tls_root.read_bytes())
    with (
        connect(channel, impostor, sign, close_channel=True) as gateway,
        pytest.raises(EndorseError),
    ):
        deployed.contract(gateway).submit("echo", "x")


def test_each_stage_can_run_out_of_time(deployed: Deployed) -> None:
    profile = deployed.profile
    with profile.gateway("AssociationMSP", "officer", evaluate_timeout=0.0001) as gateway:
        with pytest.raises(EvaluateError) as evaluated:
            deployed.contract(gateway).evaluate("echo", "x")
        assert evaluated.value.timed_out
    with profile.gateway("AssociationMSP", "officer", endorse_timeout=0.0001) as gateway:
        with pytest.raises(EndorseError) as endorsed:
            deployed.contract(gateway).submit("echo", "x")
        assert endorsed.value.timed_out


def test_a_transaction_that_was_never_submitted_has_no_status(deployed: Deployed, gateway: Gateway) -> None:
    contract = deployed.contract(gateway)
    known = contract.submit_async("put", fresh("key"), "value")
    request = gateway_pb2.SignedCommitStatusRequest.FromString(known.to_bytes())
    inner = gateway_pb2.CommitStatusRequest.FromString(request.request)
    inner.transaction_id = contract.new_proposal("echo").transaction_id
    request.request = inner.SerializeToString()
    with pytest.raises(CommitStatusError) as caught:
        gateway.new_commit(request.SerializeToString()).status(timeout=0.5)
    assert caught.value.timed_out
    assert caught.value.outcome_unknown
    assert caught.value.transaction_id == inner.transaction_id


def test_nobody_at_the_address_is_unavailable(deployed: Deployed) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{probe.getsockname()[1]}"
        root = deployed.profile.org("AssociationMSP").peers[0].tls_root.read_bytes()
        signer = deployed.profile.signer("AssociationMSP", "officer")
        with connect(grpc_channel(target, root), *signer, close_channel=True) as gateway:
            with pytest.raises(EndorseError) as caught:
                deployed.contract(gateway).submit("echo", "x")
            assert caught.value.grpc_code is grpc.StatusCode.UNAVAILABLE
            assert not caught.value.outcome_unknown
