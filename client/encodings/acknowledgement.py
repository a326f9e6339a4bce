"""Acknowledgements: a door's signed word that it took a ballot, when, and as its how-many-th."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.encodings import jcs, jws, times
from client.encodings.errors import Refused
from client.encodings.ids import is_count, is_hash, is_meeting_id, is_msp

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

    from client.encodings.ballot import SignedBallot

TYP: Final = "concordat-ack+jws"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a door says: ballot `digest` was its number `no` (gapless from 1 a meeting) at `time`."""

    mh: str
    mtg: str
    digest: str
    door: str
    no: int
    time: str

    def __post_init__(self) -> None:
        """Refuse (ACK_FORMAT, ACK_TIME) what no acknowledgement may hold."""
        if not (is_hash(self.mh) and is_meeting_id(self.mtg) and is_hash(self.digest) and is_msp(self.door)):
            raise Refused("ACK_FORMAT", "mh, mtg, digest or door")
        if not is_count(self.no) or self.no < 1:
            raise Refused("ACK_FORMAT", f"no {self.no}")
        if not times.is_time(self.time):
            raise Refused("ACK_TIME", self.time[:40])

    def payload(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return jcs.dumps(
            {
                "v": 1,
                "mh": self.mh,
                "mtg": self.mtg,
                "digest": self.digest,
                "door": self.door,
                "no": self.no,
                "time": self.time,
            }
        )

    @property
    def seconds(self) -> int:
        """The time in seconds since 1970."""
        return times.parse(self.time)


@dataclass(frozen=True, slots=True)
class SignedAcknowledgement:
    """An acknowledgement with its JWS; `verify` says whether a key signed it."""

    ack: Acknowledgement
    jws: jws.Jws

    @property
    def compact(self) -> str:
        """The compact JWS."""
        return self.jws.compact

    def verify(self, key: EllipticCurvePublicKey) -> None:
        """Refuse (SIGNATURE_INVALID) unless `key` signed it."""
        self.jws.verify(key)

    def verify_for(self, ballot: SignedBallot) -> None:
        """Refuse (ACK_MISMATCH) unless it acknowledges exactly this ballot."""
        if (self.ack.digest, self.ack.mtg, self.ack.mh) != (
            ballot.digest,
            ballot.ballot.mtg,
            ballot.ballot.mh,
        ):
            raise Refused("ACK_MISMATCH", f"it acknowledges {self.ack.digest}, not {ballot.digest}")


def sign_acknowledgement(
    ack: Acknowledgement, x5t: str, key: EllipticCurvePrivateKey
) -> SignedAcknowledgement:
    """Return `ack` signed by the door's relay key, whose certificate has the thumbprint `x5t`."""
    return SignedAcknowledgement(ack, jws.sign(TYP, x5t, ack.payload(), key))


def parse_acknowledgement(compact: str) -> SignedAcknowledgement:
    """Return the acknowledgement of a compact JWS, its signature not verified.

    Refuse with the JWS codes, then ACK_FORMAT, then ACK_TIME.
    """
    signed = jws.parse(compact, TYP)
    try:
        value = jcs.loads_canonical(signed.payload)
    except jcs.JsonError as error:
        raise Refused("ACK_FORMAT", str(error)) from error
    names = ("mh", "mtg", "digest", "door", "no", "time")
    if not isinstance(value, dict) or value.keys() != {"v", *names}:
        raise Refused("ACK_FORMAT", "missing or unknown members")
    if type(value["v"]) is not int or value["v"] != 1 or not isinstance(value["time"], str):
        raise Refused("ACK_FORMAT", "v or time")
    return SignedAcknowledgement(Acknowledgement(*(value[name] for name in names)), signed)
