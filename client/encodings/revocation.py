"""Revocations: a lender's signed word that a mandate of its own ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.encodings import jcs, jws, times
from client.encodings.errors import Refused
from client.encodings.ids import is_hash, is_meeting_id, is_random_id
from client.encodings.mandate import MAX_BYTES

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

TYP: Final = "concordat-revocation+jws"

_MEMBERS: Final = frozenset({"v", "mh", "mtg", "sub", "mandate", "iat"})


@dataclass(frozen=True, slots=True)
class Revocation:
    """What a revocation says: the mandate with this digest, which `sub` gave, ends."""

    mh: str
    mtg: str
    sub: str
    mandate: str
    iat: str

    def __post_init__(self) -> None:
        """Refuse (MANDATE_FORMAT) what no revocation may hold."""
        checks = {
            "mh": is_hash(self.mh),
            "mtg": is_meeting_id(self.mtg),
            "sub": is_random_id(self.sub),
            "mandate": is_hash(self.mandate),
            "iat": times.is_time(self.iat),
        }
        for name, good in checks.items():
            if not good:
                raise Refused("MANDATE_FORMAT", name)

    def payload(self) -> bytes:
        """Return the canonical bytes that are signed."""
        names = ("mh", "mtg", "sub", "mandate", "iat")
        return jcs.dumps({"v": 1, **{name: getattr(self, name) for name in names}})


@dataclass(frozen=True, slots=True)
class SignedRevocation:
    """A revocation with its JWS; `verify` says whether a key signed it."""

    revocation: Revocation
    jws: jws.Jws

    @property
    def compact(self) -> str:
        """The compact JWS."""
        return self.jws.compact

    def verify(self, key: EllipticCurvePublicKey) -> None:
        """Refuse (SIGNATURE_INVALID) unless `key` signed it."""
        self.jws.verify(key)


def sign_revocation(revocation: Revocation, x5t: str, key: EllipticCurvePrivateKey) -> SignedRevocation:
    """Return `revocation` signed by the principal's key, whose certificate has the thumbprint `x5t`."""
    return SignedRevocation(revocation, jws.sign(TYP, x5t, revocation.payload(), key))


def parse_revocation(compact: str) -> SignedRevocation:
    """Return the revocation of a compact JWS; refuse as `parse_mandate` does."""
    length = len(compact.encode("utf-8", "surrogatepass"))
    if length > MAX_BYTES:
        raise Refused("MANDATE_FORMAT", f"{length} bytes")
    signed = jws.parse(compact, TYP)
    try:
        value = jcs.loads_canonical(signed.payload)
    except jcs.JsonError as error:
        raise Refused("MANDATE_FORMAT", str(error)) from error
    if not isinstance(value, dict) or value.keys() != _MEMBERS:
        raise Refused("MANDATE_FORMAT", "other members than the revocation's")
    if type(value["v"]) is not int or value["v"] != 1:
        raise Refused("MANDATE_FORMAT", "the version is not 1")
    members = (value[name] for name in ("mh", "mtg", "sub", "mandate", "iat"))
    return SignedRevocation(Revocation(*members), signed)
