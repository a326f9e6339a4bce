"""Margins: how many ballots, or how much money, more would have changed a test or a motion.

`switch` is the least weight of those present who, by answering otherwise, would have turned a test; `add` the
least weight of those absent who, by coming, would have. Heads are lenders, fen money; None where no number of
them would have. Weights are added up as if any could be had, so that no smaller number would have done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from auditor.evaluation import Outcome, Poll
    from auditor.weights import Weights

# What a lender's answer counts towards; not to have come is an answer here.
_COUNTS_TOWARDS: Final[Mapping[str, frozenset[str]]] = {
    "yes": frozenset({"eligible", "present", "voted", "yes"}),
    "no": frozenset({"eligible", "present", "voted", "no"}),
    "abstain": frozenset({"eligible", "present"}),
    "absent": frozenset({"eligible"}),
}
_ANSWERS: Final = ("yes", "no", "abstain")


@dataclass(frozen=True, slots=True)
class Margin:
    """The least weight, in the test's unit, that would have turned it."""

    switch: int | None
    add: int | None

    def as_json(self) -> dict[str, int | None]:
        """Return the JSON object."""
        return {"switch": self.switch, "add": self.add}


def margin(outcome: Outcome, poll: Poll, favour: Weights) -> Margin:
    """Return what would have turned a test that was applied to a poll."""
    at = {
        what: poll.of(what, outcome.scope, outcome.test.unit, favour)
        for what in ("eligible", "present", "voted", "yes", "no")
    }
    weights = {
        "yes": at["yes"],
        "no": at["no"],
        "abstain": at["present"] - at["voted"],
        "absent": at["eligible"] - at["present"],
    }
    return Margin(
        _least(outcome, {answer: weights[answer] for answer in _ANSWERS}),
        _least(outcome, {"absent": weights["absent"]}),
    )


def motion_margin(outcomes: Sequence[tuple[Outcome, Margin]], *, passed: bool) -> dict[str, Any]:
    """Return what would have turned a motion: if it passed, `any` test turned; if not, `all` that failed.

    For a motion that failed, the figures are what is needed at least: lenders may have claims in several
    classes, so the most of any class; money is in one class each, so the classes together.
    """
    failed = [(outcome, found) for outcome, found in outcomes if not outcome.passed]
    value: dict[str, Any] = {"needs": "any" if passed else "all"}
    for how in ("switch", "add"):
        pairs = [(outcome, getattr(found, how)) for outcome, found in (outcomes if passed else failed)]
        value[how] = _any(pairs) if passed else _all(pairs)
    return value


def _any(pairs: Iterable[tuple[Outcome, int | None]]) -> dict[str, int] | None:
    least: dict[str, int] = {}
    for outcome, weight in pairs:
        if weight is not None:
            least[outcome.test.unit] = min(weight, least.get(outcome.test.unit, weight))
    return least or None


def _all(pairs: Sequence[tuple[Outcome, int | None]]) -> dict[str, int] | None:
    most: dict[str, dict[str, int]] = {}
    for outcome, weight in pairs:
        if weight is None:
            return None
        scopes = most.setdefault(outcome.test.unit, {})
        scopes[outcome.scope] = max(weight, scopes.get(outcome.scope, 0))
    least: dict[str, int] = {}
    for unit, scopes in most.items():
        classes = [weight for scope, weight in scopes.items() if scope != "all"]
        together = sum(classes) if unit == "fen" else max(classes, default=0)
        least[unit] = max(together, scopes.get("all", 0))
    return least or None


@dataclass(frozen=True, slots=True)
class _Move:
    """One unit of weight from an answer to another: its available weight, and what changes by it.

    `gain` is the change of numerator · d - denominator · n, towards the other outcome if positive.
    """

    available: int
    gain: int
    denominator: int


def _least(outcome: Outcome, sources: Mapping[str, int]) -> int | None:
    """Return the least weight to move from the sources that turns the test.

    The test compares `numerator · d - denominator · n` with 0; each move changes that by a constant, so the
    moves that change most come first. A base of nobody passes nothing, whatever is above it.
    """
    part, whole = outcome.test.fraction
    excess = outcome.numerator * whole - outcome.denominator * part
    goal = 1 if outcome.test.comparator == ">" else 0  # the least excess that passes
    wanted = not outcome.passed
    need = goal - excess if wanted else excess - goal + 1
    moves = _moves(outcome, sources, 1 if wanted else -1)
    if not wanted:
        found = _greedy(moves, need, None)
        emptied = outcome.denominator if outcome.test.base == "voted" and "yes" in sources else None
        return min((count for count in (found, emptied) if count is not None), default=None)
    if outcome.denominator > 0:
        return _greedy(moves, need, outcome.denominator - 1)
    return _from_nobody(moves, need)


def _from_nobody(moves: dict[str, list[_Move]], need: int) -> int | None:
    """Return the least weight where the base is empty: somebody has to join it first."""
    counts = []
    for source, options in moves.items():
        for first in options:
            if first.denominator > 0 and first.available > 0:
                fewer = {
                    name: [
                        _Move(one.available - (name == source), one.gain, one.denominator) for one in others
                    ]
                    for name, others in moves.items()
                }
                rest = _greedy(fewer, need - first.gain, 0)
                counts += [] if rest is None else [1 + rest]
    return min(counts, default=None)


def _moves(outcome: Outcome, sources: Mapping[str, int], sign: int) -> dict[str, list[_Move]]:
    part, whole = outcome.test.fraction
    moves: dict[str, list[_Move]] = {}
    for source, available in sources.items():
        for target in _ANSWERS:
            if target != source:
                before, after = _COUNTS_TOWARDS[source], _COUNTS_TOWARDS[target]
                numerator = (outcome.test.count in after) - (outcome.test.count in before)
                denominator = (outcome.test.base in after) - (outcome.test.base in before)
                gain = sign * (numerator * whole - denominator * part)
                moves.setdefault(source, []).append(_Move(available, gain, denominator))
    return moves


def _greedy(moves: Mapping[str, Sequence[_Move]], need: int, leaving: int | None) -> int | None:
    """Return the least number of moves that gain `need`, of which `leaving` at most shrink the base."""
    if need <= 0:
        return 0
    count = 0
    best = [max(options, key=lambda one: (one.gain, one.denominator)) for options in moves.values()]
    for move in sorted(best, key=lambda one: -one.gain):
        if move.gain <= 0:
            break
        available = move.available
        if move.denominator < 0 and leaving is not None:
            available = min(available, leaving)
            leaving -= min(available, -(-need // move.gain))
        if available * move.gain >= need:
            return count + -(-need // move.gain)
        need -= available * move.gain
        count += available
    return None
