"""Compact JWS (RFC 7515) with one header per kind, byte for byte.

Every kind of JWS here has exactly `{"alg":"ES256","typ":…,"x5t#S256":…}`. General JOSE
libraries accept more (other orders, extra members, `crit`, `b64`, keys in the header) and
say less about what was wrong, so the form is checked here; the arithmetic is a library's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.encodings import base64url, es256, jcs
from client.encodings.errors import Refused
from client.encodings.ids import is_hash

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

_PARTS: Final = 3
_MEMBERS: Final = frozenset({"alg", "typ", "x5t#S256"})


@dataclass(frozen=True, slots=True)
class Jws:
    """A JWS of the prescribed form whose signature is not verified yet."""

    x5t: str
    payload: bytes
    signature: bytes
    signing_input: bytes

    def verify(self, key: EllipticCurvePublicKey) -> None:
        """Refuse (SIGNATURE_INVALID) unless `key` signed it."""
        es256.verify(key, self.signature, self.signing_input)

    @property
    def compact(self) -> str:
        """The compact serialization."""
        return f"{self.signing_input.decode('ascii')}.{base64url.encode(self.signature)}"


def header(typ: str, x5t: str) -> bytes:
    """Return the one header of a kind of JWS."""
    return f'{{"alg":"ES256","typ":"{typ}","x5t#S256":"{x5t}"}}'.encode("ascii")


def signing_input(typ: str, x5t: str, payload: bytes) -> bytes:
    """Return what is signed: both parts in base64url with a dot between (RFC 7515 section 5.1)."""
    return f"{base64url.encode(header(typ, x5t))}.{base64url.encode(payload)}".encode("ascii")


def compact_length(typ: str, payload: bytes) -> int:
    """Return how many bytes the compact serialization of a JWS over `payload` has, whoever signs it."""
    parts = (len(header(typ, "A" * 43)), len(payload), es256.SIGNATURE_BYTES)
    return sum((4 * part + 2) // 3 for part in parts) + _PARTS - 1


def sign(typ: str, x5t: str, payload: bytes, key: EllipticCurvePrivateKey) -> Jws:
    """Return the JWS over `payload` by `key`, whose certificate has the thumbprint `x5t`."""
    data = signing_input(typ, x5t, payload)
    return Jws(x5t, payload, es256.sign(key, data), data)


def parse(text: str, typ: str) -> Jws:
    """Return the JWS of a compact serialization; refuse in the order of the registry's JWS codes."""
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise Refused("JWS_FORMAT", f"{len(parts)} parts")
    try:
        head, payload, signature = (base64url.decode(part) for part in parts)
    except ValueError as error:
        raise Refused("JWS_FORMAT", str(error)) from error
    x5t = _check_header(head, typ)
    if len(signature) != es256.SIGNATURE_BYTES:
        raise Refused("SIGNATURE_FORM", f"{len(signature)} bytes")
    return Jws(x5t, payload, signature, f"{parts[0]}.{parts[1]}".encode("ascii"))


def _check_header(head: bytes, typ: str) -> str:
    try:
        value = jcs.loads(head, tolerant=True)
    except jcs.DuplicateMember as error:
        raise Refused("JWS_DUPLICATE_MEMBER", str(error)) from error
    except jcs.JsonError as error:
        raise Refused("JWS_HEADER_JSON", str(error)) from error
    if not isinstance(value, dict):
        raise Refused("JWS_HEADER_JSON", "not an object")
    for member, code in (("crit", "JWS_CRIT"), ("jwk", "JWS_JWK"), ("jku", "JWS_JKU"), ("b64", "JWS_B64")):
        if member in value:
            raise Refused(code)
    _check_algorithm(value.get("alg"))
    if value.get("typ") != typ:
        raise Refused("JWS_TYP", f"not {typ}")
    x5t = value.get("x5t#S256")
    if value.keys() != _MEMBERS or not isinstance(x5t, str) or not is_hash(x5t):
        raise Refused("JWS_HEADER_MEMBER")
    if head != header(typ, x5t):
        raise Refused("JWS_HEADER_FORM")
    return x5t


def _check_algorithm(algorithm: Any) -> None:
    if isinstance(algorithm, str) and algorithm.lower() == "none":
        raise Refused("JWS_ALG_NONE")
    if algorithm != "ES256":
        raise Refused("JWS_ALG", f"{str(algorithm)[:20]}")
