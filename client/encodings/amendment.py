"""Amendments of a frozen roll: proposed by the institution, confirmed by the Regulator by digest.

The roll's root and the meeting's `mh` never change. An amendment says what becomes of the lenders whom it
names, and what the roll had of them before; it cites the decision that it follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from client.encodings import hashes, jcs, times
from client.encodings.errors import Refused
from client.encodings.ids import is_count, is_hex_hash, is_meeting_id, is_random_id
from client.encodings.leaf import (
    Claim,
    check_claims,
    check_excluded,
    claims_json,
    parse_claims,
    parse_excluded,
)
from client.encodings.step import is_reason

VERSION: Final = 1
MAX_AMENDED: Final = 1000
"""How many lenders one amendment names at most, and all amendments of a meeting together."""
MAX_AMENDMENTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a lender is on the roll with: claims as a leaf has them, and the motions excluded from."""

    claims: tuple[Claim, ...]
    excluded: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse (ROLL_LEAF) what no roll can hold."""
        check_claims(self.claims)
        check_excluded(self.excluded)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON; no exclusion, no member for it."""
        value: dict[str, Any] = {"claims": claims_json(self.claims)}
        return value | ({"excluded": list(self.excluded)} if self.excluded else {})


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one lender; None stands for a lender who is not on the roll."""

    sub: str
    before: Entitlement | None
    after: Entitlement | None

    def __post_init__(self) -> None:
        """Refuse (AMENDMENT_FORMAT) no pseudonym, and a change that changes nothing."""
        if not is_random_id(self.sub):
            raise Refused("AMENDMENT_FORMAT", "sub is no pseudonym")
        if self.before == self.after:
            raise Refused("AMENDMENT_FORMAT", f"nothing changes for {self.sub}")

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "sub": self.sub,
            "before": None if self.before is None else self.before.as_json(),
            "after": None if self.after is None else self.after.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Amended:
    """What all amendments together made of one lender: what the roll has, and what stands."""

    before: Entitlement | None
    after: Entitlement | None


@dataclass(frozen=True, slots=True)
class Amendment:
    """One amendment; `no` counts a meeting's from 1, `decision` is the hex SHA-256 of what decides it.

    `changes` are in ascending order of the pseudonyms, 1 to 1,000, one a lender.
    """

    mtg: str
    no: int
    at: str
    reason: str
    decision: str
    changes: tuple[Change, ...]

    def __post_init__(self) -> None:
        """Refuse (AMENDMENT_FORMAT) what is none."""
        if not is_meeting_id(self.mtg) or not is_count(self.no) or not 1 <= self.no <= MAX_AMENDMENTS:
            raise Refused("AMENDMENT_FORMAT", f"mtg, or no, which counts from 1 to {MAX_AMENDMENTS}")
        if not times.is_time(self.at) or not is_reason(self.reason) or not is_hex_hash(self.decision):
            raise Refused("AMENDMENT_FORMAT", "at, reason or decision")
        if not 1 <= len(self.changes) <= MAX_AMENDED:
            raise Refused("AMENDMENT_FORMAT", f"not 1 to {MAX_AMENDED} changes")
        if any(first.sub >= second.sub for first, second in pairwise(self.changes)):
            raise Refused("AMENDMENT_FORMAT", "the changes are not in ascending order, one a lender")

    def encode(self) -> bytes:
        """Return the amendment's canonical bytes."""
        return jcs.dumps(
            {
                "v": VERSION,
                "mtg": self.mtg,
                "no": self.no,
                "at": self.at,
                "reason": self.reason,
                "decision": self.decision,
                "changes": [change.as_json() for change in self.changes],
            }
        )

    @property
    def digest(self) -> str:
        """What the Regulator confirms."""
        return hashes.digest(hashes.AMENDMENT, self.encode())


def parse_amendment(data: bytes) -> Amendment:
    """Return the amendment of canonical bytes; refuse with AMENDMENT_FORMAT."""
    try:
        value = jcs.loads_canonical(data)
    except jcs.JsonError as error:
        raise Refused("AMENDMENT_FORMAT", str(error)) from error
    names = {"v", "mtg", "no", "at", "reason", "decision", "changes"}
    if not isinstance(value, dict) or value.keys() != names or not isinstance(value["changes"], list):
        raise Refused("AMENDMENT_FORMAT", "missing or unknown members")
    if type(value["v"]) is not int or value["v"] != VERSION:
        raise Refused("AMENDMENT_FORMAT", f"the version is not {VERSION}")
    changes = tuple(parse_change(item) for item in value["changes"])
    return Amendment(value["mtg"], value["no"], value["at"], value["reason"], value["decision"], changes)


def parse_change(value: Any) -> Change:
    """Return the change of parsed JSON; refuse with AMENDMENT_FORMAT."""
    if not isinstance(value, dict) or value.keys() != {"sub", "before", "after"}:
        raise Refused("AMENDMENT_FORMAT", "a change is not sub, before and after")
    try:
        before, after = (
            None if side is None else parse_entitlement(side) for side in (value["before"], value["after"])
        )
        return Change(value["sub"], before, after)
    except Refused as error:
        raise Refused("AMENDMENT_FORMAT", error.detail) from error


def parse_entitlement(value: Any) -> Entitlement:
    """Return the entitlement of parsed JSON; refuse with AMENDMENT_FORMAT or ROLL_LEAF."""
    if not isinstance(value, dict) or value.keys() - {"excluded"} != {"claims"}:
        raise Refused("AMENDMENT_FORMAT", "not claims and perhaps excluded")
    excluded = parse_excluded(value["excluded"]) if "excluded" in value else ()
    return Entitlement(parse_claims(value["claims"]), excluded)
