"""Every request signed away from the connection, as with an HSM that no gateway can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from client.gateway import (
    BlockKind,
    CommitStatusError,
    EndorseError,
    EventsError,
    Gateway,
    SubmitError,
    connect,
    grpc_channel,
)
from tests.integration.gateway.deployment import fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from client.gateway import Network
    from tests.integration.gateway.deployment import Deployed

pytestmark = pytest.mark.network


@pytest.fixture
def sign(deployed: Deployed) -> Callable[[bytes], bytes]:
    return deployed.profile.signer("AssociationMSP", "officer")[1]


@pytest.fixture
def unsigned(deployed: Deployed) -> Iterator[Gateway]:
    """A gateway that holds no key."""
    peer = deployed.profile.org("AssociationMSP").peers[0]
    identity, _ = deployed.profile.signer("AssociationMSP", "officer")
    channel = grpc_channel(peer.address, peer.tls_root.read_bytes())
    with connect(channel, identity, close_channel=True) as opened:
        yield opened


@pytest.fixture
def ledger(deployed: Deployed, unsigned: Gateway) -> Network:
    return deployed.network(unsigned)


def test_a_transaction_through_all_its_stages(
    deployed: Deployed, unsigned: Gateway, sign: Callable[[bytes], bytes]
) -> None:
    key = fresh("key")
    proposal = deployed.contract(unsigned).new_proposal("put", arguments=[key, "value"])
    proposal = unsigned.new_signed_proposal(proposal.to_bytes(), sign(proposal.digest))
    assert proposal.evaluate() == b"value"
    transaction = proposal.endorse()
    transaction = unsigned.new_signed_transaction(transaction.to_bytes(), sign(transaction.digest))
    assert transaction.result == b"value"
    commit = transaction.submit()
    commit = unsigned.new_signed_commit(commit.to_bytes(), sign(commit.digest))
    assert commit.status().successful


def test_a_wrong_signature_is_refused_at_each_stage(
    deployed: Deployed, unsigned: Gateway, sign: Callable[[bytes], bytes]
) -> None:
    wrong = sign(b"\x00" * 32)
    proposal = deployed.contract(unsigned).new_proposal("put", arguments=[fresh("key"), "value"])
    with pytest.raises(EndorseError):
        unsigned.new_signed_proposal(proposal.to_bytes(), wrong).endorse()
    transaction = unsigned.new_signed_proposal(proposal.to_bytes(), sign(proposal.digest)).endorse()
    with pytest.raises(SubmitError):
        unsigned.new_signed_transaction(transaction.to_bytes(), wrong).submit()
    commit = unsigned.new_signed_transaction(transaction.to_bytes(), sign(transaction.digest)).submit()
    with pytest.raises(CommitStatusError, match="PERMISSION_DENIED"):
        unsigned.new_signed_commit(commit.to_bytes(), wrong).status()
    assert unsigned.new_signed_commit(commit.to_bytes(), sign(commit.digest)).status().successful


def test_chaincode_events(
    deployed: Deployed, unsigned: Gateway, ledger: Network, gateway: Gateway, sign: Callable[[bytes], bytes]
) -> None:
    name = fresh("event")
    submitted = deployed.contract(gateway).submit_async("emit", name, "payload")
    block = submitted.status().block_number
    request = ledger.new_chaincode_events_request(deployed.chaincode, start_block=block)
    with pytest.raises(EventsError):
        next(unsigned.new_signed_chaincode_events_request(request.to_bytes(), sign(b"\x00" * 32)).events())
    signed = unsigned.new_signed_chaincode_events_request(request.to_bytes(), sign(request.digest))
    with signed.events() as events:
        found = next(event for event in events if event.event_name == name)
    assert (found.transaction_id, found.block_number) == (submitted.transaction_id, block)


@pytest.mark.parametrize("kind", BlockKind)
def test_block_events(
    unsigned: Gateway, ledger: Network, sign: Callable[[bytes], bytes], kind: BlockKind
) -> None:
    request = ledger.new_block_events_request(kind, start_block=0, stop_block=0)
    with pytest.raises(EventsError, match="FORBIDDEN"):
        next(unsigned.new_signed_block_events_request(request.to_bytes(), sign(b"\x00" * 32), kind).events())
    signed = unsigned.new_signed_block_events_request(request.to_bytes(), sign(request.digest), kind)
    with signed.events() as events:
        assert len(list(events)) == 1
