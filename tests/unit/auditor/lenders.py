"""Lenders with keys and certificates of a lender CA, and their records as the channel holds them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.auditor.builder import BEGIN, END

ISSUED, EXPIRES = "2026-02-01T08:00:00Z", "2026-02-02T08:00:00Z"


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def canonical(value: Any) -> bytes:
    """JCS for the ASCII names, strings and integers that the tests use."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def key(kind: str, *attributes: str) -> str:
    return "\x00" + kind + "\x00" + "".join(f"{one}\x00" for one in attributes)


class LenderCA:
    """An institution's lender CA, with a root of its own."""

    def __init__(self, institution: str = "InstitutionAMSP") -> None:
        self.institution = institution
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lender root")])
        self.root = self._certificate(self.name, self.key, ca=True)

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool = False
    ) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(BEGIN)
            .not_valid_after(END)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def issuer_request(self) -> dict[str, Any]:
        return {"v": 1, "institution": self.institution, "certificate": std64(self.root)}

    def issuer(self, status: str, tx: str) -> dict[str, Any]:
        return {**self.issuer_request, "x5t": x5t(self.root), "status": status, "tx": tx}

    def lender(self, name: str, sub: str = "") -> Lender:
        return Lender(self, name, sub)


class Lender:
    """One lender: pseudonym, key, certificate."""

    def __init__(self, ca: LenderCA, name: str, sub: str = "") -> None:
        self.ca = ca
        self.sub = sub or b64url(hashlib.sha256(name.encode()).digest()[:16])
        self.ses = b64url(hashlib.sha256(b"session" + name.encode()).digest()[:16])
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.sub)])
        self.certificate = ca._certificate(subject, self.key)
        self.x5t = x5t(self.certificate)

    def request(self, **changes: Any) -> dict[str, Any]:
        value = {
            "sub": self.sub,
            "certificate": std64(self.certificate),
            "institution": self.ca.institution,
            "method": "insecure-demo",
            "commitment": b64url(bytes(32)),
        }
        return {**value, **changes}

    def enrolment(self, tx: str, **changes: Any) -> dict[str, Any]:
        value = {**self.request(), "v": 1, "x5t": self.x5t, "status": "active", "rev": 1, "tx": tx}
        return {**value, **changes}

    def session_request(self, mtg: str, **changes: Any) -> dict[str, Any]:
        value = {
            "v": 1,
            "ses": self.ses,
            "sub": self.sub,
            "x5t": self.x5t,
            "institution": self.ca.institution,
            "mtg": mtg,
            "method": "insecure-demo",
            "outcome": "accept",
            "commitment": b64url(bytes(32)),
            "issued_at": ISSUED,
            "expires_at": EXPIRES,
        }
        return {**value, **changes}


def std64(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


def x5t(certificate: x509.Certificate) -> str:
    return b64url(hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest())


def verdicts(accepted: int, **lists: list[Any]) -> bytes:
    return canonical({"v": 1, "accepted": accepted, "held": [], "pending": [], "refused": [], **lists})
