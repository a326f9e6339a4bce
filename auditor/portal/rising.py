"""Earliest and latest times among a door's numbers, so that one against the order is found in few rows.

A tree over the numbers: a row has up to 256 children, each with its earliest and latest time; the children of
the lowest rows are numbers. Numbers up to 2^53 make seven levels, so that a question reads 14 rows at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.store import Codec

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_BITS: Final = 8
_SLOTS: Final = (1 << _BITS) - 1
LEVELS: Final = 7

Row = dict[int, list[int]]
"""Earliest and latest time (seconds since 1970) by the last bits of a child's number."""
ROW: Final = Codec[Row](dict, dict)


@dataclass(frozen=True, slots=True)
class Rising:
    """The times that doors gave with their numbers, in rows that are found by key."""

    rows: MutableMapping[str, Row]

    def add(self, door: str, number: int, seconds: int) -> None:
        """Take over the time of a number."""
        for level in range(LEVELS):
            child = number >> _BITS * level
            key = _key(door, level, child)
            row = self.rows.get(key) or {}
            known = row.get(child & _SLOTS)
            span = [seconds, seconds] if known is None else [min(known[0], seconds), max(known[1], seconds)]
            if span == known:
                return  # and so have all above it
            row[child & _SLOTS] = span
            self.rows[key] = row

    def against(self, door: str, number: int, *, low: int, high: int) -> int | None:
        """Return a lower number with a time after `high`, or a higher one with a time before `low`."""
        for level in range(LEVELS):
            here = number >> _BITS * level
            for slot, (earliest, latest) in self.rows.get(_key(door, level, here), {}).items():
                child = here & ~_SLOTS | slot
                if (child < here and latest > high) or (child > here and earliest < low):
                    return self._down(door, level, child, low if child > here else None, high)
        return None

    def _down(self, door: str, level: int, child: int, low: int | None, high: int) -> int:
        """Return a number below a child: one with a time before `low` or, without one, after `high`."""
        for lower in range(level - 1, -1, -1):
            row = self.rows[_key(door, lower, child << _BITS)]
            slot = next(
                one
                for one, (earliest, latest) in row.items()
                if (latest > high if low is None else earliest < low)
            )
            child = child << _BITS | slot
        return child


def _key(door: str, level: int, child: int) -> str:
    """Return the key of the row that has a child."""
    return f"{door} {level} {child >> _BITS}"
