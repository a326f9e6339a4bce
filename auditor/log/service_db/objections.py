"""Objections that the second door took, and what became of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, text, update

from auditor.log.service_db.tables import DOOR_OBJECTIONS
from auditor.log.service_db.taken import QUEUED

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

_COLUMNS = DOOR_OBJECTIONS.c


@dataclass(frozen=True, slots=True)
class TakenObjection:
    """A row: an objection with the word for it; `status` is queued, accepted or refused (with `code`)."""

    channel: str
    mtg: str
    obj: str
    digest: str
    sub: str
    jws: str
    ack_time: str
    ack: str
    status: str = QUEUED
    code: str = ""
    tx: str = ""
    tries: int = 0


class ObjectionBook:
    """What a connection's transaction sees of the objections taken, and adds to them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, channel: str, mtg: str) -> None:
        """Let one writer at a time take a meeting's objections, until the transaction ends."""
        if self._connection.dialect.name == "postgresql":  # SQLite has locked the whole file already
            statement = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
            self._connection.execute(statement, {"name": f"objections {channel} {mtg}"})

    def find(self, channel: str, mtg: str, obj: str) -> TakenObjection | None:
        """Return an objection by its id."""
        query = select(DOOR_OBJECTIONS).where(*_key(channel, mtg, obj))
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else TakenObjection(**row)

    def waiting(self, channel: str, mtg: str, sub: str) -> tuple[int, int]:
        """Return how many objections at a meeting are on their way, and how many a lender filed here."""
        mine = (_COLUMNS.channel == channel, _COLUMNS.mtg == mtg)
        counts = select(
            func.count().filter(_COLUMNS.status == QUEUED), func.count().filter(_COLUMNS.sub == sub)
        )
        queued, filed = self._connection.execute(counts.select_from(DOOR_OBJECTIONS).where(*mine)).one()
        return int(queued), int(filed)

    def queued(self, most: int) -> list[TakenObjection]:
        """Return objections that are on their way, those tried least before the others."""
        query = select(DOOR_OBJECTIONS).where(_COLUMNS.status == QUEUED)
        order = (_COLUMNS.tries, _COLUMNS.ack_time, _COLUMNS.obj)
        rows = self._connection.execute(query.order_by(*order).limit(most)).mappings()
        return [TakenObjection(**row) for row in rows]

    def add(self, objection: TakenObjection) -> None:
        """Keep an objection."""
        self._connection.execute(insert(DOOR_OBJECTIONS), [asdict(objection)])

    def settle(self, taken: TakenObjection, status: str, *, code: str = "", tx: str = "") -> None:
        """Note what became of an objection at an attempt; queued where it is to be tried again."""
        statement = update(DOOR_OBJECTIONS).where(*_key(taken.channel, taken.mtg, taken.obj))
        values = {"status": status, "code": code, "tx": tx, "tries": _COLUMNS.tries + 1}
        self._connection.execute(statement.values(**values))


def _key(channel: str, mtg: str, obj: str) -> tuple[ColumnElement[bool], ...]:
    return (_COLUMNS.channel == channel, _COLUMNS.mtg == mtg, _COLUMNS.obj == obj)
