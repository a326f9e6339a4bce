"""Certificates as far as the encodings need them: thumbprint, key, issuer."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from client.encodings import base64url
from client.encodings.errors import Refused


def thumbprint(certificate: bytes) -> str:
    """Return the base64url SHA-256 of a DER certificate (RFC 7515 section 4.1.8)."""
    return base64url.encode(hashlib.sha256(certificate).digest())


def load(certificate: bytes) -> x509.Certificate:
    """Return the DER certificate parsed; refuse with CERT_FORMAT."""
    try:
        return x509.load_der_x509_certificate(certificate)
    except (ValueError, x509.InvalidVersion) as error:
        raise Refused("CERT_FORMAT", "not DER X.509") from error


@lru_cache(maxsize=4096)  # keyed by the certificate's own bytes, so never stale
def public_key(certificate: bytes) -> ec.EllipticCurvePublicKey:
    """Return the P-256 key of a DER certificate; refuse with CERT_FORMAT or CERT_KEY."""
    try:
        key = load(certificate).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Refused("CERT_KEY", "the key can't be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Refused("CERT_KEY", "not P-256")
    return key


def common_name(certificate: bytes) -> str:
    """Return the one common name of a DER certificate; refuse with CERT_SUBJECT."""
    names = load(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1 or not isinstance(names[0].value, str):
        raise Refused("CERT_SUBJECT", f"{len(names)} common names")
    return names[0].value


def verify_issued(certificate: bytes, issuer: bytes) -> None:
    """Refuse unless `issuer`, a root held by the caller, issued the end-entity `certificate`.

    Both are DER. Time is judged at the certificate's own notBefore, so that the answer
    never changes with the clock. CERT_CHAIN for the chain, CERT_KEY for a CA certificate.
    """
    leaf, root = load(certificate), load(issuer)
    try:
        leaf.verify_directly_issued_by(root)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise Refused("CERT_CHAIN") from error
    if not root.not_valid_before_utc <= leaf.not_valid_before_utc <= root.not_valid_after_utc:
        raise Refused("CERT_CHAIN", "the issuer was not valid at the certificate's notBefore")
    if not _is_ca(root):
        raise Refused("CERT_CHAIN", "the issuer is no CA")
    if _is_ca(leaf):
        raise Refused("CERT_KEY", "the certificate is a CA's")


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
