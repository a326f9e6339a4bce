"""The platform's rows, as the auditor reads them: plain SQL of its own, none of the platform's models."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Text, cast, collate, column, func, select, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.engine import Connection, Row

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

_CHUNK = 1000
# Byte order, whatever the columns or the database would sort by.
_BYTES = {"sqlite": "BINARY", "postgresql": "C"}


@dataclass(frozen=True, slots=True)
class BallotRow:
    """One row of the platform's `ballots`; every value as text, as it is compared and shown."""

    row: str
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
    ack_jws: str
    status: str
    code: str
    tx: str
    block: str


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


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """The platform's copy of a meeting."""

    record: str
    mh: str
    channel: str
    state: str


_BALLOT_NAMES = tuple(one.name for one in fields(BallotRow))[1:]  # the first is the row's id
_SESSION_NAMES = tuple(one.name for one in fields(SessionRow))


class PlatformRows:
    """Reads one snapshot, sorted by its database; rows come in chunks, so memory stays small."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ballots(self, mtg: str) -> Iterator[BallotRow]:
        """Yield the meeting's ballots by digest, those of one digest in the order they were written."""
        columns = _BALLOTS.c
        query = select(columns.id, *(columns[name] for name in _BALLOT_NAMES)).where(columns.mtg == mtg)
        for row in self._rows(query.order_by(self._sorted(columns.digest), columns.id)):
            yield BallotRow(*map(_text, row))

    def last_block(self, mtg: str) -> int:
        """Return the highest block number that a ballot row names, -1 where there is none."""
        columns = _BALLOTS.c
        # A block may be any text where a database has no types of its own; what is no number counts as 0.
        highest = select(func.max(cast(columns.block, BigInteger))).where(columns.mtg == mtg)
        number = self._connection.execute(highest).scalar()
        return -1 if number is None else int(number)

    def sessions(self, mtg: str) -> Iterator[SessionRow]:
        """Yield the identity checks made for the meeting, in the order of their ids."""
        columns = _SESSIONS.c
        query = select(*(columns[name] for name in _SESSION_NAMES)).where(columns.mtg == mtg)
        for row in self._rows(query.order_by(self._sorted(columns.ses))):
            yield SessionRow(*map(_text, row))

    def meetings(self, mtg: str) -> Iterator[MeetingRow]:
        """Yield the platform's copies of the meeting: one, where nothing is wrong."""
        columns = _MEETINGS.c
        query = select(columns.record, columns.mh, columns.channel, columns.state).where(columns.mtg == mtg)
        for row in self._rows(query):
            yield MeetingRow(*map(_text, row))

    def results(self, mtg: str) -> Iterator[str]:
        """Yield the results that the platform shows: one at most, where nothing is wrong."""
        for row in self._rows(select(_RESULTS.c.result).where(_RESULTS.c.mtg == mtg)):
            yield _text(row[0])

    def _rows(self, query: Select[Any]) -> Iterator[Row[Any]]:
        yield from self._connection.execute(query, execution_options={"yield_per": _CHUNK})

    def _sorted(self, name: ColumnElement[Any]) -> ColumnElement[Any]:
        order = _BYTES[self._connection.dialect.name]
        return collate(func.coalesce(cast(name, Text), ""), order)


def _text(value: object) -> str:
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)
