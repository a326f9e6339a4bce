"""Streams of events against a scripted peer: where they start, what they yield, how they end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from client.gateway import (
    BlockKind,
    ChaincodeEvent,
    EventsError,
    Identity,
    InMemoryCheckpointer,
    connect,
    ecdsa_signer,
)
from client.gateway.protos import common_pb2, events_pb2, gateway_pb2
from tests.unit.gateway.peer_double import Refusal, seek_info

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.gateway import Checkpoint, Gateway, Network
    from tests.unit.gateway.peer_double import Peer


@pytest.fixture
def network(gateway: Gateway) -> Network:
    return gateway.network("mychannel")


def response(block: int, *transactions: str) -> Any:
    return gateway_pb2.ChaincodeEventsResponse(
        block_number=block,
        events=[
            {"chaincode_id": "basic", "tx_id": tx, "event_name": "made", "payload": tx.encode()}
            for tx in transactions
        ],
    )


def asked_for(peer: Peer) -> Any:
    return gateway_pb2.ChaincodeEventsRequest.FromString(peer.last("events").request)


def test_events_come_one_by_one_and_then_end(peer: Peer, network: Network) -> None:
    peer.events = lambda _: iter([response(3, "t1", "t2"), response(4), response(5, "t3")])
    with network.chaincode_events("basic") as events:
        assert list(events) == [
            ChaincodeEvent(3, "t1", "basic", "made", b"t1"),
            ChaincodeEvent(3, "t2", "basic", "made", b"t2"),
            ChaincodeEvent(5, "t3", "basic", "made", b"t3"),
        ]


def checkpoint_at(block: int, transaction: str | None = None) -> InMemoryCheckpointer:
    checkpointer = InMemoryCheckpointer()
    if transaction is None:
        checkpointer.checkpoint_block(block - 1)
    else:
        checkpointer.checkpoint_transaction(block, transaction)
    return checkpointer


@pytest.mark.parametrize(
    ("start", "checkpoint", "expected"),
    [
        (None, None, (None, "")),
        (None, InMemoryCheckpointer(), (None, "")),
        (0, None, (0, "")),
        (5, InMemoryCheckpointer(), (5, "")),
        (5, checkpoint_at(9), (9, "")),
        (None, checkpoint_at(0, "t0"), (0, "t0")),
        (5, checkpoint_at(9, "t1"), (9, "t1")),
    ],
)
def test_a_stream_starts_at_the_checkpoint_or_the_block_or_the_next_commit(
    peer: Peer,
    network: Network,
    start: int | None,
    checkpoint: Checkpoint | None,
    expected: tuple[int | None, str],
) -> None:
    position, after = expected
    list(network.chaincode_events("basic", start_block=start, checkpoint=checkpoint))
    request = asked_for(peer)
    assert (request.channel_id, request.chaincode_id) == ("mychannel", "basic")
    assert request.after_transaction_id == after
    list(network.block_events(start_block=start, checkpoint=checkpoint))
    _, seek = seek_info(peer.last("block"))
    for found in (request.start_position, seek.start):
        if position is None:
            assert found.WhichOneof("Type") == "next_commit"
        else:
            assert found.specified.number == position


def test_a_stream_is_closed_from_another_thread(peer: Peer, network: Network) -> None:
    peer.events = lambda _: peer.stall_after(response(1, "t1"))
    seen: list[ChaincodeEvent] = []
    arrived = threading.Event()
    events = network.chaincode_events("basic")

    def read() -> None:
        for event in events:
            seen.append(event)
            arrived.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert arrived.wait(10)
    events.close()
    reader.join(10)
    assert not reader.is_alive()
    assert len(seen) == 1
    assert next(events, None) is None
    events.close()


def test_leaving_the_block_closes_the_stream(peer: Peer, network: Network) -> None:
    peer.events = lambda _: peer.stall_after(response(1, "t1", "t2"))
    with network.chaincode_events("basic") as events:
        assert next(events).transaction_id == "t1"
    assert next(events, None) is None  # t2 had arrived, but the stream is closed


def test_closing_the_gateway_ends_its_streams(
    peer: Peer, channel: grpc.Channel, identity: Identity, key: ec.EllipticCurvePrivateKey
) -> None:
    peer.events = lambda _: peer.stall_after()
    gateway = connect(channel, identity, ecdsa_signer(key))
    events = gateway.network("mychannel").chaincode_events("basic")
    reader = threading.Thread(target=lambda: list(events))
    reader.start()
    gateway.close()
    reader.join(10)
    assert not reader.is_alive()


def test_a_gateway_closes_the_channel_that_it_owns(
    peer: Peer, identity: Identity, key: ec.EllipticCurvePrivateKey
) -> None:
    channel = grpc.insecure_channel(peer.target)
    with connect(channel, identity, ecdsa_signer(key), close_channel=True) as gateway:
        contract = gateway.network("mychannel").contract("basic")
        contract.evaluate("fn")
    with pytest.raises(ValueError, match="closed channel"):
        contract.evaluate("fn")


def test_a_broken_stream_is_an_error(peer: Peer, network: Network) -> None:
    def events(_request: Any) -> Iterator[Any]:
        yield response(1, "t1")
        raise Refusal(grpc.StatusCode.UNAVAILABLE, "the peer goes down")

    peer.events = events
    with network.chaincode_events("basic") as stream:
        next(stream)
        with pytest.raises(EventsError, match="the peer goes down") as caught:
            next(stream)
    assert caught.value.grpc_code is grpc.StatusCode.UNAVAILABLE


def block(number: int) -> Any:
    return events_pb2.DeliverResponse(block={"header": {"number": number}})


def test_blocks_end_at_the_stop_block(peer: Peer, network: Network) -> None:
    peer.deliver = lambda *_: iter([block(3), block(4), events_pb2.DeliverResponse(status=200), block(5)])
    with network.block_events(start_block=3, stop_block=4) as blocks:
        assert [next(blocks).header.number for _ in range(2)] == [3, 4]
    header, seek = seek_info(peer.last("block"))
    assert (header.type, header.channel_id) == (common_pb2.DELIVER_SEEK_INFO, "mychannel")
    assert (seek.start.specified.number, seek.stop.specified.number) == (3, 4)
    assert seek.behavior == seek.BLOCK_UNTIL_READY


def test_without_a_stop_block_a_stream_goes_on_for_ever(peer: Peer, network: Network) -> None:
    list(network.block_events(start_block=0))
    _, seek = seek_info(peer.last("block"))
    assert seek.stop.specified.number == 2**64 - 1


def test_a_peers_refusal_of_blocks_is_named(peer: Peer, network: Network) -> None:
    peer.deliver = lambda *_: iter([events_pb2.DeliverResponse(status=403)])
    with (
        network.filtered_block_events() as blocks,
        pytest.raises(EventsError, match=r"FORBIDDEN \(403\)"),
    ):
        next(blocks)


def test_a_status_unknown_here_is_still_an_error(peer: Peer, network: Network) -> None:
    peer.deliver = lambda *_: iter([events_pb2.DeliverResponse(status=499)])
    with network.block_events() as blocks, pytest.raises(EventsError, match="499"):
        next(blocks)


def test_each_kind_of_block_has_its_stream(peer: Peer, network: Network) -> None:
    responses = {
        "block": block(1),
        "filtered_block": events_pb2.DeliverResponse(filtered_block={"number": 2}),
        "block_and_private_data": events_pb2.DeliverResponse(
            block_and_private_data={"block": {"header": {"number": 3}}}
        ),
    }
    peer.deliver = lambda kind, _: iter([responses[kind]])
    assert [b.header.number for b in network.block_events()] == [1]
    assert [b.number for b in network.filtered_block_events()] == [2]
    assert [b.block.header.number for b in network.block_and_private_data_events()] == [3]


@pytest.mark.parametrize("kind", BlockKind)
def test_requests_for_blocks_can_be_signed_offline(
    peer: Peer,
    channel: grpc.Channel,
    identity: Identity,
    key: ec.EllipticCurvePrivateKey,
    kind: BlockKind,
) -> None:
    gateway = connect(channel, identity)
    unsigned = gateway.network("mychannel").new_block_events_request(kind, start_block=1)
    signature = ecdsa_signer(key)(unsigned.digest)
    list(gateway.new_signed_block_events_request(unsigned.to_bytes(), signature, kind).events())
    envelope = peer.last(kind.value)
    key.public_key().verify(envelope.signature, envelope.payload, ec.ECDSA(hashes.SHA256()))


def test_requests_for_chaincode_events_can_be_signed_offline(
    peer: Peer, channel: grpc.Channel, identity: Identity, key: ec.EllipticCurvePrivateKey
) -> None:
    gateway = connect(channel, identity)
    unsigned = gateway.network("mychannel").new_chaincode_events_request("basic", start_block=2)
    signature = ecdsa_signer(key)(unsigned.digest)
    list(gateway.new_signed_chaincode_events_request(unsigned.to_bytes(), signature).events())
    signed = peer.last("events")
    key.public_key().verify(signed.signature, signed.request, ec.ECDSA(hashes.SHA256()))
    assert asked_for(peer).start_position.specified.number == 2


def test_block_streams_are_bound_to_the_tls_client_certificate(
    peer: Peer, channel: grpc.Channel, identity: Identity, key: ec.EllipticCurvePrivateKey
) -> None:
    gateway = connect(channel, identity, ecdsa_signer(key), tls_client_cert_pem=identity.cert_pem)
    list(gateway.network("mychannel").block_events())
    header, _ = seek_info(peer.last("block"))
    certificate = x509.load_pem_x509_certificate(identity.cert_pem)
    assert header.tls_cert_hash == certificate.fingerprint(hashes.SHA256())
