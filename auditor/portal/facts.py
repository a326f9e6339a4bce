"""What the pages may say: an immutable picture of the chain as the replay verified it up to some block."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from auditor.anchors import wrong_anchors
from auditor.portal.disputed import anchors_of, objections_of
from auditor.portal.outcomes import outcomes_of
from auditor.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.alarm import Alarm
    from auditor.errors import VerificationError
    from auditor.replay.amendments import Overlay
    from auditor.replay.meetings import MeetingState
    from auditor.verifier import Verifier
    from auditor.view import ChainBallot
    from client.encodings.meeting import Meeting

CLOSED: Final = ("closed", "objections", "certified")


@dataclass(frozen=True, slots=True)
class Finding:
    """What failed: step, place, reason. Not the two values, which may be choices of a running vote."""

    step: int
    where: str
    reason: str

    @classmethod
    def of(cls, error: VerificationError) -> Finding:
        """Return what may be shown of an error."""
        return cls(error.step, error.where, error.reason)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"step": self.step, "where": self.where, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Turnout:
    """How many ballots stand and the fen behind them, of how many lenders and fen on the roll."""

    ballots: int
    fen: int
    heads: int
    eligible_fen: int

    def as_json(self) -> dict[str, int]:
        """Return the JSON object."""
        return {"ballots": self.ballots, "fen": self.fen, "heads": self.heads, "roll_fen": self.eligible_fen}


@dataclass(frozen=True, slots=True)
class MeetingFacts:
    """One meeting as replayed. `motions` is None until it is closed, and whenever anything failed.

    `accepted` has every ballot ever accepted, `standing` the digest that stands by voter; `anchored`
    says whether the Regulator's auditor anchored the final head. `second_door` counts the accepted
    ballots that came through the Regulator's door, whose highest number is `last_number`. `overlay` is what
    amendments made of the roll.
    """

    meeting: Meeting
    channel: str
    state: str
    turnout: Turnout
    motions: tuple[dict[str, Any], ...] | None
    findings: tuple[Finding, ...]
    alarms: tuple[Alarm, ...]
    anchored: bool
    anchors: tuple[dict[str, Any], ...]
    objections: tuple[dict[str, Any], ...]
    second_door: int
    last_number: int
    accepted: Mapping[str, ChainBallot]
    refused: Mapping[str, ChainBallot]
    standing: Mapping[str, str]
    overlay: Overlay

    @property
    def mtg(self) -> str:
        """The meeting's id."""
        return self.meeting.mtg

    @property
    def closed(self) -> bool:
        """Say whether the meeting has a result, so that choices are no secret any more."""
        return self.state in CLOSED

    def ballots_of(self, sub: str) -> list[ChainBallot]:
        """Return every ballot that was accepted in a lender's name, in the chain's order."""
        return [one for one in self.accepted.values() if one.sub == sub]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything verified up to `blocks` (heights by channel), established at `at`.

    `trouble` is why the last look at the own peer failed, "" if it didn't; `findings` what failed by channel.
    """

    at: str = ""
    seconds: float = 0.0
    blocks: Mapping[str, int] = field(default_factory=dict)
    heads: Mapping[str, str] = field(default_factory=dict)
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    meetings: Mapping[tuple[str, str], MeetingFacts] = field(default_factory=dict)
    trouble: str = ""

    @property
    def broken(self) -> bool:
        """Say whether anything at all failed a step."""
        return any(self.findings.values())

    def find(self, institution: str, mtg: str) -> MeetingFacts | None:
        """Return a meeting by the institution's name in its channel and its id."""
        return self.meetings.get((f"arbitration-{institution}", mtg))


def meeting_facts(verifier: Verifier, channel: str, state: MeetingState, regulator: str) -> MeetingFacts:
    """Return the facts of one meeting as a verifier has it now; what they hold never changes again."""
    mtg = state.record.mtg
    failed = (
        *verifier.findings(channel, mtg),
        *wrong_anchors(mtg, state.anchors, state.accepted.values()),
    )
    findings = tuple(map(Finding.of, failed))
    counted = Weights()
    ballots = list(state.counted())
    accepted, refused = dict(state.accepted), dict(state.refused)
    second = [one for one in (*accepted.values(), *refused.values()) if one.door == regulator]
    for one in ballots:
        counted.add(one.claims)
    roll = state.amended.roll
    shown = state.state in CLOSED and bool(state.result) and not findings
    return MeetingFacts(
        meeting=state.record,
        channel=channel,
        state=state.state,
        turnout=Turnout(len(ballots), counted.of("all", "fen"), roll.heads, roll.fen),
        motions=outcomes_of(state) if shown else None,
        findings=findings,
        alarms=verifier.alarms(channel, mtg),
        anchored=bool(state.anchors),
        anchors=anchors_of(state),
        objections=objections_of(state),
        second_door=sum(not one.code for one in second),
        last_number=max((one.ack_no for one in second), default=0),
        accepted=MappingProxyType(accepted),
        refused=MappingProxyType(refused),
        standing=MappingProxyType({sub: one.digest for sub, one in state.held.items()}),
        overlay=state.overlay,
    )
