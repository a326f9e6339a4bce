"""The authenticated side of a Fabric CA: register, re-enrol, revoke, revocation lists."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from client.ca.csr import build_csr
from client.ca.errors import CABadResponse
from client.ca.keys import sign_low_s
from client.ca.records import CertificateId, Enrollment, Revocation
from client.ca.wire import base64_field, enrollment_body, parse_enrollment, require_name, text_field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx
    from cryptography.hazmat.primitives.asymmetric import ec

    from client.ca.transport import Transport

REVOCATION_REASONS: Final = frozenset(
    {
        "unspecified",
        "keycompromise",
        "cacompromise",
        "affiliationchanged",
        "superseded",
        "cessationofoperation",
        "certificatehold",
        "removefromcrl",
        "privilegewithdrawn",
        "aacompromise",
    }
)
"""RFC 5280's reasons as Fabric CA spells them. It takes an unknown one for `unspecified`, silently."""


def authorization_token(
    cert_pem: bytes, key: ec.EllipticCurvePrivateKey, method: str, uri: str, body: bytes
) -> str:
    """Return Fabric CA's token: b64(cert).b64(signature of METHOD.b64(uri).b64(body).b64(cert)).

    `uri` is the path and query as sent. The signature is ECDSA with SHA-256, low S.
    """
    cert = _b64(cert_pem)
    payload = f"{method}.{_b64(uri.encode())}.{_b64(body)}.{cert}"
    return f"{cert}.{_b64(sign_low_s(key, payload.encode()))}"


class Registrar:
    """An enrolled identity at one CA. Thread-safe; made by `CAClient.registrar`."""

    def __init__(
        self, transport: Transport, ca_name: str, cert_pem: bytes, key: ec.EllipticCurvePrivateKey
    ) -> None:
        self._transport = transport
        self._ca_name = ca_name
        self._cert_pem = cert_pem
        self._key = key

    def register(
        self,
        name: str,
        secret: str | None = None,
        *,
        kind: str = "client",
        affiliation: str = "",
        max_enrollments: int = 1,
        attributes: Mapping[str, str] | None = None,
    ) -> str:
        """Register an identity and return its enrolment secret (the CA's own if None was given).

        `kind` is Fabric's type: client, peer, orderer, admin. Every attribute goes into each
        certificate that is issued without an explicit list. `max_enrollments` is how often the
        secret may be used, -1 for the CA's limit. Raises `AlreadyRegistered` when the name is taken.
        """
        require_name(name)
        body: dict[str, Any] = {
            "id": name,
            "type": kind,
            "affiliation": affiliation,
            "max_enrollments": max_enrollments,
            "attrs": [{"name": n, "value": v, "ecert": True} for n, v in (attributes or {}).items()],
        }
        if secret is not None:
            body["secret"] = secret
        return text_field(self._post(f"registering {name}", "register", body), "secret")

    def reenroll(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        hosts: Sequence[str] = (),
        profile: str = "",
        attributes: Sequence[str] | None = None,
    ) -> Enrollment:
        """Renew this identity's certificate, on the same `key` or a new one; `name` is its own.

        The old certificate stays valid until it expires or is revoked.
        """
        return self.reenroll_csr(name, build_csr(name, key, hosts), profile, attributes)

    def reenroll_csr(
        self, name: str, csr_pem: bytes, profile: str = "", attributes: Sequence[str] | None = None
    ) -> Enrollment:
        """Renew with a request made elsewhere."""
        body = enrollment_body(self._ca_name, csr_pem, profile, attributes)
        return parse_enrollment(self._post(f"re-enrolling {name}", "reenroll", body), csr_pem)

    def revoke(
        self,
        *,
        name: str | None = None,
        serial: str | None = None,
        aki: str | None = None,
        reason: str = "unspecified",
        gencrl: bool = False,
    ) -> Revocation:
        """Revoke one certificate (`serial` and `aki`, hex), or an identity with all of its (`name`).

        Revoking by name also disables the identity: it can't enrol again. Raises `NotFound`,
        `AlreadyRevoked` or `NotAuthorized`; `ValueError` for an unknown reason or unclear target.
        """
        if reason not in REVOCATION_REASONS:
            raise ValueError(f"{reason!r} is no revocation reason; use one of {sorted(REVOCATION_REASONS)}")
        if (serial is None) != (aki is None) or (name is None) == (serial is None):
            raise ValueError("name an identity, or a certificate by both serial and aki")
        body: dict[str, Any] = {"reason": reason, "gencrl": gencrl}
        if name is not None:
            body["id"] = name
        else:
            body |= {"serial": serial, "aki": aki}
        target = name if name is not None else f"certificate {serial}"
        result = self._post(f"revoking {target}", "revoke", body)
        crl = base64_field(result, "CRL") if result.get("CRL") else None
        return Revocation(revoked=_parse_revoked(result.get("RevokedCerts")), crl_pem=crl)

    def gencrl(self) -> bytes:
        """Return the CA's revocation list (PEM): every revoked certificate that has not expired."""
        return base64_field(self._post("making the revocation list", "gencrl", {}), "CRL")

    def certificates(self, name: str) -> tuple[bytes, ...]:
        """Return the certificates (PEM) that the CA ever issued to an identity, revoked and expired too."""
        require_name(name)
        query = {"id": name, **({"ca": self._ca_name} if self._ca_name else {})}
        result = self._send(
            f"listing {name}'s certificates", self._transport.get_request("certificates", query)
        )
        listed = result.get("certs")
        if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
            raise CABadResponse("the CA's answer has no list of certificates")
        return tuple(text_field(entry, "PEM").encode("ascii") for entry in listed)

    def _post(self, doing: str, path: str, body: dict[str, Any]) -> Mapping[str, Any]:
        if self._ca_name:
            body["caname"] = self._ca_name
        return self._send(doing, self._transport.post_request(path, body))

    def _send(self, doing: str, request: httpx.Request) -> Mapping[str, Any]:
        request.headers["Authorization"] = authorization_token(
            self._cert_pem, self._key, request.method, request.url.raw_path.decode("ascii"), request.content
        )
        return self._transport.send(doing, request)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _parse_revoked(listed: object) -> tuple[CertificateId, ...]:
    if listed is None:  # Go's nil slice: nothing was hit
        return ()
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise CABadResponse("the CA's answer to a revocation has no list of certificates")
    return tuple(CertificateId(text_field(entry, "Serial"), text_field(entry, "AKI")) for entry in listed)
