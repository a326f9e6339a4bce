"""Certificate signing requests in the form that Fabric CA expects."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric import ec


def build_csr(name: str, key: ec.EllipticCurvePrivateKey, hosts: Sequence[str] = ()) -> bytes:
    """Return a PEM PKCS #10 request with CN = `name` and `hosts` as subject alternative names.

    Fabric CA demands that the common name equal the enrolment id; the other parts of the
    subject are the CA's own decision. Raises `ValueError` for a name longer than 64 characters.
    """
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False
        )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
