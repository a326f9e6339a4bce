"""The margin of an election: how many ballots, or how much money, more would have changed who is elected.

A candidate is elected who passes the tests and whom, of the others that pass, fewer than there are seats are
level with or ahead of. Whether that can turn within a number of ballots and an amount of money is asked of
each test and each pair of candidates apart, as if one ballot could do all of it: so nothing less than the
margin would have changed who is elected, while the margin itself may not have been enough.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auditor.evaluation import UNFILLED, all_pass, apply_tests
from auditor.margins import margin
from auditor.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.evaluation import Outcome, Poll
    from auditor.margins import Margin
    from client.encodings.motion import Motion, Seats

_UNITS: Final = ("heads", "fen")
_STEP: Final[Mapping[str, int]] = {"switch": 2, "add": 1}
"""By how much a unit of weight brings two candidates nearer: a vote turned counts for both."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A candidate's votes by unit, and each test with what would have turned it."""

    name: str
    votes: Mapping[str, int]
    tests: Sequence[tuple[Outcome, Margin]]

    @property
    def passes(self) -> bool:
        return all_pass([outcome for outcome, _ in self.tests])


def election_margin(motion: Motion, poll: Poll, classes: Sequence[str]) -> dict[str, Any]:
    """Return `needs` (`any`), and of `switch` and `add` the weights by unit, None where none would do.

    Whatever changes who is elected takes as many heads as `heads` says, or as much money as `fen` says; where
    one of them is not there, as much of the other. Raises ValueError for a motion that is no election.
    """
    if motion.election is None:
        raise ValueError(f"{motion.id} is no election")
    candidates = []
    for name in motion.candidates:
        favour = poll.choices.get(name, Weights())
        outcomes = apply_tests(motion, poll, classes, favour)
        votes = {unit: favour.of("all", unit) for unit in _UNITS}
        candidates.append(_Candidate(name, votes, [(one, margin(one, poll, favour)) for one in outcomes]))
    present = {unit: poll.present.of("all", unit) for unit in _UNITS}
    absent = {unit: poll.eligible.of("all", unit) - present[unit] for unit in _UNITS}
    return {
        "needs": "any",
        "switch": _Race(motion.election, candidates, "switch", present).least(),
        "add": _Race(motion.election, candidates, "add", absent).least(),
    }


class _Race:
    """Whether who is elected can change within so many heads and so much money (`within`, by unit)."""

    def __init__(
        self, seats: Seats, candidates: Sequence[_Candidate], how: str, available: Mapping[str, int]
    ) -> None:
        self._seats = seats
        self._candidates = candidates
        self._how = how
        self._available = available

    def least(self) -> dict[str, int] | None:
        """Return the least of each unit, the one that ranks with as much of the other as is not enough."""
        ranking = self._seats.by
        other = "fen" if ranking == "heads" else "heads"
        alone = self._first(other, {ranking: 0})
        rest = self._available[other] if alone is None else alone - 1
        found = {other: alone, ranking: self._first(ranking, {other: rest})}
        return {unit: weight for unit in _UNITS if (weight := found[unit]) is not None} or None

    def _first(self, unit: str, beside: Mapping[str, int]) -> int | None:
        """Return the least weight of a unit with which it can change."""
        most = self._available[unit]
        if not self._changes({**beside, unit: most}):
            return None
        return bisect.bisect_left(range(most), 1, key=lambda weight: self._changes({**beside, unit: weight}))

    def _changes(self, within: Mapping[str, int]) -> bool:
        return any(
            self._loses(one, within) if self._elected(one) else self._wins(one, within)
            for one in self._candidates
        )

    def _elected(self, one: _Candidate) -> bool:
        ahead = sum(other.passes and self._level(other, one) for other in self._others(one))
        return one.passes and ahead < self._seats.seats

    def _loses(self, one: _Candidate, within: Mapping[str, int]) -> bool:
        """Say whether one of the elected can fail a test, or as many as there are seats come level."""
        rivals = sum(
            self._can_pass(other, within) and self._can_reach(other, one, within, beyond=False)
            for other in self._others(one)
        )
        return self._can_fail(one, within) or rivals >= self._seats.seats

    def _wins(self, one: _Candidate, within: Mapping[str, int]) -> bool:
        """Say whether another can pass, and leave behind all but fewer than there are seats."""
        stay = sum(
            not self._can_fail(other, within) and not self._can_reach(one, other, within, beyond=True)
            for other in self._others(one)
        )
        return self._can_pass(one, within) and stay < self._seats.seats

    def _others(self, one: _Candidate) -> list[_Candidate]:
        return [other for other in self._candidates if other is not one]

    def _can_pass(self, one: _Candidate, within: Mapping[str, int]) -> bool:
        failed = [pair for pair in one.tests if not pair[0].passed]
        return bool(one.tests) and all(self._turns(*pair, within) for pair in failed)

    def _can_fail(self, one: _Candidate, within: Mapping[str, int]) -> bool:
        return not one.passes or any(self._turns(*pair, within) for pair in one.tests if pair[0].passed)

    def _turns(self, outcome: Outcome, found: Margin, within: Mapping[str, int]) -> bool:
        weight: int | None = getattr(found, self._how)
        return weight is not None and weight <= within[outcome.test.unit]

    def _units(self) -> list[str]:
        return [self._seats.by, *([] if self._seats.tie == UNFILLED else [self._seats.tie])]

    def _level(self, one: _Candidate, other: _Candidate) -> bool:
        """Say whether one is level with the other or ahead."""
        units = self._units()
        return [one.votes[unit] for unit in units] >= [other.votes[unit] for unit in units]

    def _can_reach(
        self, one: _Candidate, other: _Candidate, within: Mapping[str, int], *, beyond: bool
    ) -> bool:
        """Say whether one can come level with the other, or `beyond`; where ties are broken level may do."""
        first, *breaks = self._units()
        gaps = {unit: other.votes[unit] - one.votes[unit] for unit in (first, *breaks)}
        if gaps[first] < 0 or (gaps[first] == 0 and not breaks and not beyond):
            return True
        if gaps[first] == 0 and breaks:
            short = gaps[breaks[0]] + beyond
            return short <= 0 or within[first] > 0 or self._closes(short, within[breaks[0]])
        return self._closes(gaps[first] + (beyond and not breaks), within[first])

    def _closes(self, gap: int, weight: int) -> bool:
        return gap <= _STEP[self._how] * weight
