"""What a motion's rules make of its count: tests, elections. Exact, in integers; silence is never consent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from auditor.weights import Weights
from client.encodings.ballot import chosen
from client.encodings.rules import EACH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.encodings.ballot import Vote
    from client.encodings.leaf import Claim
    from client.encodings.motion import Motion, Seats
    from client.encodings.roll_summary import RollSummary
    from client.encodings.rules import Test

ELECTED: Final = "elected"
TIED: Final = "tied"
UNFILLED: Final = "unfilled"


@dataclass(slots=True)
class Poll:
    """What one motion's rules are applied to: who may vote on it, was present, voted, and for what.

    `favour` counts the ballots with any choice in favour, `voted` those with any that is no abstention,
    so that who chose several counts once.
    """

    eligible: Weights
    present: Weights = field(default_factory=Weights)
    voted: Weights = field(default_factory=Weights)
    favour: Weights = field(default_factory=Weights)
    choices: dict[str, Weights] = field(default_factory=dict)

    def add(self, motion: Motion, claims: tuple[Claim, ...], vote: Vote) -> None:
        """Count one lender's answer."""
        weights = Weights()
        weights.add(claims)
        self.merge(motion, weights, vote)

    def merge(self, motion: Motion, weights: Weights, vote: Vote) -> None:
        """Count the answer of all who gave the same."""
        picked = chosen(vote)
        self.present.merge(weights)
        for choice in picked:
            self.choices.setdefault(choice, Weights()).merge(weights)
        if any(choice in motion.rules.yes for choice in picked):
            self.favour.merge(weights)
        if any(choice not in motion.rules.abstain for choice in picked):
            self.voted.merge(weights)

    def of(self, what: str, scope: str, unit: str, favour: Weights) -> int:
        """Return a count or a base within a scope and in a unit, `favour` being what is in favour."""
        if what == "no":
            return self.voted.of(scope, unit) - favour.of(scope, unit)
        named = {"eligible": self.eligible, "present": self.present, "voted": self.voted, "yes": favour}
        return named[what].of(scope, unit)


def eligible(roll: RollSummary, motion: str, *, undisputed: bool = False) -> Weights:
    """Return who of the roll may vote on a motion, with or without the disputed claims."""
    weights = Weights()
    weights.add_line("*", roll.heads, roll.fen)
    for entry in roll.classes:
        weights.add_line(entry.cls, entry.heads, entry.fen)
    for part in roll.excluded:
        if part.motion == motion:
            weights.add_line(part.cls, part.heads, part.fen, -1)
    for line in roll.disputed if undisputed else ():
        if line.motion is None:
            weights.add_line(line.cls, line.heads, line.fen, -1)
        elif line.motion == motion:  # excluded besides, which would take them away twice
            weights.add_line(line.cls, line.heads, line.fen)
    return weights


@dataclass(frozen=True, slots=True)
class Outcome:
    """A test with its figures in one scope; `required` is the least numerator that passes."""

    test: Test
    scope: str
    numerator: int
    denominator: int

    @property
    def passed(self) -> bool:
        """Compare exactly; nothing passes over an empty base."""
        part, whole = self.test.fraction
        left, right = self.numerator * whole, self.denominator * part
        if self.denominator <= 0:
            return False
        return left > right if self.test.comparator == ">" else left >= right

    @property
    def required(self) -> int:
        """The least numerator that passes over the denominator as it is; 1 over nobody, where none does."""
        part, whole = self.test.fraction
        product = max(self.denominator, 0) * part
        return product // whole + 1 if self.test.comparator == ">" else max(1, -(-product // whole))

    def as_json(self) -> dict[str, Any]:
        """Return the test as the channel's result has it."""
        return {
            **self.test.as_json(),
            "scope": self.scope,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "required": self.required,
            "passed": self.passed,
        }


def apply_tests(motion: Motion, poll: Poll, classes: Sequence[str], favour: Weights) -> tuple[Outcome, ...]:
    """Return every test's outcome, one a class for a test of each class of which anybody may vote."""
    voting = [name for name in classes if poll.eligible.of(name, "heads") > 0]
    return tuple(
        Outcome(
            test,
            scope,
            poll.of(test.count, scope, test.unit, favour),
            poll.of(test.base, scope, test.unit, favour),
        )
        for test in motion.rules.tests
        for scope in (voting if test.scope == EACH else (test.scope,))
    )


def all_pass(outcomes: Sequence[Outcome]) -> bool:
    """Say whether every test passed, and there was one."""
    return bool(outcomes) and all(one.passed for one in outcomes)


def decide(motion: Motion, poll: Poll, classes: Sequence[str]) -> dict[str, Any]:
    """Return what the rules make of a poll: `passed`, `tests` and, of an election, `election`."""
    if motion.election is not None:
        election = _elect(motion, motion.election, poll, classes)
        return {"passed": election["outcome"] == ELECTED, "tests": [], "election": election}
    outcomes = apply_tests(motion, poll, classes, poll.favour)
    return {"passed": all_pass(outcomes), "tests": [one.as_json() for one in outcomes]}


def compared(whole: dict[str, Any], without: dict[str, Any]) -> dict[str, Any]:
    """Return what a motion came to without the disputed claims, and whether they tipped it."""
    if "election" not in whole:
        return {"passed": without["passed"], "tipped": whole["passed"] != without["passed"]}
    seated, otherwise = whole["election"]["elected"], without["election"]["elected"]
    return {"passed": without["passed"], "elected": otherwise, "tipped": set(seated) != set(otherwise)}


def _elect(motion: Motion, seats: Seats, poll: Poll, classes: Sequence[str]) -> dict[str, Any]:
    """Fill the seats with those who pass the tests; equals get a seat together or not at all."""
    candidates: dict[str, dict[str, Any]] = {}
    ranks: dict[str, tuple[int, ...]] = {}
    for name in motion.candidates:
        favour = poll.choices.get(name, Weights())
        outcomes = apply_tests(motion, poll, classes, favour)
        candidates[name] = {"passed": all_pass(outcomes), "tests": [one.as_json() for one in outcomes]}
        if all_pass(outcomes):
            units = [seats.by, *([] if seats.tie == UNFILLED else [seats.tie])]
            ranks[name] = tuple(favour.of("all", unit) for unit in units)
    order = sorted(ranks, key=lambda name: ranks[name], reverse=True)  # equals stay in the motion's order
    elected, tied = order[: seats.seats], list[str]()
    outcome = ELECTED if len(elected) == seats.seats else UNFILLED
    if len(order) > seats.seats and ranks[order[seats.seats]] == ranks[elected[-1]]:
        tied = [name for name in order if ranks[name] == ranks[elected[-1]]]
        elected = [name for name in elected if name not in tied]
        outcome = TIED
    return {"outcome": outcome, "elected": elected, "tied": tied, "candidates": candidates}
