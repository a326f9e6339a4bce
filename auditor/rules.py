"""Tallies and rules from the ballots themselves: the second, independent evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auditor.evaluation import Poll, compared, decide, eligible
from auditor.weights import Weights
from client.encodings import jcs
from client.encodings.ballot import chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
class SameAnswers:
    """Those who answered every motion alike and are excluded from the same ones.

    `whole` are all their claims, `disputed` and `undisputed` a part of them; who has none in a part is no
    head of it, and in `disputed` a head of everybody's only who has no other claims.
    """

    whole: Weights = field(default_factory=Weights)
    disputed: Weights = field(default_factory=Weights)
    undisputed: Weights = field(default_factory=Weights)

    def add(self, claims: tuple[Claim, ...], sign: int) -> None:
        """Count one of them (`sign` -1: no longer)."""
        self.whole.add(claims, sign)
        disputed = [claim for claim in claims if claim.decision]
        if not disputed:
            self.undisputed.add(claims, sign)
            return
        # Without the disputed claims there is no such lender, where there are no others.
        self.disputed.add(disputed, sign, head=len(disputed) == len(claims))
        if len(disputed) < len(claims):
            self.undisputed.add([claim for claim in claims if not claim.decision], sign)


class BallotsByAnswer:
    """Ballots by what they say: amounts are added up once a ballot, answers looked at once a group."""

    def __init__(self, meeting: Meeting) -> None:
        self._motions = tuple(motion.id for motion in meeting.motions)
        self._same: dict[tuple[tuple[Vote, ...], tuple[str, ...]], SameAnswers] = {}

    def add(self, ballot: CountedBallot, sign: int = 1) -> None:
        """Count a ballot."""
        votes = ballot.votes
        key = (tuple([votes[name] for name in self._motions]), ballot.excluded)
        same = self._same.get(key)
        if same is None:
            same = self._same[key] = SameAnswers()
        same.add(ballot.claims, sign)

    def __iter__(self) -> Iterator[tuple[tuple[Vote, ...], tuple[str, ...], SameAnswers]]:
        """Yield each group's answers in the motions' order, the motions that exclude it, and who is in it."""
        return ((votes, excluded, same) for (votes, excluded), same in self._same.items())


@dataclass(slots=True)
class Change:
    """What one transaction changes in the count: its subtotal, negative where a ballot is replaced."""

    meeting: Meeting
    ballots: int = 0
    by_answer: BallotsByAnswer = field(init=False)

    def __post_init__(self) -> None:
        self.by_answer = BallotsByAnswer(self.meeting)

    def add(self, ballot: CountedBallot, replaced: CountedBallot | None) -> None:
        """Count a ballot, in place of the one replaced."""
        if replaced is None:
            self.ballots += 1
        else:
            self.by_answer.add(replaced, -1)
        self.by_answer.add(ballot)

    def reweigh(self, before: CountedBallot, after: CountedBallot) -> None:
        """Count a ballot with other claims than it was counted with; without any it doesn't count."""
        for counted, sign in ((before, -1), (after, 1)):
            if counted.claims:
                self.ballots += sign
                self.by_answer.add(counted, sign)

    def encode(self) -> bytes:
        """Return the subtotal's canonical bytes, without anything that is zero.

        Where several choices may be chosen, marks beside the choices count each lender once: `*yes` who is
        in favour, if several choices are; `*voted` who votes at all, if a choice is an abstention.
        `*excluded` are those whom a motion excludes: present, and their answer doesn't count. What disputed
        claims contribute to a choice or mark is there again with a `?`; `*present?` is their part of the
        present.
        """
        present = Weights()
        counted: dict[str, dict[str, Weights]] = {motion.id: {} for motion in self.meeting.motions}
        for votes, excluded, same in self.by_answer:
            present.merge(same.whole)
            for motion, vote in zip(self.meeting.motions, votes, strict=True):
                choices = counted[motion.id]
                if motion.id in excluded:
                    choices.setdefault("*excluded", Weights()).merge(same.whole)
                    continue
                names = _counted_names(motion, chosen(vote))
                for name in names:
                    choices.setdefault(name, Weights()).merge(same.whole)
                for name in (*names, "*present"):
                    choices.setdefault(f"{name}?", Weights()).merge(same.disputed)
        motions: dict[str, dict[str, Any]] = {}
        for name, choices in counted.items():
            kept = {choice: changed for choice, weights in choices.items() if (changed := weights.changed())}
            if kept:
                motions[name] = kept
        return jcs.dumps({"v": 1, "ballots": self.ballots, "present": present.changed(), "motions": motions})


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
    groups = BallotsByAnswer(meeting)
    for ballot in ballots:
        count += 1
        groups.add(ballot)
    present = Weights()
    motions = {
        motion.id: MotionTally(
            Poll(eligible(meeting.roll, motion.id)),
            Poll(eligible(meeting.roll, motion.id, undisputed=True)),
            Weights(),
        )
        for motion in meeting.motions
    }
    for votes, excluded, same in groups:
        present.merge(same.whole)
        for motion, vote in zip(meeting.motions, votes, strict=True):
            own = motions[motion.id]
            if motion.id in excluded:
                own.excluded.merge(same.whole)
            else:
                own.whole.merge(motion, same.whole, vote)
                own.undisputed.merge(motion, same.undisputed, vote)
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
