"""A meeting as replayed: its frozen record, its state, the ballots that stand and all that came."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auditor.replay.amendments import STATES, Overlay
from auditor.replay.anchors import verify_certifiable
from auditor.rules import CountedBallot
from client.encodings import cbor, hashes, jcs, merkle, times
from client.encodings.errors import Refused
from client.encodings.step import parse_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping

    from auditor.replay.amendments import PendingAmendment
    from auditor.rules import Tally
    from auditor.view import ChainAnchor, ChainBallot
    from client.encodings.amendment import Amendment
    from client.encodings.ballot_record import BallotRecord
    from client.encodings.mandate_record import MandateRecord
    from client.encodings.meeting import Meeting
    from client.encodings.objection_record import Dispute
    from client.encodings.step import Step

# For each state that a step leads to, the states that it may follow.
_BEFORE = {
    "open": ("announced",),
    "closing": ("open",),
    "closed": ("closing",),
    "objections": ("closed",),
    "certified": ("objections",),
    "void": ("draft", "announced", "open", "closing", "closed", "objections"),
}


@dataclass(frozen=True, slots=True)
class PendingStep:
    """A step that waits for confirmation: who proposed it and its canonical bytes."""

    by: str
    encoded: bytes

    @property
    def digest(self) -> str:
        """What the confirmation names."""
        return hashes.digest(hashes.STEP, self.encoded)


@dataclass(slots=True)
class MeetingState:
    """Everything about one meeting that later transactions build on.

    `held` are the ballots that stand, by voter; those of lenders off the roll are among them and don't count.
    `used` are the sessions of ballots replaced since, with the ballot's digest; `mandates` the last that each
    principal gave; `anchors` the audits anchored, in order; `disputes` the objections, by id; `objectors` how
    many each lender filed; `successor` the meeting announced in the place of this one; `subtotals` how many
    transactions changed the count; `tally` the count at closing, None before; `numbers` the acknowledgement
    numbers seen ("door number"), each with the first two digests brought under it, `numbered` those of
    accepted ballots, with the first one's digest.
    """

    record: Meeting
    cap: tuple[bytes, ...]
    state: str = "draft"
    step: PendingStep | None = None
    amendment: PendingAmendment | None = None
    overlay: Overlay = field(default_factory=Overlay)
    anchors: list[ChainAnchor] = field(default_factory=list)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    objectors: dict[str, int] = field(default_factory=dict)
    successor: str = ""
    result: bytes = b""
    tally: Tally | None = None
    subtotals: int = 0
    held: MutableMapping[str, BallotRecord] = field(default_factory=dict)
    used: MutableMapping[str, str] = field(default_factory=dict)
    mandates: dict[str, MandateRecord] = field(default_factory=dict)
    accepted: MutableMapping[str, ChainBallot] = field(default_factory=dict)
    refused: MutableMapping[str, ChainBallot] = field(default_factory=dict)
    numbers: MutableMapping[str, str] = field(default_factory=dict)
    numbered: MutableMapping[str, str] = field(default_factory=dict)

    def amend(self, amendment: Amendment) -> Overlay:
        """Return the overlay with one amendment more; refuse what state, roll or ballots do not allow."""
        if self.state not in STATES:
            raise Refused("MEETING_STATE", self.state)
        return self.overlay.amend(amendment, self.record, self.held)

    def verify_step(self, step: Step) -> None:
        """Refuse a step that state or announced times do not allow, and a certification that is not due."""
        if self.state not in _BEFORE[step.to]:
            raise Refused("MEETING_STATE", f"{self.state} to {step.to}")
        earliest = {
            "open": self.record.opens_at,
            "closing": self.record.closes_at,
            "certified": self.record.objections_until,
        }.get(step.to)
        if earliest is not None and times.parse(step.at) < times.parse(earliest):
            raise Refused("STEP_EARLY", f"{step.at} before {earliest}")
        if step.to == "certified":
            verify_certifiable(self)

    @property
    def amended(self) -> Meeting:
        """The meeting with the figures of its roll as amended, which are what is eligible."""
        return self.overlay.meeting(self.record)

    def counted(self) -> Iterator[CountedBallot]:
        """Yield the ballots that count: those of lenders on the roll."""
        return (CountedBallot.of(one) for one in self.held.values() if one.claims)

    def takes_ballots(self, door: str, regulator: str) -> bool:
        """Say whether a door may bring ballots: any while open, the Regulator's while closing."""
        return self.state == "open" or (self.state == "closing" and door == regulator)


def verify_replaces(meeting: Meeting, others: Mapping[str, MeetingState]) -> None:
    """Refuse (MEETING_REPLACES) a meeting that is not in the place of the one that it names.

    A postponed meeting must be void; a second vote must put motions alone that failed the first time. One
    meeting is announced in the place of another at most.
    """
    if meeting.replaces is None:
        return
    before = others.get(meeting.replaces.mtg)
    if before is None or before.record.mh != meeting.replaces.mh:
        raise Refused("MEETING_REPLACES", f"{meeting.replaces.mtg} is not on the channel by this mh")
    if before.successor:
        raise Refused("MEETING_REPLACES", f"{before.record.mtg} has a successor: {before.successor}")
    if meeting.replaces.why == "postponed":
        if before.state != "void":
            raise Refused("MEETING_REPLACES", f"{before.record.mtg} is {before.state}, not void")
        return
    if before.state not in ("closed", "objections", "certified"):
        raise Refused("MEETING_REPLACES", f"{before.record.mtg} is {before.state}")
    decided = jcs.loads(before.result)["motions"]
    for motion in meeting.motions:
        if decided.get(motion.id, {}).get("passed") is not False:
            raise Refused("MEETING_REPLACES", f"{motion.id} did not fail at {before.record.mtg}")


def parse_cap(meeting: Meeting, encoded: bytes) -> tuple[bytes, ...]:
    """Return a roll's cap that combines to the record's root; refuse with MEETING_ROLL."""
    try:
        cap = cbor.loads(encoded)
    except cbor.CborError as error:
        raise Refused("MEETING_ROLL", str(error)) from error
    if not isinstance(cap, list) or not all(isinstance(node, bytes) for node in cap):
        raise Refused("MEETING_ROLL", "the cap is no list of hashes")
    roll = meeting.roll
    try:
        merkle.verify_cap(cap, size=roll.size, height=roll.cap_height, root=roll.root)
    except merkle.ProofError as error:
        raise Refused("MEETING_ROLL", str(error)) from error
    return tuple(cap)


def pending_step(by: str, encoded: bytes) -> tuple[PendingStep, Step]:
    """Return a proposed step; refuse with STEP_FORMAT."""
    return PendingStep(by, encoded), parse_step(encoded)


def step_record(step: PendingStep, tx: str) -> bytes:
    """Return the canonical record of a step that waits."""
    value: Any = jcs.loads(step.encoded)
    return jcs.dumps({"v": 1, "by": step.by, "digest": step.digest, "step": value, "tx": tx})


def successor_record(mtg: str, tx: str) -> bytes:
    """Return the canonical record of the meeting in another's place, announced by `tx`."""
    return jcs.dumps({"v": 1, "mtg": mtg, "tx": tx})


def state_record(state: str, tx: str) -> bytes:
    """Return the canonical record of a state, and the transaction that set it."""
    return jcs.dumps({"v": 1, "state": state, "tx": tx})
