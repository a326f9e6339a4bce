"""Who may be talked to, and who may talk: TLS on the real network, mutual TLS on a server of our own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from client.gateway import EvaluateError, Identity, connect, ecdsa_signer, grpc_channel
from client.gateway.protos import gateway_pb2_grpc
from tests.unit.gateway.peer_double import Peer, PeerServicer, self_signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway.deployment import Deployed


def echo(deployed: Deployed, channel: grpc.Channel) -> bytes:
    with connect(
        channel,
        *deployed.profile.signer("AssociationMSP", "officer"),
        evaluate_timeout=10,
        close_channel=True,
    ) as gateway:
        return deployed.contract(gateway).evaluate("echo", "x")


@pytest.mark.network
def test_a_server_under_another_root_is_not_talked_to(deployed: Deployed) -> None:
    peer = deployed.profile.org("AssociationMSP").peers[0]
    other = deployed.profile.org("RegulatorMSP").peers[0].tls_root.read_bytes()
    with pytest.raises(EvaluateError) as caught:
        echo(deployed, grpc_channel(peer.address, other))
    assert caught.value.grpc_code is grpc.StatusCode.UNAVAILABLE


@pytest.mark.network
def test_a_plain_channel_to_a_tls_server_fails(deployed: Deployed) -> None:
    peer = deployed.profile.org("AssociationMSP").peers[0]
    with pytest.raises(EvaluateError) as caught:
        echo(deployed, grpc_channel(peer.address))
    assert caught.value.grpc_code is grpc.StatusCode.UNAVAILABLE


@pytest.mark.network
def test_the_expected_name_must_be_in_the_certificate(deployed: Deployed) -> None:
    peer = deployed.profile.org("AssociationMSP").peers[0]
    root = peer.tls_root.read_bytes()
    assert echo(deployed, grpc_channel(peer.address, root, server_name=peer.name)) == b"x"
    with pytest.raises(EvaluateError) as caught:
        echo(deployed, grpc_channel(peer.address, root, server_name="peer0.somebody-else"))
    assert caught.value.grpc_code is grpc.StatusCode.UNAVAILABLE


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def server_certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


class MutualTls:
    """A server that asks its clients for one certificate."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self.root = server_certificate(key)
        self.client_key = ec.generate_private_key(ec.SECP256R1())
        self.client_certificate = self_signed(self.client_key)
        self.server = grpc.server(ThreadPoolExecutor(2))
        credentials = grpc.ssl_server_credentials(
            [(key_pem(key), self.root)],
            root_certificates=self.client_certificate,
            require_client_auth=True,
        )
        port = self.server.add_secure_port("127.0.0.1:0", credentials)
        self.peer = Peer(f"127.0.0.1:{port}")
        gateway_pb2_grpc.add_GatewayServicer_to_server(PeerServicer(self.peer), self.server)
        self.server.start()

    def evaluate(self, certificate: bytes | None, key: ec.EllipticCurvePrivateKey | None) -> bytes:
        channel = grpc_channel(
            self.peer.target,
            self.root,
            client_cert=certificate,
            client_key=None if key is None else key_pem(key),
        )
        identity = Identity("Org1MSP", self.client_certificate)
        with connect(
            channel, identity, ecdsa_signer(self.client_key), evaluate_timeout=10, close_channel=True
        ) as gateway:
            return gateway.network("c").contract("b").evaluate("fn")


@pytest.fixture
def mutual() -> Iterator[MutualTls]:
    opened = MutualTls()
    try:
        yield opened
    finally:
        opened.server.stop(None).wait()


def test_mutual_tls_lets_the_known_client_in(mutual: MutualTls) -> None:
    assert mutual.evaluate(mutual.client_certificate, mutual.client_key) == b"evaluated"


def test_mutual_tls_keeps_the_unknown_and_the_nameless_out(mutual: MutualTls) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    for certificate, key in ((None, None), (self_signed(stranger), stranger)):
        with pytest.raises(EvaluateError) as caught:
            mutual.evaluate(certificate, key)
        assert caught.value.grpc_code is grpc.StatusCode.UNAVAILABLE
