"""What the chain holds about one meeting, as the replay established it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from client.encodings.objection_record import Dispute


@dataclass(frozen=True, slots=True)
class ChainBallot:
    """A ballot that a batch brought to the chain, with the verdict on it ("" accepted, else a code).

    `choices` and `claims` are canonical JSON; `ack_time` is a time of Concordat's one form;
    `block` is the number of the block that holds transaction `tx`.
    """

    digest: str
    sub: str
    seq: int
    jws: str
    choices: str
    claims: str
    ses: str
    door: str
    ack_no: int
    ack_time: str
    tx: str
    block: int
    code: str = ""


@dataclass(frozen=True, slots=True)
class ChainSession:
    """An identity check as `identity` records it; `act` is whose ballot a proxy will cast, else empty."""

    ses: str
    sub: str
    x5t: str
    institution: str
    mtg: str
    method: str
    outcome: str
    commitment: str
    issued_at: str
    expires_at: str
    act: str = ""


@dataclass(frozen=True, slots=True)
class ChainAnchor:
    """An audit that was anchored: the size and root (base64url) of its tree head, and what it came to.

    `report` and `result` are SHA-256 in hex, `result` empty before there is one; `head` is the head's JWS.
    """

    size: int
    root: str
    report: str
    result: str
    verdict: str
    head: str
    tx: str
    where: str

    def as_json(self) -> dict[str, Any]:
        """Return the JSON member of the report."""
        return {name: getattr(self, name) for name in self.__slots__}


def numbered_as(door: str, number: int) -> str:
    """Return the key of an acknowledgement number, which each door counts for itself."""
    return f"{door} {number}"


@dataclass(frozen=True, slots=True)
class ChainMeeting:
    """One meeting as replayed: everything that the platform's copy is compared with.

    `accepted` holds every ballot ever accepted, replaced ones included, by digest; `refused` the
    last verdict on each digest that was never accepted; `numbers` every acknowledgement number seen, by door;
    `anchors` the audits anchored and `disputes` the objections, each in the chain's order.
    `entitled` has, of lenders whom amendments name, the claims (canonical JSON) before them and after.
    """

    mtg: str
    channel: str
    record: str
    mh: str
    state: str
    result: str
    accepted: Mapping[str, ChainBallot] = field(default_factory=dict)
    refused: Mapping[str, ChainBallot] = field(default_factory=dict)
    sessions: Mapping[str, ChainSession] = field(default_factory=dict)
    numbers: Mapping[str, Iterable[int]] = field(default_factory=dict)
    anchors: tuple[ChainAnchor, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    entitled: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Say whether every acknowledged ballot must have had its verdict (a void meeting owes none)."""
        return self.state in ("closed", "objections", "certified")


@dataclass(frozen=True, slots=True)
class Count:
    """The auditor's own count: how many ballots stand, and once closed what they come to."""

    ballots: int
    tally: Mapping[str, Any] | None
    outcome: Mapping[str, Any] | None
