"""Transactions on a real network, as the official clients' shared scenarios have them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from fabric_protos.common import ledger_pb2

from client.gateway import CommitError, connect, grpc_channel
from tests.integration.gateway.deployment import ENDORSERS, fresh

if TYPE_CHECKING:
    from client.gateway import Contract, Gateway
    from tests.integration.gateway.deployment import Deployed

pytestmark = pytest.mark.network


@pytest.mark.parametrize("text", ["", "plain", "深圳市网贷机构出借人", "a\x00b", "🗳" * 1000])
def test_text_goes_there_and_back(contract: Contract, text: str) -> None:
    assert contract.evaluate("echo", text).decode() == text


def test_every_byte_goes_there_and_back(contract: Contract) -> None:
    everything = bytes(range(256)) * 4
    assert contract.evaluate("echo", everything) == everything
    assert contract.submit("echo", everything) == everything


def test_a_large_argument_goes_there_and_back(contract: Contract) -> None:
    large = b"\xff\x00" * 2_500_000  # more than gRPC's default limit of 4 MiB
    assert contract.evaluate("echo", large) == large


def test_arguments_keep_their_number_and_order(contract: Contract) -> None:
    assert json.loads(contract.evaluate("lengths", "", "a", b"\x00\x01", "")) == [0, 1, 2, 0]
    assert json.loads(contract.evaluate("lengths")) == []


def test_a_named_contract(deployed: Deployed, gateway: Gateway) -> None:
    contract = gateway.network(deployed.channel).contract(deployed.chaincode, "contract")
    assert contract.evaluate("echo", "x") == b"x"


def test_what_was_submitted_can_be_read_by_anybody(deployed: Deployed, contract: Contract) -> None:
    key = fresh("key")
    assert contract.submit("put", key, "value") == b"value"
    assert contract.evaluate("get", key) == b"value"
    with deployed.profile.gateway("RegulatorMSP", "auditor", via="AssociationMSP") as other:
        assert deployed.contract(other).evaluate("get", key) == b"value"


def test_what_was_evaluated_is_not_written(contract: Contract) -> None:
    key = fresh("key")
    assert contract.evaluate("put", key, "value") == b"value"
    assert contract.evaluate("get", key) == b""


def test_submit_async_has_the_result_before_the_commit(contract: Contract) -> None:
    key = fresh("key")
    submitted = contract.submit_async("put", key, "value")
    assert submitted.result == b"value"
    status = submitted.status()
    assert status.successful
    assert status.code_name == "VALID"
    assert status.block_number > 0
    assert status.transaction_id == submitted.transaction_id
    assert contract.evaluate("get", key) == b"value"


def test_stage_by_stage(contract: Contract) -> None:
    key = fresh("key")
    proposal = contract.new_proposal("put", arguments=[key, "value"])
    assert proposal.evaluate() == b"value"
    transaction = proposal.endorse()
    assert transaction.result == b"value"
    assert contract.evaluate("get", key) == b""
    commit = transaction.submit()
    status = commit.status()
    assert status.successful
    ids = {proposal.transaction_id, transaction.transaction_id, commit.transaction_id, status.transaction_id}
    assert len(ids) == 1
    assert contract.evaluate("get", key) == b"value"


def test_a_transaction_submitted_twice_counts_once(contract: Contract) -> None:
    key = fresh("counter")
    transaction = contract.new_proposal("increment", arguments=[key]).endorse()
    commit = transaction.submit()
    assert commit.status().successful
    again = transaction.submit()  # BFT orderers say that they have it, others take it and mark it invalid
    assert again.transaction_id == commit.transaction_id
    assert commit.status().successful
    assert contract.evaluate("get", key) == b"1"


def test_transient_data_reaches_the_chaincode(contract: Contract) -> None:
    transient: dict[str, str | bytes] = {"text": "词", "raw": b"\xff\x00"}
    assert contract.evaluate("transient", "raw", transient=transient) == b"\xff\x00"
    assert contract.submit("transient", "text", transient=transient).decode() == "词"


def test_the_asked_organization_answers(contract: Contract) -> None:
    names = {msp: contract.evaluate("whoami", endorsing_orgs=[msp]) for msp in ENDORSERS}
    assert len(set(names.values())) == len(ENDORSERS)


@pytest.mark.parametrize("leave_out", ENDORSERS)
def test_any_two_endorsers_will_do(contract: Contract, leave_out: str) -> None:
    key = fresh("key")
    orgs = [msp for msp in ENDORSERS if msp != leave_out]
    contract.submit("put", key, "value", endorsing_orgs=orgs)
    assert contract.evaluate("get", key) == b"value"


def test_a_gateway_without_the_chaincode_finds_the_endorsers(deployed: Deployed) -> None:
    key = fresh("key")
    with deployed.profile.gateway("InstitutionAMSP", "officer") as institution:
        submitted = deployed.contract(institution).submit_async("put", key, "value")
        assert submitted.result == b"value"
        block = submitted.status().block_number
        assert deployed.contract(institution).evaluate("echo", "x") == b"x"
    with deployed.profile.gateway("RegulatorMSP", "officer") as regulator:
        with deployed.network(regulator).filtered_block_events(start_block=block, stop_block=block) as blocks:
            list(blocks)  # by now that peer, too, has committed it
        assert deployed.contract(regulator).evaluate("get", key) == b"value"


def test_transient_data_leaves_a_gateway_without_the_chaincode_only_when_told(deployed: Deployed) -> None:
    with deployed.profile.gateway("InstitutionAMSP", "officer") as institution:
        contract = deployed.contract(institution)
        secret = {"secret": b"s"}
        assert contract.evaluate("transient", "secret", transient=secret, endorsing_orgs=ENDORSERS) == b"s"
        assert contract.submit("transient", "secret", transient=secret, endorsing_orgs=ENDORSERS[:2]) == b"s"


def test_two_identities_share_one_channel(deployed: Deployed) -> None:
    peer = deployed.profile.org("AssociationMSP").peers[0]
    with grpc_channel(peer.address, peer.tls_root.read_bytes()) as channel:
        for msp, role in (("AssociationMSP", "officer"), ("RegulatorMSP", "officer")):
            with connect(channel, *deployed.profile.signer(msp, role)) as gateway:
                assert deployed.contract(gateway).evaluate("echo", msp) == msp.encode()


def test_many_threads_share_one_contract(contract: Contract) -> None:
    keys = [fresh("key") for _ in range(24)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda key: contract.submit("put", key, key), keys))
        assert list(pool.map(lambda key: contract.evaluate("get", key).decode(), keys)) == keys


def test_the_gateway_finds_the_endorsers_that_a_key_needs(contract: Contract) -> None:
    key = fresh("key")
    contract.submit("put", key, "old")
    contract.submit("guard", key, *ENDORSERS)
    with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
        contract.submit("put", key, "two", endorsing_orgs=ENDORSERS[:2])
    contract.submit("put", key, "three")
    assert contract.evaluate("get", key) == b"three"


def test_system_chaincode_answers_too(deployed: Deployed, gateway: Gateway, contract: Contract) -> None:
    block = contract.submit_async("put", fresh("key"), "value").status().block_number
    answer = gateway.network(deployed.channel).contract("qscc").evaluate("GetChainInfo", deployed.channel)
    messages: Any = ledger_pb2
    assert messages.BlockchainInfo.FromString(answer).height == block + 1
