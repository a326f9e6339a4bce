from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from client.gateway import Gateway, Identity, connect, ecdsa_signer
from client.gateway.protos import events_pb2_grpc, gateway_pb2_grpc
from tests.unit.gateway.peer_double import Peer, PeerServicer, self_signed

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session")
def identity(key: ec.EllipticCurvePrivateKey) -> Identity:
    return Identity("Org1MSP", self_signed(key))


@pytest.fixture
def peer() -> Iterator[Peer]:
    folder = tempfile.mkdtemp(prefix="gw")  # a unix socket's path is short, a test's folder often not
    target = f"unix:{Path(folder, 's')}"
    double = Peer(target)
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    gateway_pb2_grpc.add_GatewayServicer_to_server(PeerServicer(double), server)
    events_pb2_grpc.add_DeliverServicer_to_server(PeerServicer(double), server)
    server.add_insecure_port(target)
    server.start()
    try:
        yield double
    finally:
        double.released.set()
        server.stop(None).wait()
        shutil.rmtree(folder)


@pytest.fixture
def channel(peer: Peer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(peer.target) as opened:
        yield opened


@pytest.fixture
def gateway(channel: grpc.Channel, identity: Identity, key: ec.EllipticCurvePrivateKey) -> Iterator[Gateway]:
    with connect(channel, identity, ecdsa_signer(key)) as opened:
        yield opened
