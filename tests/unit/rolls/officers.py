"""Officers with certificates as Fabric CA makes them: the role is an attribute."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from client.ca.certificates import ATTRIBUTES_OID

_BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Holder:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(_PEM)

    @property
    def key_pem(self) -> bytes:
        plain = serialization.NoEncryption()
        return self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, plain)


class Authority:
    """An organization's CA."""

    def __init__(self) -> None:
        self.root = self._make("ca", ec.generate_private_key(ec.SECP256R1()), None)

    def issue(self, role: str | None, attributes: bytes | None = None) -> Holder:
        """Return a member with a role; `attributes` replaces what the extension holds."""
        if attributes is None and role is not None:
            attributes = json.dumps({"attrs": {"role": role}}).encode()
        return self._make("member", ec.generate_private_key(ec.SECP256R1()), attributes, issuer=self.root)

    def _make(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        attributes: bytes | None,
        issuer: Holder | None = None,
    ) -> Holder:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(
            issuer_name=issuer.certificate.subject if issuer else subject,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=_BEGINS,
            not_valid_after=_BEGINS + timedelta(days=3650),
        ).add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        if attributes is not None:
            builder = builder.add_extension(
                x509.UnrecognizedExtension(ATTRIBUTES_OID, attributes), critical=False
            )
        return Holder(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)
