"""ECDSA on P-256 by the names of `cryptography`, over `ecdsa`: verification only."""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import ecdsa
from asn1crypto.algos import DSASignature
from ecdsa.ecdsa import Signature as _Signature

if TYPE_CHECKING:
    from asn1crypto.keys import PublicKeyInfo

_P256: Final = "secp256r1"
_POINT: Final = 65  # 04, then both coordinates


class InvalidSignature(Exception):  # noqa: N818  the name of the library whose place it takes
    """The signature doesn't verify."""


class UnsupportedAlgorithm(Exception):  # noqa: N818  the name of the library whose place it takes
    """An algorithm that isn't used here."""


class Encoding(Enum):
    """How bytes are written."""

    DER = "DER"
    PEM = "PEM"


class PublicFormat(Enum):
    """How a public key is written."""

    SubjectPublicKeyInfo = "SubjectPublicKeyInfo"


class SHA256:
    """The one hash function."""

    name = "sha256"


class SECP256R1:
    """The one curve."""

    name = _P256


class OtherCurve:
    """A curve that nothing here is verified with."""

    def __init__(self, name: str) -> None:
        self.name = name


class ECDSA:
    """ECDSA with a hash function."""

    def __init__(self, algorithm: Any, deterministic_signing: bool = False) -> None:
        del deterministic_signing
        self.algorithm = algorithm


class EllipticCurvePrivateKey:
    """Nobody signs here."""


class EllipticCurvePublicKey:
    """A public key; only one on P-256 verifies."""

    def __init__(self, info: PublicKeyInfo) -> None:
        """Take a SubjectPublicKeyInfo; raise ValueError for a point that is not on the curve."""
        self._der: bytes = info.dump()
        parameters = info["algorithm"]["parameters"]
        name = str(parameters.native) if parameters.name == "named" else "explicit"
        self.curve: SECP256R1 | OtherCurve = SECP256R1() if name == _P256 else OtherCurve(name)
        self._key: Any = None
        if name == _P256:
            point = bytes(info["public_key"])
            if len(point) != _POINT:
                raise ValueError("the point is not in its uncompressed form")
            try:
                self._key = ecdsa.VerifyingKey.from_string(point, curve=ecdsa.NIST256p)
            except (ecdsa.errors.MalformedPointError, AssertionError) as error:
                raise ValueError("the point is not on the curve") from error

    def public_bytes(self, encoding: Encoding, form: PublicFormat) -> bytes:
        """Return the SubjectPublicKeyInfo (DER)."""
        del encoding, form
        return self._der

    def verify(self, signature: bytes, data: bytes, algorithm: ECDSA) -> None:
        """Raise InvalidSignature unless the DER signature is this key's over SHA-256 of the data."""
        del algorithm
        if self._key is None:
            raise InvalidSignature
        try:
            r, s = decode_dss_signature(signature)
        except ValueError as error:
            raise InvalidSignature from error
        number = int.from_bytes(hashlib.sha256(data).digest(), "big")
        try:
            good = self._key.pubkey.verifies(number, _Signature(r, s))
        except TypeError as error:  # u1 G + u2 Q is the point at infinity, which has no x for `ecdsa`
            raise InvalidSignature from error
        if not good:
            raise InvalidSignature


def decode_dss_signature(signature: bytes) -> tuple[int, int]:
    """Return r and s of a DER signature; raise ValueError for any other than its one encoding."""
    try:
        value = DSASignature.load(signature, strict=True)
        r, s = int(value["r"].native), int(value["s"].native)
    except (ValueError, TypeError) as error:
        raise ValueError("it is no DER signature") from error
    if r < 0 or s < 0 or encode_dss_signature(r, s) != signature:
        raise ValueError("it is not in its one DER form")
    return r, s


def encode_dss_signature(r: int, s: int) -> bytes:
    """Return the DER signature of r and s."""
    encoded: bytes = DSASignature({"r": r, "s": s}).dump()
    return encoded
