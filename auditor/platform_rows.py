"""The platform's rows, as the auditor reads them: plain SQL of its own, none of the platform's models."""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import BigInteger, Text, cast, collate, column, func, select, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.engine import Connection

    Values = tuple[Any, ...]
    """A row's values as the database gave them, of whatever types it has."""

_BALLOTS = table(
    "ballots",
    *(
        column(name)
        for name in (
            *("id", "mtg", "sub", "seq", "digest", "jws", "choices", "claims", "ses", "door"),
            *("ack_no", "ack_time", "ack_jws", "status", "code", "tx", "block"),
        )
    ),
)
_SESSIONS = table(
    "sessions",
    *(
        column(name)
        for name in (
            *("ses", "sub", "x5t", "institution", "mtg", "method", "outcome", "commitment"),
            *("issued_at", "expires_at", "act", "status"),
        )
    ),
)
_MEETINGS = table("meetings", *(column(name) for name in ("mtg", "record", "mh", "channel", "state")))
_RESULTS = table("results", column("mtg"), column("result"))
TABLES = tuple(one.name for one in (_BALLOTS, _SESSIONS, _MEETINGS, _RESULTS))
"""The tables that the auditor reads."""

_CHUNK = 500
# Byte by byte, whatever the columns or the database would compare by.
_BYTES = {"sqlite": "BINARY", "postgresql": "C"}


@dataclass(frozen=True, slots=True)
class BallotRow:
    """One row of the platform's `ballots`; every value as text, as it is compared and shown.

    From `digest` on the values are in the order that they have in a ballot of the chain.
    """

    row: str
    ack_jws: str
    code: str
    status: str
    digest: str
    sub: str
    seq: str
    jws: str
    choices: str
    claims: str
    ses: str
    door: str
    ack_no: str
    ack_time: str
    tx: str
    block: str

    @classmethod
    def of(cls, values: Values) -> Self:
        """Return the row of the values that the database gave."""
        return cls(*map(as_text, values))


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One row of the platform's `sessions`."""

    ses: str
    sub: str
    x5t: str
    institution: str
    mtg: str
    method: str
    outcome: str
    commitment: str
    issued_at: str
    expires_at: str
    act: str
    status: str

    @classmethod
    def of(cls, values: Values) -> Self:
        """Return the row of the values that the database gave."""
        return cls(*map(as_text, values))


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """The platform's copy of a meeting."""

    record: str
    mh: str
    channel: str
    state: str


_BALLOT_NAMES = tuple(one.name for one in fields(BallotRow))
_SESSION_NAMES = tuple(one.name for one in fields(SessionRow))


def ballot_values(*names: str) -> Callable[[Values], Any]:
    """Return what takes some of a ballot row's values out of all of them, as the database gave them."""
    return itemgetter(*map(_BALLOT_NAMES.index, names))


class PlatformRows:
    """Reads one snapshot; rows come in chunks, so memory stays small, and as the database has their values.

    Whoever compares most of them with something of the same type needs no text of each.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ballots(self, mtg: str) -> Iterator[Sequence[Values]]:
        """Yield the values of the meeting's ballots, as `BallotRow` has them, in the order of their ids."""
        columns = _BALLOTS.c
        query = select(columns.id, *(columns[name] for name in _BALLOT_NAMES[1:])).where(columns.mtg == mtg)
        return self._chunks(query.order_by(columns.id))

    def last_block(self, mtg: str) -> int:
        """Return the highest block number that a ballot row names, -1 where there is none."""
        columns = _BALLOTS.c
        # A block may be any text where a database has no types of its own; what is no number counts as 0.
        highest = select(func.max(cast(columns.block, BigInteger))).where(columns.mtg == mtg)
        number = self._connection.execute(highest).scalar()
        return -1 if number is None else int(number)

    def sessions(self, mtg: str) -> Iterator[Sequence[Values]]:
        """Yield the values of the identity checks made for the meeting, as `SessionRow` has them."""
        columns = _SESSIONS.c
        return self._chunks(select(*(columns[name] for name in _SESSION_NAMES)).where(columns.mtg == mtg))

    def recorded(self, mtg: str) -> Iterator[str]:
        """Yield the ids of the meeting's identity checks that the platform says are on the chain."""
        columns = _SESSIONS.c
        query = select(columns.ses).where(columns.mtg == mtg, self._by_bytes(columns.status) == "recorded")
        for chunk in self._chunks(query):
            for (ses,) in chunk:
                yield as_text(ses)

    def meetings(self, mtg: str) -> Iterator[MeetingRow]:
        """Yield the platform's copies of the meeting: one, where nothing is wrong."""
        columns = _MEETINGS.c
        query = select(columns.record, columns.mh, columns.channel, columns.state).where(columns.mtg == mtg)
        for row in self._rows(query):
            yield MeetingRow(*map(as_text, row))

    def results(self, mtg: str) -> Iterator[str]:
        """Yield the results that the platform shows: one at most, where nothing is wrong."""
        for row in self._rows(select(_RESULTS.c.result).where(_RESULTS.c.mtg == mtg)):
            yield as_text(row[0])

    def _rows(self, query: Select[Any]) -> Iterator[Values]:
        for chunk in self._chunks(query):
            yield from chunk

    def _chunks(self, query: Select[Any]) -> Iterator[Sequence[Values]]:
        result = self._connection.execute(query, execution_options={"yield_per": _CHUNK})
        for chunk in result.partitions():
            yield [tuple(row) for row in chunk]

    def _by_bytes(self, name: ColumnElement[Any]) -> ColumnElement[Any]:
        order = _BYTES[self._connection.dialect.name]
        return collate(func.coalesce(cast(name, Text), ""), order)


def as_text(value: object) -> str:
    """Return a value of a row as it is compared and shown."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)
