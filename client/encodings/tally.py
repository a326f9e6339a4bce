"""Counting: subtotals of transactions, and a meeting's result under its motions' rules.

All arithmetic is in integers. A cell is [heads, fen]; scopes are `*` for everybody and
each class. A lender with claims in two classes is one head in each and one in `*`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from client.encodings import jcs
from client.encodings.ballot import chosen
from client.encodings.rules import ALL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from client.encodings.ballot import Vote
    from client.encodings.leaf import Claim
    from client.encodings.meeting import Meeting
    from client.encodings.motion import Motion
    from client.encodings.rules import Test

EVERYBODY: Final = "*"

Cells = dict[str, list[int]]


def _cells() -> Cells:
    return defaultdict(lambda: [0, 0])


@dataclass(slots=True)
class Tally:
    """A running count; add ballots or subtotals, then read `subtotal` or `result`.

    `answers` counts, per motion, those who chose a choice; `marks` those in favour (`yes`)
    and those voting (`voted`), which several choices on one ballot must not count twice.
    """

    meeting: Meeting
    ballots: int = 0
    present: Cells = field(default_factory=_cells)
    answers: dict[str, dict[str, Cells]] = field(default_factory=dict)
    marks: dict[str, dict[str, Cells]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make room for every motion."""
        for motion in self.meeting.motions:
            self.answers[motion.id] = defaultdict(_cells)
            self.marks[motion.id] = {"yes": _cells(), "voted": _cells()}

    def add(self, claims: Iterable[Claim], votes: Mapping[str, Vote]) -> None:
        """Count a voter's first ballot."""
        claims = tuple(claims)
        self.ballots += 1
        _count(self.present, claims, 1)
        self._count_votes(claims, votes, 1)

    def replace(self, claims: Iterable[Claim], before: Mapping[str, Vote], after: Mapping[str, Vote]) -> None:
        """Count a voter's later ballot in place of the one before; the voter stays one head."""
        claims = tuple(claims)
        self._count_votes(claims, before, -1)
        self._count_votes(claims, after, 1)

    def _count_votes(self, claims: tuple[Claim, ...], votes: Mapping[str, Vote], sign: int) -> None:
        for motion in self.meeting.motions:
            choices = chosen(votes[motion.id])
            for choice in choices:
                _count(self.answers[motion.id][choice], claims, sign)
            if any(choice in motion.rules.yes for choice in choices):
                _count(self.marks[motion.id]["yes"], claims, sign)
            if any(choice not in motion.rules.abstain for choice in choices):
                _count(self.marks[motion.id]["voted"], claims, sign)

    def subtotal(self) -> bytes:
        """Return the canonical subtotal: changes, every zero cell omitted and everything then empty."""
        motions = {
            motion.id: {
                name: cells for name, found in self._named(motion) if (cells := _without_zeros(found))
            }
            for motion in self.meeting.motions
        }
        return jcs.dumps(
            {
                "v": 1,
                "ballots": self.ballots,
                "present": _without_zeros(self.present),
                "motions": {motion: choices for motion, choices in motions.items() if choices},
            }
        )

    def _named(self, motion: Motion) -> Iterator[tuple[str, Cells]]:
        """Yield a motion's choices, and the marks that several choices on one ballot make necessary."""
        yield from self.answers[motion.id].items()
        if motion.max_choices > 1:
            if len(motion.rules.yes) > 1:
                yield "*yes", self.marks[motion.id]["yes"]
            if motion.rules.abstain:
                yield "*voted", self.marks[motion.id]["voted"]

    def result(self) -> bytes:
        """Return the canonical result: every choice and scope, each rule's tests, whether they pass."""
        return jcs.dumps(
            {
                "v": 1,
                "mtg": self.meeting.mtg,
                "mh": self.meeting.mh,
                "ballots": self.ballots,
                "present": self._all_scopes(self.present),
                "motions": {motion.id: self._motion(motion) for motion in self.meeting.motions},
            }
        )

    def _motion(self, motion: Motion) -> dict[str, Any]:
        tests = [self._test(test, motion) for test in motion.rules.tests]
        answers = self.answers[motion.id]
        return {
            "choices": {choice: self._all_scopes(answers.get(choice, {})) for choice in motion.choices},
            "passed": all(test["passed"] for test in tests),
            "tests": tests,
        }

    def _test(self, test: Test, motion: Motion) -> dict[str, Any]:
        numerator = self._figure(test.count, test, motion)
        denominator = self._figure(test.base, test, motion)
        left, right = numerator * test.fraction[1], denominator * test.fraction[0]
        passed = denominator > 0 and (left > right if test.comparator == ">" else left >= right)
        return test.as_json() | {"numerator": numerator, "denominator": denominator, "passed": passed}

    def _figure(self, what: str, test: Test, motion: Motion) -> int:
        unit = 0 if test.unit == "heads" else 1
        if what == "eligible":
            return self.meeting.roll.eligible(test.scope)[unit]
        cells = self.present if what == "present" else self.marks[motion.id][what]
        return cells.get(EVERYBODY if test.scope == ALL else test.scope, [0, 0])[unit]

    def _all_scopes(self, cells: Mapping[str, list[int]]) -> dict[str, list[int]]:
        scopes = (EVERYBODY, *(entry.cls for entry in self.meeting.roll.classes))
        return {scope: list(cells.get(scope, (0, 0))) for scope in scopes}


def _count(cells: Cells, claims: tuple[Claim, ...], sign: int) -> None:
    for scope, fen in ((EVERYBODY, sum(claim.fen for claim in claims)), *((c.cls, c.fen) for c in claims)):
        cell = cells[scope]
        cell[0] += sign
        cell[1] += sign * fen


def _without_zeros(cells: Mapping[str, list[int]]) -> dict[str, list[int]]:
    return {scope: list(cell) for scope, cell in cells.items() if cell != [0, 0]}
