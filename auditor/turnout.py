"""Turnout over time: how many lenders had a ballot accepted, by the time that a door signed for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from client.encodings import jcs, times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.view import ChainBallot

STEPS: Final = 48
"""Into how many equal parts the time of voting is cut."""


@dataclass(frozen=True, slots=True)
class Turnout:
    """How many lenders had voted by each of the `points` (seconds since 1970), and of how many.

    `heads` and `fen` are those of the frozen roll; `last` is the last acknowledgement's time, or `opens_at`
    where there is none: the latest moment that the chain itself knows of.
    """

    opens_at: str
    closes_at: str
    heads: int
    fen: int
    last: str
    points: tuple[tuple[int, int], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the JSON member of the report."""
        return {
            "opens_at": self.opens_at,
            "closes_at": self.closes_at,
            "roll": {"heads": self.heads, "fen": self.fen},
            "last": self.last,
            "points": [[times.form(at), count] for at, count in self.points],
        }


class Arrivals:
    """Counts a meeting's accepted ballots as they pass by, which come in the chain's order.

    Heads alone, since what they answered is nobody's yet. So the first ballot of a voter is the one that made
    them present. `doors` counts all of them, by the door that brought them.
    """

    def __init__(self, record: bytes) -> None:
        """Count for the meeting of a record."""
        self._record = jcs.loads(record)
        self._opens, self._closes = (
            times.parse(self._record["opens_at"]),
            times.parse(self._record["closes_at"]),
        )
        self._came = [0] * STEPS
        self._last = self._opens
        self._voted: set[str] = set()
        self.doors: Counter[str] = Counter()

    def watch(self, accepted: Iterable[ChainBallot]) -> Iterator[ChainBallot]:
        """Yield ballots, each counted."""
        for one in accepted:
            self.doors[one.door] += 1
            at = _seconds(one.ack_time)
            self._last = max(self._last, at)
            if one.sub not in self._voted:
                self._voted.add(one.sub)
                self._came[_part(at, self._opens, self._closes)] += 1
            yield one

    def turnout(self) -> Turnout:
        """Return the turnout, of what passed by."""
        opens, closes, record = self._opens, self._closes, self._record
        points, sum_up = [(opens, 0)], 0
        for number, count in enumerate(self._came[: _part(self._last, opens, closes) + 1], 1):
            sum_up += count
            points.append((opens + (closes - opens) * number // STEPS, sum_up))
        heads, fen = record["roll"]["heads"], record["roll"]["fen"]
        last = times.form(self._last)
        return Turnout(record["opens_at"], record["closes_at"], heads, fen, last, tuple(points))


@lru_cache(maxsize=4096)  # many ballots were acknowledged within the same second
def _seconds(moment: str) -> int:
    return times.parse(moment)


def _part(at: int, opens: int, closes: int) -> int:
    return min(max((at - opens) * STEPS // max(closes - opens, 1), 0), STEPS - 1)
