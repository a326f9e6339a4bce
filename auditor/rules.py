"""Tallies and rules from the ballots themselves: the second, independent evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auditor.evaluation import Poll, compared, decide, eligible
from auditor.weights import Weights
from client.encodings import jcs
from client.encodings.ballot import chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from client.encodings.ballot import Vote
    from client.encodings.ballot_record import BallotRecord
    from client.encodings.leaf import Claim
    from client.encodings.meeting import Meeting
    from client.encodings.motion import Motion


@dataclass(frozen=True, slots=True)
class CountedBallot:
    """What of an accepted ballot counts: the lender's claims and the answer to every motion.

    `excluded` are the motions that the lender's leaf excludes it from.
    """

    claims: tuple[Claim, ...]
    votes: Mapping[str, Vote]
    excluded: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: BallotRecord) -> CountedBallot:
        """Return what counts of a ballot as the channel holds it."""
        return cls(record.claims, record.votes, record.excluded)


@dataclass(slots=True)
class Change:
    """What one transaction changes in the count: its subtotal, negative where a ballot is replaced.

    Where several choices may be chosen, marks beside the choices count each lender once: `*yes` who
    is in favour, if several choices are; `*voted` who votes at all, if a choice is an abstention.
    `*excluded` are those whom a motion excludes: present, and their answer doesn't count. What disputed
    claims contribute to a choice or mark is there again with a `?`; `*present?` is their part of the present.
    """

    ballots: int = 0
    present: Weights = field(default_factory=Weights)
    motions: dict[str, dict[str, Weights]] = field(default_factory=dict)

    def add(self, meeting: Meeting, ballot: CountedBallot, replaced: CountedBallot | None) -> None:
        """Count a ballot, in place of the one replaced."""
        if replaced is None:
            self.ballots += 1
        else:
            self._count(meeting, replaced, -1)
        self._count(meeting, ballot, 1)

    def reweigh(self, meeting: Meeting, before: CountedBallot, after: CountedBallot) -> None:
        """Count a ballot with other claims than it was counted with; without any it doesn't count."""
        for counted, sign in ((before, -1), (after, 1)):
            if counted.claims:
                self.ballots += sign
                self._count(meeting, counted, sign)

    def encode(self) -> bytes:
        """Return the subtotal's canonical bytes, without anything that is zero."""
        motions: dict[str, dict[str, Any]] = {}
        for motion, choices in self.motions.items():
            kept = {choice: weights.changed() for choice, weights in choices.items() if weights.changed()}
            if kept:
                motions[motion] = kept
        return jcs.dumps(
            {"v": 1, "ballots": self.ballots, "present": self.present.changed(), "motions": motions}
        )

    def _count(self, meeting: Meeting, ballot: CountedBallot, sign: int) -> None:
        self.present.add(ballot.claims, sign)
        disputed = tuple(claim for claim in ballot.claims if claim.decision)
        gone = len(disputed) == len(ballot.claims)  # without them there is no such lender
        for motion in meeting.motions:
            choices = self.motions.setdefault(motion.id, {})
            if motion.id in ballot.excluded:
                choices.setdefault("*excluded", Weights()).add(ballot.claims, sign)
                continue
            names = _counted_names(motion, chosen(ballot.votes[motion.id]))
            for name in names:
                choices.setdefault(name, Weights()).add(ballot.claims, sign)
            for name in (*names, "*present") if disputed else ():
                choices.setdefault(f"{name}?", Weights()).add(disputed, sign, head=gone)


def _counted_names(motion: Motion, picked: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a vote counts under: its choices, and the marks that sums over choices cannot give."""
    rules, several = motion.rules, motion.max_choices > 1
    marks_favour = several and len(rules.yes) > 1
    marks_voting = several and len(rules.abstain) > 0
    favour = ("*yes",) if marks_favour and any(choice in rules.yes for choice in picked) else ()
    voting = ("*voted",) if marks_voting and any(choice not in rules.abstain for choice in picked) else ()
    return (*picked, *favour, *voting)


@dataclass(frozen=True, slots=True)
class MotionTally:
    """One motion's count: as cast, without the disputed claims, and who was present though excluded."""

    whole: Poll
    undisputed: Poll
    excluded: Weights


@dataclass(frozen=True, slots=True)
class Tally:
    """The count of all ballots that stand at the end."""

    ballots: int
    present: Weights
    motions: Mapping[str, MotionTally]


def tally(meeting: Meeting, ballots: Iterable[CountedBallot]) -> Tally:
    """Count the ballots that stand, one a lender."""
    count = 0
    present = Weights()
    motions = {
        motion.id: MotionTally(
            Poll(eligible(meeting.roll, motion.id)),
            Poll(eligible(meeting.roll, motion.id, undisputed=True)),
            Weights(),
        )
        for motion in meeting.motions
    }
    for ballot in ballots:
        count += 1
        present.add(ballot.claims)
        undisputed = tuple(claim for claim in ballot.claims if not claim.decision)
        for motion in meeting.motions:
            own = motions[motion.id]
            if motion.id in ballot.excluded:
                own.excluded.add(ballot.claims)
                continue
            own.whole.add(motion, ballot.claims, ballot.votes[motion.id])
            if undisputed:
                own.undisputed.add(motion, undisputed, ballot.votes[motion.id])
    return Tally(count, present, motions)


def outcome(meeting: Meeting, counted: Tally) -> dict[str, Any]:
    """Apply every motion's rules and return the result as the channel writes it (before JCS)."""
    return {
        "v": 1,
        "mtg": meeting.mtg,
        "mh": meeting.mh,
        "ballots": counted.ballots,
        "present": counted.present.full(meeting),
        "motions": {
            motion.id: _motion(meeting, motion, counted.motions[motion.id]) for motion in meeting.motions
        },
    }


def result_bytes(meeting: Meeting, counted: Tally) -> bytes:
    """Return the result's canonical bytes."""
    return jcs.dumps(outcome(meeting, counted))


def _motion(meeting: Meeting, motion: Motion, own: MotionTally) -> dict[str, Any]:
    classes = tuple(entry.cls for entry in meeting.roll.classes)
    decision = decide(motion, own.whole, classes)
    value = {
        **decision,
        "choices": {
            choice: own.whole.choices.get(choice, Weights()).full(meeting) for choice in motion.choices
        },
        "excluded": own.excluded.full(meeting),
    }
    if meeting.roll.disputed:
        value["disputed"] = compared(decision, decide(motion, own.undisputed, classes))
    return value
