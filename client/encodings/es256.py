"""ES256 as RFC 7518 section 3.4 has it: ECDSA on P-256 with SHA-256, signature r || s.

Any s is accepted: WebCrypto doesn't normalise it, and digests are over the signing input,
so a malleated signature is the same ballot.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from client.encodings.errors import Refused

SIGNATURE_BYTES: Final = 64
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_ALGORITHM = ec.ECDSA(hashes.SHA256())
# RFC 6979: the same key and bytes give the same signature, and no bad random number leaks the key.
_DETERMINISTIC = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


def sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """Return the 64-byte signature over `data`; raise TypeError for a key that isn't P-256."""
    if not isinstance(key.curve, ec.SECP256R1):
        raise TypeError(f"ES256 needs a P-256 key, not {key.curve.name}")
    r, s = decode_dss_signature(key.sign(data, _DETERMINISTIC))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify(key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> None:
    """Refuse (SIGNATURE_INVALID) unless `signature` is the P-256 key's over `data`, r and s in 1..n-1."""
    if not isinstance(key.curve, ec.SECP256R1):
        raise Refused("SIGNATURE_INVALID", "the key is not P-256")
    if len(signature) != SIGNATURE_BYTES:
        raise Refused("SIGNATURE_FORM", f"{len(signature)} bytes")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < ORDER and 0 < s < ORDER):
        raise Refused("SIGNATURE_INVALID", "r or s is out of range")
    try:
        key.verify(encode_dss_signature(r, s), data, _ALGORITHM)
    except InvalidSignature as error:
        raise Refused("SIGNATURE_INVALID") from error
