"""EC keys and the low-S signatures that Fabric and Fabric CA insist on."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

# Orders of the groups (FIPS 186-5 / SEC 2); `cryptography` does not expose them.
_ORDERS: Final = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16
    ),
}


def generate_key() -> ec.EllipticCurvePrivateKey:
    """Return a new P-256 private key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_to_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the key as unencrypted PKCS #8 PEM; storing it safely is the caller's part."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def key_from_pem(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """Read an unencrypted P-256 or P-384 private key; raises `ValueError` for anything else."""
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in _ORDERS:
        raise ValueError("a private key on P-256 or P-384 is needed")
    return key


def sign_low_s(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """Sign with ECDSA over SHA-256 and return a DER signature whose S is in the lower half.

    Both (r, s) and (r, n-s) verify; Fabric accepts only the smaller S.
    """
    order = _ORDERS.get(key.curve.name)
    if order is None:
        raise ValueError(f"a key on P-256 or P-384 is needed, this one is on {key.curve.name}")
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return encode_dss_signature(r, min(s, order - s))
