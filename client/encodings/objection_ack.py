"""A door's signed word that it took an objection, and when: what its filer has before the chain does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.encodings import jcs, jws, times
from client.encodings.errors import Refused
from client.encodings.ids import is_hash, is_meeting_id, is_msp, is_random_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

    from client.encodings.objection import SignedObjection

TYP: Final = "concordat-objection-ack+jws"
_NAMES: Final = ("mh", "mtg", "obj", "digest", "door", "time")


@dataclass(frozen=True, slots=True)
class ObjectionAcknowledgement:
    """What a door says: it had the objection `obj`, whose digest is `digest`, at `time`."""

    mh: str
    mtg: str
    obj: str
    digest: str
    door: str
    time: str

    def __post_init__(self) -> None:
        """Refuse (ACK_FORMAT, ACK_TIME) what no acknowledgement may hold."""
        checks = {
            "mh": is_hash(self.mh),
            "mtg": is_meeting_id(self.mtg),
            "obj": is_random_id(self.obj),
            "digest": is_hash(self.digest),
            "door": is_msp(self.door),
        }
        for name, good in checks.items():
            if not good:
                raise Refused("ACK_FORMAT", name)
        if not times.is_time(self.time):
            raise Refused("ACK_TIME", str(self.time)[:40])

    def payload(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return jcs.dumps({"v": 1, **{name: getattr(self, name) for name in _NAMES}})


@dataclass(frozen=True, slots=True)
class SignedObjectionAcknowledgement:
    """An acknowledgement with its JWS; `verify` says whether a key signed it."""

    ack: ObjectionAcknowledgement
    jws: jws.Jws

    @property
    def compact(self) -> str:
        """The compact JWS."""
        return self.jws.compact

    def verify(self, key: EllipticCurvePublicKey) -> None:
        """Refuse (SIGNATURE_INVALID) unless `key` signed it."""
        self.jws.verify(key)

    def verify_for(self, objection: SignedObjection) -> None:
        """Refuse (ACK_MISMATCH) unless it acknowledges exactly this objection."""
        said = objection.objection
        if (self.ack.digest, self.ack.obj, self.ack.mtg, self.ack.mh) != (
            objection.digest,
            said.obj,
            said.mtg,
            said.mh,
        ):
            raise Refused("ACK_MISMATCH", f"it acknowledges {self.ack.digest}, not {objection.digest}")


def sign_objection_acknowledgement(
    ack: ObjectionAcknowledgement, x5t: str, key: EllipticCurvePrivateKey
) -> SignedObjectionAcknowledgement:
    """Return `ack` signed by the door's relay key, whose certificate has the thumbprint `x5t`."""
    return SignedObjectionAcknowledgement(ack, jws.sign(TYP, x5t, ack.payload(), key))


def parse_objection_acknowledgement(compact: str) -> SignedObjectionAcknowledgement:
    """Return the acknowledgement of a compact JWS, its signature not verified.

    Refuse with the JWS codes, then ACK_FORMAT, then ACK_TIME.
    """
    signed = jws.parse(compact, TYP)
    try:
        value = jcs.loads_canonical(signed.payload)
    except jcs.JsonError as error:
        raise Refused("ACK_FORMAT", str(error)) from error
    if not isinstance(value, dict) or value.keys() != {"v", *_NAMES}:
        raise Refused("ACK_FORMAT", "missing or unknown members")
    if type(value["v"]) is not int or value["v"] != 1:
        raise Refused("ACK_FORMAT", "v")
    ack = ObjectionAcknowledgement(*(value[name] for name in _NAMES))
    return SignedObjectionAcknowledgement(ack, signed)
