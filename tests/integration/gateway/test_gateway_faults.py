"""Processes die under a connected client: it is told clearly, and goes on when they are back."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

import grpc
import pytest

from client.gateway import CommitStatusError, EvaluateError, EventsError, GatewayError, InMemoryCheckpointer
from tests.integration.gateway.deployment import ENDORSERS, fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from client.gateway import Contract
    from network.running import RunningNetwork
    from tests.integration.gateway.deployment import Deployed

pytestmark = [pytest.mark.network, pytest.mark.fault]


def eventually(call: Callable[[], object]) -> None:
    """Call until it succeeds; after a minute and a half its own error comes through."""
    pace, given_up = threading.Event(), monotonic() + 90
    while True:
        try:
            call()
        except GatewayError:
            if monotonic() > given_up:
                raise
            pace.wait(0.1)
        else:
            return


def await_answers(contract: Contract) -> None:
    """Wait until every endorser answers, and the gateway's peer knows enough of them to endorse."""
    for msp in ENDORSERS:
        eventually(lambda msp=msp: contract.evaluate("whoami", endorsing_orgs=[msp]))  # type: ignore[misc]
    eventually(lambda: contract.new_proposal("put", arguments=[fresh("key"), "x"]).endorse())


@pytest.fixture(autouse=True)
def mended(contract: Contract) -> Iterator[None]:
    """Leave the network as the other tests need it, whatever happened."""
    yield
    await_answers(contract)


def test_chaincode_that_crashes_is_named_at_every_peer_and_comes_back(contract: Contract) -> None:
    with pytest.raises(EvaluateError) as caught:
        contract.evaluate("crash")
    assert caught.value.grpc_code is grpc.StatusCode.ABORTED
    assert {detail.msp_id for detail in caught.value.details} == set(ENDORSERS)
    assert all(detail.message.endswith("chaincode stream terminated") for detail in caught.value.details)
    assert caught.value.chaincode_messages == ()
    await_answers(contract)  # its supervisor has started it again


def test_a_reader_whose_peer_dies_resumes_from_its_checkpoint(
    deployed: Deployed, network: RunningNetwork, contract: Contract
) -> None:
    name = fresh("event")
    checkpointer = InMemoryCheckpointer()
    start = contract.submit_async("emit", name, "before").status().block_number
    with deployed.profile.gateway("RegulatorMSP", "officer") as gateway:
        ledger = deployed.network(gateway)
        with ledger.chaincode_events(deployed.chaincode, start_block=start) as events:
            event = next(event for event in events if event.event_name == name)
            checkpointer.checkpoint_chaincode_event(event)
            network.kill("peer0.regulator")
            with pytest.raises(EventsError) as caught:
                next(events)
        assert caught.value.grpc_code is grpc.StatusCode.UNAVAILABLE
        with pytest.raises(EvaluateError) as refused:
            deployed.contract(gateway).evaluate("whoami")
        assert refused.value.grpc_code is grpc.StatusCode.UNAVAILABLE
        # The others endorse without it, as soon as their gateways have noticed.
        contract.submit("emit", name, "meanwhile", endorsing_orgs=["AssociationMSP", "ArbitrationMSP"])
        network.start("peer0.regulator")
        await_answers(deployed.contract(gateway))
        with ledger.chaincode_events(deployed.chaincode, checkpoint=checkpointer) as events:
            event = next(event for event in events if event.event_name == name)
        assert event.payload == b"meanwhile"


def test_a_commit_can_be_awaited_at_another_peer(deployed: Deployed, network: RunningNetwork) -> None:
    with (
        deployed.profile.gateway("AssociationMSP", "officer", via="RegulatorMSP") as first,
        deployed.profile.gateway("AssociationMSP", "officer", via="ArbitrationMSP") as second,
    ):
        commit = deployed.contract(first).submit_async("put", fresh("key"), "value")
        network.kill("peer0.regulator")
        try:
            with pytest.raises(CommitStatusError) as caught:
                commit.status(timeout=30)
            assert caught.value.outcome_unknown
            assert second.new_commit(commit.to_bytes()).status().successful
        finally:
            network.start("peer0.regulator")
        await_answers(deployed.contract(first))  # connected again
        assert commit.status().successful
