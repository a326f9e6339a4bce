"""What a Fabric CA answers, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CAInfo:
    """A CA's public description: its name, its PEM chain (own certificate first) and version."""

    ca_name: str
    chain_pem: bytes
    version: str


@dataclass(frozen=True, slots=True)
class Enrollment:
    """An issued certificate and the PEM chain of the CA that issued it (own certificate first)."""

    cert_pem: bytes
    chain_pem: bytes


@dataclass(frozen=True, slots=True)
class CertificateId:
    """A certificate as Fabric CA names it: serial and authority key id, in hex without leading zeros.

    `certificate_id` gives it for a certificate at hand.
    """

    serial: str
    aki: str


@dataclass(frozen=True, slots=True)
class Revocation:
    """What a revocation did: the certificates hit, and the new CRL (PEM) if it was asked for.

    Fabric CA makes no CRL when no certificate was hit (`crl_pem` is None then).
    """

    revoked: tuple[CertificateId, ...]
    crl_pem: bytes | None
