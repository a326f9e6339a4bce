from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from client.gateway import EvaluateError, connect, ecdsa_signer, grpc_channel
from client.gateway.errors import EndpointDetail, GatewayError
from client.gateway.protos import gateway_pb2

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

    from client.gateway import Identity
    from tests.unit.gateway.peer_double import Peer


def test_half_a_client_certificate_is_refused(identity: Identity) -> None:
    with pytest.raises(ValueError, match="both"):
        grpc_channel("localhost:1", identity.cert_pem, client_cert=identity.cert_pem)


def test_a_client_certificate_without_a_server_root_is_refused(identity: Identity) -> None:
    with pytest.raises(ValueError, match="root"):
        grpc_channel("localhost:1", client_cert=identity.cert_pem, client_key=b"key")


@pytest.mark.parametrize("root", [b"", b"garbage"])
def test_a_root_that_is_no_certificate_is_refused_at_once(root: bytes) -> None:
    with pytest.raises(ValueError, match="no PEM certificate"):
        grpc_channel("localhost:1", root)


def test_chaincode_messages_are_distinct_and_keep_their_lines() -> None:
    texts = [
        "chaincode response 500, A: x\ny",
        "down",
        "chaincode response 500, A: x\ny",
        "chaincode response 404, B",
    ]
    error = GatewayError("m", details=[EndpointDetail("a", "m", text) for text in texts])
    assert error.chaincode_messages == ("A: x\ny", "B")


def test_a_message_as_large_as_fabrics_largest_block_is_taken(
    peer: Peer, identity: Identity, key: ec.EllipticCurvePrivateKey
) -> None:
    large = bytes(100 * 1024 * 1024)
    peer.evaluate = lambda _: gateway_pb2.EvaluateResponse(result={"payload": large})
    with connect(grpc_channel(peer.target), identity, ecdsa_signer(key), close_channel=True) as gateway:
        assert len(gateway.network("c").contract("b").evaluate("fn")) == len(large)


def test_the_limit_of_a_message_can_be_lowered(
    peer: Peer, identity: Identity, key: ec.EllipticCurvePrivateKey
) -> None:
    peer.evaluate = lambda _: gateway_pb2.EvaluateResponse(result={"payload": bytes(2000)})
    channel = grpc_channel(peer.target, max_message_bytes=1500)
    with (
        connect(channel, identity, ecdsa_signer(key), close_channel=True) as gateway,
        pytest.raises(EvaluateError) as caught,
    ):
        gateway.network("c").contract("b").evaluate("fn")
    assert caught.value.grpc_code is grpc.StatusCode.RESOURCE_EXHAUSTED
