"""Who signs, and with what: identities and signers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

Sign = Callable[[bytes], bytes]
"""Takes a message's digest and returns the signature: DER ECDSA with low S for Fabric's default MSP.

Must be safe to call from several threads when the gateway is used from several. An HSM or a
remote signing service goes in here.
"""

Digest = Callable[[bytes], bytes]
"""Takes a message and returns what is signed. Fabric's default MSP wants SHA-256."""

# Orders of the groups (FIPS 186-5 / SEC 2); `cryptography` does not expose them.
_ORDERS: Final = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16
    ),
}
_HASHES: Final = {32: hashes.SHA256(), 48: hashes.SHA384()}


@dataclass(frozen=True, slots=True)
class Identity:
    """A client's identity: its organisation's MSP id and its certificate (PEM)."""

    msp_id: str
    cert_pem: bytes


def sha256(message: bytes) -> bytes:
    """Return the SHA-256 digest of `message`: the default `Digest`."""
    return hashlib.sha256(message).digest()


def sha384(message: bytes) -> bytes:
    """Return the SHA-384 digest of `message`, for an MSP configured with SHA-384."""
    return hashlib.sha384(message).digest()


def unhashed(message: bytes) -> bytes:
    """Return `message` itself, for signature schemes that hash it themselves (Ed25519)."""
    return message


def ecdsa_signer(key: bytes | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> Sign:
    """Return a signer for a P-256 or P-384 private key (PEM, or already loaded).

    Signatures are DER with low S (Fabric refuses the other of the two valid ones). The signer is
    thread-safe and takes digests of 32 or 48 bytes. Raises `ValueError` for any other key.
    """
    loaded = serialization.load_pem_private_key(key, password) if isinstance(key, bytes) else key
    if not isinstance(loaded, ec.EllipticCurvePrivateKey) or loaded.curve.name not in _ORDERS:
        raise ValueError("a private key on P-256 or P-384 is needed to sign for Fabric")
    private, order = loaded, _ORDERS[loaded.curve.name]

    def sign(digest: bytes) -> bytes:
        algorithm = _HASHES.get(len(digest))
        if algorithm is None:
            raise ValueError(f"a digest of 32 or 48 bytes is needed, this one has {len(digest)}")
        r, s = decode_dss_signature(private.sign(digest, ec.ECDSA(Prehashed(algorithm))))
        return encode_dss_signature(r, min(s, order - s))

    return sign
