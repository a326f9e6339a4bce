"""The unauthenticated side of a Fabric CA: its description, and enrolment with a secret."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Self

from client.ca.csr import build_csr
from client.ca.records import CAInfo, Enrollment
from client.ca.registrar import Registrar
from client.ca.transport import Transport
from client.ca.wire import base64_field, enrollment_body, parse_enrollment, require_name, text_field

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from types import TracebackType

    import httpx
    from cryptography.hazmat.primitives.asymmetric import ec


class CAClient:
    """One CA of a Fabric CA server. Thread-safe; close it, or use it in a `with`.

    A server may host several CAs: `ca_name` chooses one, "" the server's default.
    """

    def __init__(
        self,
        url: str,
        ca_name: str = "",
        tls_root_pem: bytes | None = None,
        timeout: float = 30,
        *,
        ssl_context: ssl.SSLContext | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet.

        `tls_root_pem` holds the only roots that are trusted (needed for https). `ssl_context`
        replaces it where a client certificate is needed. `timeout` is in seconds, for each of
        connecting, sending and reading. `transport` replaces the network in tests.
        """
        self.ca_name = ca_name
        self._transport = Transport(
            url, tls_root_pem=tls_root_pem, ssl_context=ssl_context, timeout=timeout, transport=transport
        )

    def info(self) -> CAInfo:
        """Ask the CA for its name, chain and version. Trust in the chain is the caller's to decide."""
        query = {"ca": self.ca_name} if self.ca_name else {}
        result = self._transport.get(f"asking for CA {self.ca_name or '(default)'}", "cainfo", query)
        return CAInfo(
            ca_name=text_field(result, "CAName"),
            chain_pem=base64_field(result, "CAChain"),
            version=text_field(result, "Version"),
        )

    def enroll(
        self,
        name: str,
        secret: str,
        key: ec.EllipticCurvePrivateKey,
        *,
        hosts: Sequence[str] = (),
        profile: str = "",
        attributes: Sequence[str] | None = None,
    ) -> Enrollment:
        """Exchange a name and its secret for a certificate on `key`, with `hosts` as SANs.

        `profile` is a signing profile of the CA ("" its default, "tls" for TLS certificates).
        `attributes` names those to be written into the certificate, all of which must be
        registered; None leaves it to the CA, which writes those registered for every certificate.
        """
        require_name(name)
        return self.enroll_csr(name, secret, build_csr(name, key, hosts), profile, attributes)

    def enroll_csr(
        self,
        name: str,
        secret: str,
        csr_pem: bytes,
        profile: str = "",
        attributes: Sequence[str] | None = None,
    ) -> Enrollment:
        """Enrol with a request made elsewhere: the private key is never seen here.

        The request's common name must equal `name`. The certificate returned is checked to be
        for the request's key.
        """
        require_name(name)
        request = self._transport.post_request(
            "enroll", enrollment_body(self.ca_name, csr_pem, profile, attributes)
        )
        credentials = base64.b64encode(f"{name}:{secret}".encode()).decode()
        request.headers["Authorization"] = f"Basic {credentials}"
        return parse_enrollment(self._transport.send(f"enrolling {name}", request), csr_pem)

    def registrar(self, cert_pem: bytes, key: ec.EllipticCurvePrivateKey) -> Registrar:
        """Act as an enrolled identity; what it may do, its registration at the CA decides."""
        return Registrar(self._transport, self.ca_name, cert_pem, key)

    def close(self) -> None:
        """Close the connections of this client and of every registrar made from it."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
