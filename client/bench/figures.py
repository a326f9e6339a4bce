"""Figures from what was noted: stages' seconds, percentiles of latency, growth."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PERCENTILES: Final = (50, 95, 99)


class Stages:
    """How many seconds each stage took, in the order in which they came."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Time a stage; a second time under its name adds to the first."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - begin, 2)


def percentiles(weighted: Iterable[tuple[float, int]]) -> dict[str, float]:
    """Return p50, p95 and p99 of values that stand for so many ballots each (nearest rank).

    Raises ValueError for nothing.
    """
    ordered = sorted(weighted)
    total = sum(count for _, count in ordered)
    if total <= 0:
        raise ValueError("there are no percentiles of nothing")
    return {f"p{percent}": round(_at(ordered, total, percent), 3) for percent in PERCENTILES}


def _at(ordered: Sequence[tuple[float, int]], total: int, percent: int) -> float:
    rank, passed = -(-total * percent // 100), 0
    for value, count in ordered:
        passed += count
        if passed >= rank:
            return value
    raise AssertionError("the rank is within the total")


def cumulated(events: Iterable[tuple[float, int]]) -> list[tuple[float, int]]:
    """Return (moment, how many until then) from (moment, how many) in any order."""
    total, points = 0, []
    for moment, count in sorted(events):
        total += count
        points.append((moment, total))
    return points
