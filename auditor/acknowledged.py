"""Acknowledgements that the platform stores: what a door signed, and whether it was that door."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from auditor.facts import Facts
from client.encodings import base64url, jws
from client.encodings.acknowledgement import TYP, Acknowledgement, parse_acknowledgement
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.facts import Fact
    from auditor.platform_rows import BallotRow


class Acknowledged(NamedTuple):
    """A fact: a key (DER) signed an acknowledgement, which has the prescribed form."""

    compact: str
    key: bytes

    def verify(self) -> None:
        """Refuse as `parse_acknowledgement` and its `verify` do."""
        parse_acknowledgement(self.compact).verify(_key(self.key))


def _content(compact: str) -> Acknowledgement:
    """Return what an acknowledgement says whose form and signature are known to be good."""
    value = json.loads(base64url.decode(compact.split(".")[1]))
    return Acknowledgement(*(value[name] for name in ("mh", "mtg", "digest", "door", "no", "time")))


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

    def ask(self, rows: Sequence[BallotRow]) -> list[Fact]:
        """Return what `verified` will look at, by the doors that the rows name."""
        found = (self._fact(row) for row in rows)
        return [fact for fact in found if fact is not None]

    def _fact(self, row: BallotRow) -> Acknowledged | None:
        key = self._signers.get((row.door, row.ack_jws.partition(".")[0]))
        return None if key is None else Acknowledged(row.ack_jws, key)

    def verified(self, row: BallotRow) -> tuple[Acknowledgement, bool]:
        """Return what the row's stored acknowledgement says, and whether its signature could be checked.

        It cannot while the door has brought nothing to the channel. Refuse with the code of what is wrong
        with its form; KEY_FOREIGN where none of the door's relays signed it; SIGNATURE_INVALID.
        """
        fact = self._fact(row)
        known = fact is not None and self.facts.knows(fact)
        if known and (ack := _content(row.ack_jws)).door == row.door:
            return ack, True
        signed = parse_acknowledgement(row.ack_jws)
        keys = self.keys.get(signed.ack.door, {})
        if not keys:
            return signed.ack, False
        key = keys.get(signed.jws.x5t)
        if key is None:
            raise Refused("KEY_FOREIGN", "no relay of the door has this certificate")
        signed.verify(key)
        return signed.ack, True
