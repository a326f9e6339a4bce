"""One lender's ballots at a meeting, in the order of acknowledgement, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select

from client.platform.models import Ballot

if TYPE_CHECKING:
    from client.platform import Database

State = Literal["waiting", "counts", "replaced", "refused"]


@dataclass(frozen=True, slots=True)
class PastBallot:
    """One ballot: `waiting` for the channel, `counts`, `replaced` by a later one, or `refused` with a code.

    `proxy` is who signed it in the lender's place, if anybody. A replaced ballot was accepted, and its
    receipt goes on proving it: `tx` and `block` say where.
    """

    digest: str
    seq: int
    door: str
    ack_no: int
    ack_time: str
    votes: str  # JCS
    state: State
    code: str | None
    tx: str | None
    block: int | None
    proxy: str | None = None


def history(database: Database, mtg: str, sub: str) -> tuple[PastBallot, ...]:
    """Return a lender's ballots at a meeting as this platform's doors took them, the earliest first.

    At most one of them `counts`, the last that the channel took: it takes a voter's ballots one at a time,
    each in place of the one before. What came in by a door on another database is the channel's to tell.
    """
    query = select(Ballot).where(Ballot.mtg == mtg, Ballot.sub == sub).order_by(Ballot.id)
    with database.read() as session:
        rows = session.scalars(query).all()
    # Two doors may acknowledge in one order and deliver in the other.
    taken = [row for row in rows if row.status == "committed"]
    last = max(taken, key=lambda row: (-1 if row.block is None else row.block, row.id), default=None)
    return tuple(
        PastBallot(
            row.digest,
            row.seq,
            row.door,
            row.ack_no,
            row.ack_time,
            row.choices,
            _state(row, last),
            row.code,
            row.tx,
            row.block,
            row.proxy,
        )
        for row in rows
    )


def _state(row: Ballot, last: Ballot | None) -> State:
    if row.status == "committed":
        return "counts" if row is last else "replaced"
    return "refused" if row.status == "refused" else "waiting"
