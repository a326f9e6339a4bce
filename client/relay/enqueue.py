"""Putting acknowledged ballots into the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, insert

from client.platform.models import Ballot, OutboxEntry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

_BALLOTS, _OUTBOX = cast("Table", Ballot.__table__), cast("Table", OutboxEntry.__table__)


@dataclass(frozen=True, slots=True)
class Queued:
    """A ballot to be put into the outbox: its voter, its row but for meeting and door, its batch entry."""

    sub: str
    row: Mapping[str, object]
    entry: bytes


def enqueue(
    session: Session, ballots: Sequence[Queued], *, mtg: str, door: str, deadline: float, wall: float
) -> list[int]:
    """Write ballots and their outbox rows, in the transaction that acknowledges them; return their ids.

    Ids rise in the order given: the outbox is served by them.
    """
    if not ballots:
        return []
    none = {"status": "queued", "code": None, "tx": None, "block": None}
    rows = [{"mtg": mtg, "door": door, "sub": one.sub, **one.row, **none} for one in ballots]
    numbered = insert(_BALLOTS).returning(_BALLOTS.c.id, sort_by_parameter_order=True)
    connection = session.connection()
    ids = [int(row.id) for row in connection.execute(numbered, rows)]
    entries = [
        {
            "ballot": ballot,
            "mtg": mtg,
            "door": door,
            "sub": one.sub,
            "entry": one.entry,
            "queued_at": wall,
            "not_before": wall,
            "deadline": deadline,
            "attempts": 0,
            "parked": False,
            "batch": None,
        }
        for ballot, one in zip(ids, ballots, strict=True)
    ]
    connection.execute(insert(_OUTBOX), entries)
    return ids
