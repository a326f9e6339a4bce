import pytest

from client.gateway import Identity, grpc_channel
from client.gateway.errors import EndpointDetail, GatewayError


def test_half_a_client_certificate_is_refused(identity: Identity) -> None:
    with pytest.raises(ValueError, match="both"):
        grpc_channel("localhost:1", identity.cert_pem, client_cert=identity.cert_pem)


def test_a_client_certificate_without_a_server_root_is_refused(identity: Identity) -> None:
    with pytest.raises(ValueError, match="root"):
        grpc_channel("localhost:1", client_cert=identity.cert_pem, client_key=b"key")


def test_chaincode_messages_are_distinct_and_keep_their_lines() -> None:
    texts = [
        "chaincode response 500, A: x\ny",
        "down",
        "chaincode response 500, A: x\ny",
        "chaincode response 404, B",
    ]
    error = GatewayError("m", details=[EndpointDetail("a", "m", text) for text in texts])
    assert error.chaincode_messages == ("A: x\ny", "B")
