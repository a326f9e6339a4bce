"""Roll leaves: one lender's claims at one meeting, salted, so that a root reveals nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from client.encodings import base64url, jcs, merkle
from client.encodings.errors import Refused
from client.encodings.ids import (
    ID_BYTES,
    MAX_INTEGER,
    is_count,
    is_hex_hash,
    is_meeting_id,
    is_motion_id,
    is_name,
    is_random_id,
)

SALT_BYTES: Final = 16
VERSION: Final = 2
MAX_EXCLUDED: Final = 20


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """One claim: its class and its amount in fen (at least 1).

    A disputed claim votes with the amount that a decision fixed for the vote (art. 59 of the Enterprise
    Bankruptcy Law): `decision` is the lower-case hex SHA-256 of that document, empty for any other claim.
    """

    cls: str
    fen: int
    decision: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A lender's entry on the roll: claims sorted by class, one a class, and 16 bytes of salt.

    `excluded` are the motions that the lender may not vote on (connected parties), in ascending order.
    """

    mtg: str
    sub: str
    claims: tuple[Claim, ...]
    salt: bytes
    excluded: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse (ROLL_LEAF) what no roll can hold."""
        if not is_meeting_id(self.mtg) or not is_random_id(self.sub) or len(self.salt) != SALT_BYTES:
            raise Refused("ROLL_LEAF", "mtg, sub or salt")
        check_claims(self.claims)
        check_excluded(self.excluded)

    @property
    def fen(self) -> int:
        """The sum of the claims."""
        return sum(claim.fen for claim in self.claims)

    def encode(self) -> bytes:
        """Return the leaf's bytes, which are JCS.

        Written from the pattern and not by the JCS library because every name and value
        is of a form that needs no escaping; a test holds it to the library.
        """
        claims = ",".join(_claim_text(claim) for claim in self.claims)
        motions = ",".join(f'"{motion}"' for motion in self.excluded)
        excluded = f'"excluded":[{motions}],' if motions else ""
        return (
            f'{{"claims":[{claims}],{excluded}"mtg":"{self.mtg}","salt":"{base64url.encode(self.salt)}",'
            f'"sub":"{self.sub}","v":{VERSION}}}'
        ).encode("ascii")

    def hash(self) -> bytes:
        """Return the RFC 9162 leaf hash."""
        return merkle.leaf_hash(self.encode())

    def as_json(self) -> dict[str, Any]:
        """Return the leaf as the JSON object that it encodes."""
        value: dict[str, Any] = {
            "v": VERSION,
            "mtg": self.mtg,
            "sub": self.sub,
            "claims": claims_json(self.claims),
            "salt": base64url.encode(self.salt),
        }
        return value | ({"excluded": list(self.excluded)} if self.excluded else {})


def check_claims(claims: tuple[Claim, ...]) -> None:
    """Refuse (ROLL_LEAF) claims that are none, unsorted, twice in a class, below 1 fen or above 2^53-1."""
    if not claims:
        raise Refused("ROLL_LEAF", "no claim")
    previous = ""
    for claim in claims:
        if not is_name(claim.cls) or claim.cls <= previous:
            raise Refused("ROLL_LEAF", f"the class {claim.cls[:40]!r} is malformed or out of order")
        if not is_count(claim.fen) or claim.fen < 1:
            raise Refused("ROLL_LEAF", f"{claim.fen} fen")
        if claim.decision and not is_hex_hash(claim.decision):
            raise Refused("ROLL_LEAF", "a decision is not a SHA-256 in lower-case hex")
        previous = claim.cls
    if sum(claim.fen for claim in claims) > MAX_INTEGER:
        raise Refused("ROLL_LEAF", "the claims together exceed 2^53-1 fen")


def check_excluded(excluded: tuple[str, ...]) -> None:
    """Refuse (ROLL_LEAF) motions that are none, unsorted, given twice or more than a meeting has."""
    if len(excluded) > MAX_EXCLUDED or not all(is_motion_id(motion) for motion in excluded):
        raise Refused("ROLL_LEAF", "excluded names no motions")
    if list(excluded) != sorted(set(excluded)):
        raise Refused("ROLL_LEAF", "excluded is not in ascending order, each motion once")


def _claim_text(claim: Claim) -> str:
    decision = f'"decision":"{claim.decision}",' if claim.decision else ""
    return f'{{"class":"{claim.cls}",{decision}"fen":{claim.fen}}}'


def claims_json(claims: tuple[Claim, ...]) -> list[dict[str, Any]]:
    """Return claims as JSON."""
    return [
        {"class": claim.cls, "fen": claim.fen} | ({"decision": claim.decision} if claim.decision else {})
        for claim in claims
    ]


def parse_claims(value: Any) -> tuple[Claim, ...]:
    """Return the claims of parsed JSON; refuse (ROLL_LEAF) anything but the prescribed form."""
    if not isinstance(value, list):
        raise Refused("ROLL_LEAF", "claims is no array")
    claims = []
    for item in value:
        if (
            not isinstance(item, dict)
            or item.keys() - {"decision"} != {"class", "fen"}
            or not is_name(item["class"])
            or not is_count(item["fen"])
            or not ("decision" not in item or is_hex_hash(item["decision"]))
        ):
            raise Refused("ROLL_LEAF", "a claim is not a class, an amount in fen and perhaps a decision")
        claims.append(Claim(item["class"], item["fen"], item.get("decision", "")))
    check_claims(tuple(claims))
    return tuple(claims)


def parse_leaf(data: bytes) -> Leaf:
    """Return the leaf that `data` encodes; refuse (ROLL_LEAF) anything but its canonical bytes."""
    try:
        value = jcs.loads_canonical(data)
    except jcs.JsonError as error:
        raise Refused("ROLL_LEAF", str(error)) from error
    if not isinstance(value, dict) or value.keys() - {"excluded"} != {"v", "mtg", "sub", "claims", "salt"}:
        raise Refused("ROLL_LEAF", "other members than v, mtg, sub, claims, excluded, salt")
    if type(value["v"]) is not int or value["v"] != VERSION:
        raise Refused("ROLL_LEAF", f"the version is not {VERSION}")
    mtg, sub, salt = value["mtg"], value["sub"], value["salt"]
    if not is_meeting_id(mtg) or not is_random_id(sub) or not is_random_id(salt):
        raise Refused("ROLL_LEAF", "mtg, sub or salt")
    claims = parse_claims(value["claims"])
    excluded = parse_excluded(value["excluded"]) if "excluded" in value else ()
    return Leaf(mtg, sub, claims, base64url.decode(salt, ID_BYTES), excluded)


def parse_excluded(value: Any) -> tuple[str, ...]:
    """Return the motions of parsed JSON, at least one; refuse (ROLL_LEAF) any other form."""
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise Refused("ROLL_LEAF", "excluded is no list of motions")
    check_excluded(tuple(value))
    return tuple(value)
