"""A lender CA of the bench's own: Fabric CA certifies some 17 lenders a second, this one thousands.

Only who signs the certificates differs: the chaincode verifies each chain as it does any lender's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from client.ca import generate_key, key_from_pem, key_to_pem

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench-lender-ca")])
_VALID = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class BenchIssuer:
    """A self-signed lender CA: its key and certificate."""

    key: EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def of(cls, folder: Path) -> BenchIssuer:
        """Return the issuer kept in `folder`, made at the first call: a second run may use its network."""
        key_file, certificate_file = folder / "issuer.key", folder / "issuer.pem"
        if key_file.exists() and certificate_file.exists():
            return cls.from_pem(key_file.read_bytes(), certificate_file.read_bytes())
        made = cls.make()
        key, certificate = made.pem
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(key)
        certificate_file.write_bytes(certificate)
        return made

    @classmethod
    def from_pem(cls, key: bytes, certificate: bytes) -> BenchIssuer:
        """Return the issuer that `pem` gave."""
        return cls(key_from_pem(key), x509.load_pem_x509_certificate(certificate))

    @property
    def pem(self) -> tuple[bytes, bytes]:
        """The key and the certificate, as another process takes them."""
        return key_to_pem(self.key), self.certificate.public_bytes(serialization.Encoding.PEM)

    @classmethod
    def make(cls) -> BenchIssuer:
        """Make a CA that signs nothing but end entities."""
        key = generate_key()
        public = key.public_key()
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = _builder(_NAME, public).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        builder = builder.add_extension(usage, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        return cls(key, builder.sign(key, hashes.SHA256()))

    @property
    def der(self) -> bytes:
        """The CA's certificate."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def issue(self, sub: str, public: EllipticCurvePublicKey) -> bytes:
        """Return a lender's certificate (DER) for the pseudonym `sub`."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, sub)])
        builder = _builder(subject, public)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(identifier, critical=False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _builder(subject: x509.Name, public: EllipticCurvePublicKey) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - timedelta(minutes=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_NAME)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _VALID)
    )
