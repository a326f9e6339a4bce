"""What every object made from one gateway shares: identity, signer, service."""

from __future__ import annotations

import hashlib
import threading
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from client.gateway.errors import SigningError
from client.gateway.protos import identities_pb2

if TYPE_CHECKING:
    from client.gateway.identity import Digest, Identity, Sign
    from client.gateway.service import GatewayService
    from client.gateway.stream import EventStream

T = TypeVar("T")


class Session:
    """The connection of one identity to one gateway. Thread-safe."""

    def __init__(
        self,
        service: GatewayService,
        identity: Identity,
        sign: Sign | None,
        digest: Digest,
        tls_client_cert_pem: bytes | None,
    ) -> None:
        self.service = service
        self.identity = identity
        self.digest = digest
        self._sign = sign
        self.creator: bytes = identities_pb2.SerializedIdentity(
            mspid=identity.msp_id, id_bytes=identity.cert_pem
        ).SerializeToString(deterministic=True)
        # Peers with mutual TLS bind a block stream to the client's TLS certificate by this hash.
        self._streams: weakref.WeakSet[EventStream[Any]] = weakref.WeakSet()
        self._lock = threading.Lock()
        self.tls_cert_hash = b"" if tls_client_cert_pem is None else _der_hash(tls_client_cert_pem)

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`; raises `SigningError` without a signer."""
        if self._sign is None:
            raise SigningError(
                "this gateway has no signer: give one to connect(), or sign the digest elsewhere"
                " and come back through Gateway.new_signed_…"
            )
        return self._sign(self.digest(message))

    def opened(self, stream: EventStream[T]) -> EventStream[T]:
        """Remember a stream, so that closing the gateway ends it; return it."""
        with self._lock:
            self._streams.add(stream)
        return stream

    def close(self) -> None:
        """End every stream that is still open."""
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            stream.close()


def _der_hash(pem: bytes) -> bytes:
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    return hashlib.sha256(der).digest()
