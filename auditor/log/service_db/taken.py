"""Ballots that the second door took: their numbers, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, text, update

from auditor.log.service_db.tables import DOOR_BALLOTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

QUEUED = "queued"
ACCEPTED = "accepted"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class TakenBallot:
    """A row: a ballot with the door's word for it; `status` is queued, accepted or refused (with `code`)."""

    channel: str
    mtg: str
    number: int
    digest: str
    sub: str
    jws: str
    proxy: str
    entry: bytes
    ack_time: str
    ack: str
    platform_ack: str = ""
    status: str = QUEUED
    code: str = ""
    tx: str = ""
    tries: int = 0


class DoorBook:
    """What a connection's transaction sees of one meeting's ballots at the second door, and adds to them."""

    def __init__(self, connection: Connection, channel: str, mtg: str) -> None:
        self._connection = connection
        self._channel, self._mtg = channel, mtg
        self._mine = (DOOR_BALLOTS.c.channel == channel, DOOR_BALLOTS.c.mtg == mtg)

    def lock(self) -> None:
        """Let one writer at a time give this meeting's numbers, until the transaction ends."""
        if self._connection.dialect.name == "postgresql":  # SQLite has locked the whole file already
            statement = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
            self._connection.execute(statement, {"name": f"door {self._channel} {self._mtg}"})

    def last_number(self) -> int:
        """Return the last number given, 0 before there is one."""
        query = select(func.coalesce(func.max(DOOR_BALLOTS.c.number), 0)).where(*self._mine)
        return int(self._connection.execute(query).scalar_one())

    def find(self, digest: str) -> TakenBallot | None:
        """Return a ballot by its digest."""
        query = select(DOOR_BALLOTS).where(*self._mine, DOOR_BALLOTS.c.digest == digest)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else TakenBallot(**row)

    def of_voter(self, sub: str) -> list[TakenBallot]:
        """Return a voter's ballots that weren't refused, by number."""
        query = select(DOOR_BALLOTS).where(
            *self._mine, DOOR_BALLOTS.c.sub == sub, DOOR_BALLOTS.c.status != REFUSED
        )
        rows = self._connection.execute(query.order_by(DOOR_BALLOTS.c.number)).mappings()
        return [TakenBallot(**row) for row in rows]

    def queued(self, most: int) -> list[TakenBallot]:
        """Return ballots that are on their way: the first of each voter, those tried least before the others.

        So whatever stays on its way for good lets everybody else's go first.
        """
        waiting = (*self._mine, DOOR_BALLOTS.c.status == QUEUED)
        first = select(func.min(DOOR_BALLOTS.c.number)).where(*waiting).group_by(DOOR_BALLOTS.c.sub)
        query = select(DOOR_BALLOTS).where(*self._mine, DOOR_BALLOTS.c.number.in_(first))
        order = (DOOR_BALLOTS.c.tries, DOOR_BALLOTS.c.number)
        rows = self._connection.execute(query.order_by(*order).limit(most)).mappings()
        return [TakenBallot(**row) for row in rows]

    def has_number(self, number: int) -> bool:
        """Say whether a number was given."""
        query = select(DOOR_BALLOTS.c.number).where(*self._mine, DOOR_BALLOTS.c.number == number)
        return self._connection.execute(query).one_or_none() is not None

    def tried(self, numbers: Iterable[int]) -> None:
        """Count that ballots go into a batch."""
        statement = update(DOOR_BALLOTS).where(*self._mine, DOOR_BALLOTS.c.number.in_(list(numbers)))
        self._connection.execute(statement.values(tries=DOOR_BALLOTS.c.tries + 1))

    def add(self, ballot: TakenBallot) -> None:
        """Keep a ballot."""
        names = TakenBallot.__slots__
        row = {name: getattr(ballot, name) for name in names}
        self._connection.execute(insert(DOOR_BALLOTS), [row])

    def settle(self, number: int, status: str, *, code: str = "", tx: str = "") -> None:
        """Note what became of a ballot."""
        statement = update(DOOR_BALLOTS).where(*self._mine, DOOR_BALLOTS.c.number == number)
        self._connection.execute(statement.values(status=status, code=code, tx=tx))

    def counts(self) -> dict[str, int]:
        """Return how many ballots were taken, by status, and of how many the platform had given its word."""
        query = select(DOOR_BALLOTS.c.status, func.count()).where(*self._mine).group_by(DOOR_BALLOTS.c.status)
        by_status = {str(status): int(count) for status, count in self._connection.execute(query)}
        acknowledged = select(func.count()).where(*self._mine, DOOR_BALLOTS.c.platform_ack != "")
        return {
            "taken": sum(by_status.values()),
            **{status: by_status.get(status, 0) for status in (QUEUED, ACCEPTED, REFUSED)},
            "platform_acknowledged": int(self._connection.execute(acknowledged).scalar_one()),
        }


def outstanding(connection: Connection) -> list[tuple[str, str, int]]:
    """Return the meetings that have ballots on their way: channel, meeting, how many."""
    query = select(DOOR_BALLOTS.c.channel, DOOR_BALLOTS.c.mtg, func.count()).where(
        DOOR_BALLOTS.c.status == QUEUED
    )
    grouped = query.group_by(DOOR_BALLOTS.c.channel, DOOR_BALLOTS.c.mtg)
    return [(str(channel), str(mtg), int(count)) for channel, mtg, count in connection.execute(grouped)]
