"""Acknowledgements that the platform stores: what a door signed, and whether it was that door."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from auditor.facts import Facts
from client.encodings import base64url, jws
from client.encodings.acknowledgement import TYP, Acknowledgement, parse_acknowledgement
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from auditor.platform_rows import BallotRow
    from auditor.view import ChainMeeting

    Stored = tuple[Any, Any, Any, Any, Any]

STORED: Final = ("ack_jws", "digest", "door", "ack_no", "ack_time")
"""The columns of what a row has of its acknowledgement."""
_TYPES: Final = (str, str, str, int, str)


class Acknowledged(NamedTuple):
    """A fact: a key (DER) signed an acknowledgement, of the prescribed form, that says exactly this."""

    compact: str
    key: bytes
    mh: str
    mtg: str
    digest: str
    door: str
    no: int
    time: str

    @property
    def ack(self) -> Acknowledgement:
        """What it says, if it holds; refuse what none may say."""
        return Acknowledgement(self.mh, self.mtg, self.digest, self.door, self.no, self.time)

    def verify(self) -> None:
        """Refuse as `parse_acknowledgement` and its `verify` do, and (ACK_MISMATCH) where it says another."""
        signed = parse_acknowledgement(self.compact)
        if signed.ack != self.ack:
            raise Refused("ACK_MISMATCH", f"it acknowledges {signed.ack.digest} as number {signed.ack.no}")
        signed.verify(_key(self.key))


@lru_cache(maxsize=64)  # by the key's own bytes
def _key(der: bytes) -> EllipticCurvePublicKey:
    key = load_der_public_key(der)
    if not isinstance(key, EllipticCurvePublicKey):
        raise Refused("SIGNATURE_INVALID", "the key is not P-256")
    return key


def _der(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True, slots=True)
class Doors:
    """The relays' keys that the channel showed: door (MSP) to certificate thumbprint to key.

    A relay signs acknowledgements with the key by which it submits batches, so whoever brought a
    batch to the channel is known, its organisation and role verified (steps 7 and 14).
    """

    keys: Mapping[str, Mapping[str, EllipticCurvePublicKey]]
    facts: Facts = field(default_factory=Facts)
    _signers: dict[tuple[str, str], bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Note each key by its door and by the header that a JWS of its has."""
        signers = {
            (door, base64url.encode(jws.header(TYP, x5t))): _der(key)
            for door, keys in self.keys.items()
            for x5t, key in keys.items()
        }
        object.__setattr__(self, "_signers", signers)

    def fact(self, meeting: ChainMeeting, stored: Stored) -> Acknowledged | None:
        """Return that a door's relay signed an acknowledgement which says what its row says.

        None where that can't be, since a value is of another type than theirs or the relay is unknown.
        """
        compact, digest, door, number, time = stored
        if tuple(map(type, stored)) != _TYPES:
            return None
        key = self._signers.get((door, compact.partition(".")[0]))
        if key is None:
            return None
        return Acknowledged(compact, key, meeting.mh, meeting.mtg, digest, door, number, time)

    def knows(self, fact: Acknowledged | None) -> bool:
        """Say whether a fact is known to hold."""
        return fact is not None and self.facts.knows(fact)

    def verified(self, row: BallotRow, fact: Acknowledged | None = None) -> tuple[Acknowledgement, bool]:
        """Return what the row's stored acknowledgement says, and whether its signature could be checked.

        It cannot while the door has brought nothing to the channel. Refuse with the code of what is wrong
        with its form; KEY_FOREIGN where none of the door's relays signed it; SIGNATURE_INVALID. Nothing is
        looked at again of a `fact` about the row that is known to hold.
        """
        if fact is not None and self.knows(fact):
            return fact.ack, True
        signed = parse_acknowledgement(row.ack_jws)
        keys = self.keys.get(signed.ack.door, {})
        if not keys:
            return signed.ack, False
        key = keys.get(signed.jws.x5t)
        if key is None:
            raise Refused("KEY_FOREIGN", "no relay of the door has this certificate")
        signed.verify(key)
        return signed.ack, True
