"""Objections: a lender's signed word that something about a meeting is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.encodings import hashes, jcs, jws, times
from client.encodings.errors import Refused
from client.encodings.ids import is_hash, is_meeting_id, is_random_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

TYP: Final = "concordat-objection+jws"
MAX_BYTES: Final = 2048

GROUNDS: Final = (
    "left-out",  # not on the roll, or taken off it
    "claim",  # on the roll with another class or amount
    "notice",  # not called, or not told in time
    "not-my-ballot",  # a ballot was cast in one's name
    "not-counted",  # one's ballot was refused, or is not on the chain
    "count",  # the result is not what the ballots give
    "procedure",  # anything else about how the meeting was held
)
"""The words for what is objected to. What there is to say about it is in the evidence, off the chain."""

_NAMES: Final = ("mh", "mtg", "sub", "obj", "iat", "ground", "evidence")


@dataclass(frozen=True, slots=True)
class Objection:
    """What an objection says: `sub` objects to something at this meeting, under the id `obj` that it made.

    `evidence` is a salted commitment (`client.encodings.commitment`): nothing personal reaches the chain.
    """

    mh: str
    mtg: str
    sub: str
    obj: str
    iat: str
    ground: str
    evidence: str

    def __post_init__(self) -> None:
        """Refuse (OBJECTION_FORMAT) what no objection may hold."""
        checks = {
            "mh": is_hash(self.mh),
            "mtg": is_meeting_id(self.mtg),
            "sub": is_random_id(self.sub),
            "obj": is_random_id(self.obj),
            "iat": times.is_time(self.iat),
            "ground": self.ground in GROUNDS,
            "evidence": is_hash(self.evidence),
        }
        for name, good in checks.items():
            if not good:
                raise Refused("OBJECTION_FORMAT", name)

    def payload(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return jcs.dumps({"v": 1, **{name: getattr(self, name) for name in _NAMES}})


@dataclass(frozen=True, slots=True)
class SignedObjection:
    """An objection with its JWS; `verify` says whether a key signed it."""

    objection: Objection
    jws: jws.Jws

    @property
    def digest(self) -> str:
        """What tells it from another objection under the same id; it is over the signing input."""
        return hashes.digest(hashes.OBJECTION, self.jws.signing_input)

    @property
    def compact(self) -> str:
        """The compact JWS."""
        return self.jws.compact

    def verify(self, key: EllipticCurvePublicKey) -> None:
        """Refuse (SIGNATURE_INVALID) unless `key` signed it."""
        self.jws.verify(key)


def sign_objection(objection: Objection, x5t: str, key: EllipticCurvePrivateKey) -> SignedObjection:
    """Return `objection` signed by the lender's key, whose certificate has the thumbprint `x5t`."""
    return SignedObjection(objection, jws.sign(TYP, x5t, objection.payload(), key))


def parse_objection(compact: str) -> SignedObjection:
    """Return the objection of a compact JWS, its form fully checked and its signature not at all.

    Refuse with OBJECTION_FORMAT over 2,048 bytes, then with the JWS codes, then with OBJECTION_FORMAT.
    """
    length = len(compact.encode("utf-8", "surrogatepass"))
    if length > MAX_BYTES:
        raise Refused("OBJECTION_FORMAT", f"{length} bytes")
    signed = jws.parse(compact, TYP)
    try:
        value = jcs.loads_canonical(signed.payload)
    except jcs.JsonError as error:
        raise Refused("OBJECTION_FORMAT", str(error)) from error
    if not isinstance(value, dict) or value.keys() != {"v", *_NAMES}:
        raise Refused("OBJECTION_FORMAT", "other members than the objection's")
    if type(value["v"]) is not int or value["v"] != 1:
        raise Refused("OBJECTION_FORMAT", "the version is not 1")
    return SignedObjection(Objection(*(value[name] for name in _NAMES)), signed)
