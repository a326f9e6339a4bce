"""Turnout over time: how many lenders had a ballot accepted, by the time that a door signed for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.encodings import jcs, times

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.view import ChainBallot, ChainMeeting

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


def turnout(meeting: ChainMeeting) -> Turnout:
    """Return a replayed meeting's turnout: heads alone, since what they answered is nobody's yet."""
    record = jcs.loads(meeting.record.encode())
    opens, closes = times.parse(record["opens_at"]), times.parse(record["closes_at"])
    return _turnout(record, opens, closes, meeting.accepted.values())


def _turnout(record: Any, opens: int, closes: int, accepted: Iterable[ChainBallot]) -> Turnout:
    came = [0] * STEPS
    voted: set[str] = set()
    last = opens
    for one in accepted:  # in the chain's order, so the first of a voter is the one that made it present
        at = times.parse(one.ack_time)
        last = max(last, at)
        if one.sub not in voted:
            voted.add(one.sub)
            came[_part(at, opens, closes)] += 1
    points, sum_up = [(opens, 0)], 0
    for number, count in enumerate(came[: _part(last, opens, closes) + 1], 1):
        sum_up += count
        points.append((opens + (closes - opens) * number // STEPS, sum_up))
    roll = record["roll"]
    return Turnout(
        record["opens_at"], record["closes_at"], roll["heads"], roll["fen"], times.form(last), tuple(points)
    )


def _part(at: int, opens: int, closes: int) -> int:
    return min(max((at - opens) * STEPS // max(closes - opens, 1), 0), STEPS - 1)
