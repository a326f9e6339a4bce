"""The JSON bodies of Fabric CA's REST interface, built and parsed."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from client.ca.errors import CABadResponse
from client.ca.records import Enrollment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes


def enrollment_body(
    ca_name: str, csr_pem: bytes, profile: str, attributes: Sequence[str] | None
) -> dict[str, Any]:
    """Return the body of `enroll` and `reenroll`; absent members mean the CA's defaults."""
    body: dict[str, Any] = {"certificate_request": csr_pem.decode("ascii")}
    if ca_name:
        body["caname"] = ca_name
    if profile:
        body["profile"] = profile
    if attributes is not None:
        body["attr_reqs"] = [{"name": name, "optional": False} for name in attributes]
    return body


def parse_enrollment(result: Mapping[str, Any], csr_pem: bytes) -> Enrollment:
    """Read an enrolment's result, and check that the certificate is on the request's key."""
    server = result.get("ServerInfo")
    if not isinstance(server, dict):
        raise CABadResponse("the CA's answer to an enrolment lacks ServerInfo")
    cert_pem = base64_field(result, "Cert")
    try:
        issued = x509.load_pem_x509_certificate(cert_pem).public_key()
    except ValueError as error:
        raise CABadResponse("the CA's answer to an enrolment holds no readable certificate") from error
    if _spki(issued) != _spki(x509.load_pem_x509_csr(csr_pem).public_key()):
        raise CABadResponse("the CA issued a certificate on another key than the one that was sent")
    return Enrollment(cert_pem=cert_pem, chain_pem=base64_field(server, "CAChain"))


def require_name(name: str) -> None:
    """Raise `ValueError` for a name that can't enrol: the server would register it all the same."""
    if not name or ":" in name:  # HTTP Basic authentication ends the name at the first colon
        raise ValueError(f"{name!r} can't be an identity's name: it is empty or has a colon")


def text_field(result: Mapping[str, Any], name: str) -> str:
    """Return a string member, or raise `CABadResponse`."""
    value = result.get(name)
    if not isinstance(value, str):
        raise CABadResponse(f"the CA's answer lacks the text {name}")
    return value


def base64_field(result: Mapping[str, Any], name: str) -> bytes:
    """Return a base64 member's bytes, or raise `CABadResponse`."""
    try:
        return base64.b64decode(text_field(result, name), validate=True)
    except binascii.Error as error:
        raise CABadResponse(f"the CA's answer has no base64 in {name}") from error


def _spki(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
