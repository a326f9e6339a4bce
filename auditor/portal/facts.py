"""What the pages may say: an immutable picture of the chain as the replay verified it up to some block."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from auditor.portal.brought import brought
from auditor.portal.disputed import anchors_of, objections_of
from auditor.portal.figures import CLOSED
from auditor.portal.records import Ballots, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from auditor.alarm import Alarm
    from auditor.errors import VerificationError
    from auditor.portal.brought import Brought
    from auditor.portal.figures import Figures
    from auditor.portal.state import State
    from auditor.replay.amendments import Overlay
    from auditor.replay.meetings import MeetingState
    from auditor.view import ChainBallot
    from client.encodings.meeting import Meeting


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

    `accepted` has every ballot ever accepted, `standing` the digest that stands by voter, both read from
    the state on disk as they are asked for; `anchored` says whether the Regulator's auditor anchored the
    final head. `second_door` counts the accepted ballots that came through the Regulator's door, whose
    highest number is `last_number`. `named` gives the ballots accepted in a lender's name, `brought` what the
    doors brought by their numbers. `overlay` is what amendments made of the roll.
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
    named: Callable[[str], list[ChainBallot]] = field(repr=False)
    brought: Callable[[], AbstractContextManager[Brought]] = field(repr=False)

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
        return self.named(sub)


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


def meeting_facts(kept: State, channel: str, state: MeetingState, figures: Figures) -> MeetingFacts:
    """Return the facts of one meeting as the state's verifier has it now, and its figures."""
    verifier, mtg = kept.verifier, state.record.mtg
    findings = (
        *map(Finding.of, verifier.findings(channel, mtg)),
        *(Finding(*one) for one in figures.wrong),
    )
    roll = state.amended.roll
    shown = state.state in CLOSED and bool(state.result) and not findings
    accepted = Ballots(kept, channel, mtg, "accepted", figures.rows)
    return MeetingFacts(
        meeting=state.record,
        channel=channel,
        state=state.state,
        turnout=Turnout(figures.ballots, figures.fen, roll.heads, roll.fen),
        motions=tuple(figures.motions) if shown else None,
        findings=findings,
        alarms=verifier.alarms(channel, mtg),
        anchored=bool(state.anchors),
        anchors=anchors_of(state),
        objections=objections_of(state),
        second_door=figures.second_door,
        last_number=figures.last_number,
        accepted=accepted,
        refused=Ballots(kept, channel, mtg, "refused"),
        standing=Standing(kept, channel, mtg),
        named=accepted.of,
        brought=partial(brought, kept, channel, mtg),
        overlay=state.overlay,
    )
