"""Tallies and rules from the ballots themselves: the second, independent evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from client.encodings import jcs
from client.encodings.ballot import chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from client.encodings.ballot import Vote
    from client.encodings.ballot_record import BallotRecord
    from client.encodings.leaf import Claim
    from client.encodings.meeting import Meeting
    from client.encodings.motion import Motion
    from client.encodings.rules import Rules, Test

EVERYBODY = "*"


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
class Weights:
    """Heads and fen, over everybody (`*`) and per class; a lender counts once in each of its classes."""

    scopes: dict[str, list[int]] = field(default_factory=dict)

    def add(self, claims: Iterable[Claim], sign: int = 1) -> None:
        """Count one lender (`sign` -1: no longer)."""
        everybody = self.scopes.setdefault(EVERYBODY, [0, 0])
        everybody[0] += sign
        for claim in claims:
            scope = self.scopes.setdefault(claim.cls, [0, 0])
            scope[0] += sign
            scope[1] += sign * claim.fen
            everybody[1] += sign * claim.fen

    def of(self, scope: str, unit: str) -> int:
        """Return the heads or fen of a rule's scope (`all` or a class)."""
        heads, fen = self.scopes.get(EVERYBODY if scope == "all" else scope, (0, 0))
        return heads if unit == "heads" else fen

    def full(self, meeting: Meeting) -> dict[str, list[int]]:
        """Return every scope of the meeting, zeros included."""
        names = (EVERYBODY, *(entry.cls for entry in meeting.roll.classes))
        return {name: self.scopes.get(name, [0, 0]) for name in names}

    def changed(self) -> dict[str, list[int]]:
        """Return the scopes that are not zero."""
        return {name: weight for name, weight in self.scopes.items() if weight != [0, 0]}


@dataclass(slots=True)
class MotionTally:
    """One motion's count: per choice, and of those in favour and those voting at all."""

    choices: dict[str, Weights]
    favour: Weights = field(default_factory=Weights)
    voted: Weights = field(default_factory=Weights)

    def add(self, rules: Rules, claims: tuple[Claim, ...], vote: Vote) -> None:
        """Count one lender's answer; who chose several choices counts once as voting."""
        picked = chosen(vote)
        for choice in picked:
            self.choices[choice].add(claims)
        if any(choice in rules.yes for choice in picked):
            self.favour.add(claims)
        if any(choice not in rules.abstain for choice in picked):
            self.voted.add(claims)


@dataclass(slots=True)
class Change:
    """What one transaction changes in the count: its subtotal, negative where a ballot is replaced.

    Where several choices may be chosen, marks beside the choices count each lender once: `*yes` who
    is in favour, if several choices are; `*voted` who votes at all, if a choice is an abstention.
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
        for motion in meeting.motions:
            choices = self.motions.setdefault(motion.id, {})
            for name in _counted_names(motion, chosen(ballot.votes[motion.id])):
                choices.setdefault(name, Weights()).add(ballot.claims, sign)


def _counted_names(motion: Motion, picked: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a vote counts under: its choices, and the marks that sums over choices cannot give."""
    rules, several = motion.rules, motion.max_choices > 1
    marks_favour = several and len(rules.yes) > 1
    marks_voting = several and len(rules.abstain) > 0
    favour = ("*yes",) if marks_favour and any(choice in rules.yes for choice in picked) else ()
    voting = ("*voted",) if marks_voting and any(choice not in rules.abstain for choice in picked) else ()
    return (*picked, *favour, *voting)


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
        motion.id: MotionTally({choice: Weights() for choice in motion.choices}) for motion in meeting.motions
    }
    for ballot in ballots:
        count += 1
        present.add(ballot.claims)
        for motion in meeting.motions:
            motions[motion.id].add(motion.rules, ballot.claims, ballot.votes[motion.id])
    return Tally(count, present, motions)


def outcome(meeting: Meeting, counted: Tally) -> dict[str, Any]:
    """Apply every motion's rules and return the result as the channel writes it (before JCS)."""
    return {
        "v": 1,
        "mtg": meeting.mtg,
        "mh": meeting.mh,
        "ballots": counted.ballots,
        "present": counted.present.full(meeting),
        "motions": {motion.id: _motion(meeting, motion, counted) for motion in meeting.motions},
    }


def result_bytes(meeting: Meeting, counted: Tally) -> bytes:
    """Return the result's canonical bytes."""
    return jcs.dumps(outcome(meeting, counted))


def _motion(meeting: Meeting, motion: Motion, counted: Tally) -> dict[str, Any]:
    own = counted.motions[motion.id]
    tests = [_test(meeting, test, counted.present, own) for test in motion.rules.tests]
    return {
        "choices": {choice: weights.full(meeting) for choice, weights in own.choices.items()},
        "passed": all(test["passed"] for test in tests),
        "tests": tests,
    }


def _test(meeting: Meeting, test: Test, present: Weights, own: MotionTally) -> dict[str, Any]:
    numerator = {"yes": own.favour, "present": present, "voted": own.voted}[test.count].of(
        test.scope, test.unit
    )
    if test.base == "eligible":
        heads, fen = meeting.roll.eligible(test.scope)
        denominator = heads if test.unit == "heads" else fen
    else:
        denominator = {"present": present, "voted": own.voted}[test.base].of(test.scope, test.unit)
    return {
        **test.as_json(),
        "numerator": numerator,
        "denominator": denominator,
        "passed": _passes(test, numerator, denominator),
    }


def _passes(test: Test, numerator: int, denominator: int) -> bool:
    """Compare exactly, in integers; nothing passes over an empty base."""
    part, whole = test.fraction
    if denominator == 0:
        return False
    left, right = numerator * whole, denominator * part
    return left > right if test.comparator == ">" else left >= right
