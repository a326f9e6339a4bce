"""Mandates: a lender's signed word that another may cast its ballot (Enterprise Bankruptcy Law art. 59)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from client.encodings import hashes, jcs, jws, times
from client.encodings.errors import Refused
from client.encodings.ids import is_count, is_hash, is_meeting_id, is_motion_id, is_random_id
from client.encodings.motion import MAX_MOTIONS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

TYP: Final = "concordat-mandate+jws"
MAX_BYTES: Final = 2048
MAX_NUMBER: Final = 1000
ALL: Final = "*"

_MEMBERS: Final = frozenset({"v", "mh", "mtg", "motions", "sub", "proxy", "iat", "no"})


@dataclass(frozen=True, slots=True)
class Mandate:
    """What a mandate says: `proxy` may answer `motions` at this meeting in the place of `sub`.

    `motions` is `*` for all of them, or their ids in ascending order. `no` counts a lender's mandates at a
    meeting, from 1 to 1,000; a higher one takes the place of those before.
    """

    mh: str
    mtg: str
    motions: tuple[str, ...] | Literal["*"]
    sub: str
    proxy: str
    iat: str
    no: int

    def __post_init__(self) -> None:
        """Refuse (MANDATE_FORMAT) what no mandate may hold."""
        checks = {
            "mh": is_hash(self.mh),
            "mtg": is_meeting_id(self.mtg),
            "motions": self.motions == ALL or _are_motions(self.motions),
            "sub": is_random_id(self.sub),
            "proxy": is_random_id(self.proxy) and self.proxy != self.sub,
            "iat": times.is_time(self.iat),
            "no": is_count(self.no) and 1 <= self.no <= MAX_NUMBER,
        }
        for name, good in checks.items():
            if not good:
                raise Refused("MANDATE_FORMAT", name)

    def payload(self) -> bytes:
        """Return the canonical bytes that are signed."""
        return jcs.dumps(
            {
                "v": 1,
                "mh": self.mh,
                "mtg": self.mtg,
                "motions": self.motions if isinstance(self.motions, str) else list(self.motions),
                "sub": self.sub,
                "proxy": self.proxy,
                "iat": self.iat,
                "no": self.no,
            }
        )

    def covers(self, motion: str) -> bool:
        """Say whether the proxy may answer a motion."""
        return self.motions == ALL or motion in self.motions


@dataclass(frozen=True, slots=True)
class SignedMandate:
    """A mandate with its JWS; `verify` says whether a key signed it."""

    mandate: Mandate
    jws: jws.Jws

    @property
    def digest(self) -> str:
        """The mandate's name, which the proxy's ballots carry as `prx`: it is over the signing input."""
        return hashes.digest(hashes.MANDATE, self.jws.signing_input)

    @property
    def compact(self) -> str:
        """The compact JWS."""
        return self.jws.compact

    def verify(self, key: EllipticCurvePublicKey) -> None:
        """Refuse (SIGNATURE_INVALID) unless `key` signed it."""
        self.jws.verify(key)


def sign_mandate(mandate: Mandate, x5t: str, key: EllipticCurvePrivateKey) -> SignedMandate:
    """Return `mandate` signed by the principal's key, whose certificate has the thumbprint `x5t`."""
    return SignedMandate(mandate, jws.sign(TYP, x5t, mandate.payload(), key))


def parse_mandate(compact: str) -> SignedMandate:
    """Return the mandate of a compact JWS, its form fully checked and its signature not at all.

    Refuse with MANDATE_FORMAT over 2,048 bytes, then with the JWS codes, then with MANDATE_FORMAT.
    """
    length = len(compact.encode("utf-8", "surrogatepass"))
    if length > MAX_BYTES:
        raise Refused("MANDATE_FORMAT", f"{length} bytes")
    signed = jws.parse(compact, TYP)
    return SignedMandate(_parse_payload(signed.payload), signed)


def _parse_payload(payload: bytes) -> Mandate:
    try:
        value = jcs.loads_canonical(payload)
    except jcs.JsonError as error:
        raise Refused("MANDATE_FORMAT", str(error)) from error
    if not isinstance(value, dict) or value.keys() != _MEMBERS:
        raise Refused("MANDATE_FORMAT", "other members than the mandate's")
    if type(value["v"]) is not int or value["v"] != 1:
        raise Refused("MANDATE_FORMAT", "the version is not 1")
    return Mandate(
        value["mh"],
        value["mtg"],
        _motions(value["motions"]),
        value["sub"],
        value["proxy"],
        value["iat"],
        value["no"],
    )


def _motions(value: Any) -> tuple[str, ...] | Literal["*"]:
    if value == ALL:
        return "*"
    if not isinstance(value, list):
        raise Refused("MANDATE_FORMAT", "motions is neither * nor a list")
    return tuple(value)


def _are_motions(motions: tuple[str, ...] | str) -> bool:
    named = (
        not isinstance(motions, str) and 1 <= len(motions) <= MAX_MOTIONS and all(map(is_motion_id, motions))
    )
    return named and list(motions) == sorted(set(motions))
