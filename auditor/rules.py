"""Tallies and rules from the ballots themselves: the second, independent evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from client.encodings import jcs
from client.encodings.ballot import chosen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from client.encodings.ballot import Vote
    from client.encodings.leaf import Claim
    from client.encodings.meeting import Meeting, Motion
    from client.encodings.rules import Rules, Test

EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class CountedBallot:
    """What of an accepted ballot counts: the lender's claims and the answer to every motion."""

    claims: tuple[Claim, ...]
    votes: Mapping[str, Vote]


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

    def as_json(self) -> dict[str, list[int]]:
        """Return the scopes in which anybody counts, everybody always among them."""
        filled = {name: weight for name, weight in self.scopes.items() if weight != [0, 0]}
        return {EVERYBODY: [0, 0], **filled}


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
        "present": counted.present.as_json(),
        "motions": {motion.id: _motion(meeting, motion, counted) for motion in meeting.motions},
    }


def result_bytes(meeting: Meeting, counted: Tally) -> bytes:
    """Return the result's canonical bytes."""
    return jcs.dumps(outcome(meeting, counted))


def _motion(meeting: Meeting, motion: Motion, counted: Tally) -> dict[str, Any]:
    own = counted.motions[motion.id]
    tests = [_test(meeting, test, counted.present, own) for test in motion.rules.tests]
    return {
        "choices": {choice: weights.as_json() for choice, weights in own.choices.items()},
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
