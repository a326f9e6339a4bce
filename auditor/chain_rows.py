"""The chain's side of a reconciliation, looked up by digest, and a temporary database for what that leaves.

Most of the platform's rows agree with the ballot that has their digest, and nothing else is asked about
them. So of those only their digest, session and number are noted; the rest of the chain's ballots is gone
through, once, when a question comes up that these don't answer.
"""

from __future__ import annotations

import sqlite3
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from auditor.alongside import Alongside
from auditor.platform_rows import BallotRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.view import ChainBallot, ChainMeeting, ChainSession

_ROW = tuple(one.name for one in fields(BallotRow))
_row_values = attrgetter(*_ROW)
_matched_values = attrgetter("digest", "ses", "door", "ack_no")
_ballot_values = attrgetter("digest", "sub", "seq", "ses", "door", "ack_no")
_DIGITS = 16  # of a count, which is below 2^53; what a row makes up beyond is none
_CACHE = 32768  # KiB that the temporary database may hold in memory

_SCHEMA = f"""
-- The accepted ballots that have their row.
CREATE TABLE matched (digest TEXT PRIMARY KEY, ses TEXT, door TEXT, ack_no INTEGER);
-- Rows of ballots that the own door brought, with the number that the platform's door signed.
CREATE TABLE second (digest TEXT, door TEXT, ack_no INTEGER, place TEXT);
CREATE TABLE given (door TEXT, ack_no INTEGER, PRIMARY KEY (door, ack_no)) WITHOUT ROWID;
CREATE TABLE leftovers ({", ".join(f"{name} TEXT" for name in _ROW)});
-- Session ids in the platform's rows.
CREATE TABLE known (ses TEXT);
"""
# Filled once something asks for them, and indexed then, which sorts instead of growing trees at random.
_FILLED = {
    "ballots": ("digest TEXT", "sub TEXT", "seq INTEGER", "ses TEXT", "door TEXT", "ack_no INTEGER"),
    "numbers": ("door TEXT", "ack_no INTEGER"),
    "sessions": ("ses TEXT", "settled INTEGER"),
}
_INDEXES = {
    "ballots": ("digest", "sub, seq", "door, ack_no"),
    "numbers": ("door, ack_no",),
    "sessions": ("ses",),
}


class ChainRows:
    """One meeting's ballots and sessions as replayed, and room for what no partner was found for.

    The file is SQLite's own temporary one, which is gone with the connection; memory stays at its cache.
    The first `settled_sessions` sessions were on the chain before the platform's rows were read (None: all
    of them).
    """

    def __init__(self, meeting: ChainMeeting, settled_sessions: int | None = None) -> None:
        self._meeting = meeting
        self._settled_sessions = settled_sessions
        self._accepted = Alongside(meeting.accepted, attrgetter("digest"))
        self._sessions = Alongside(meeting.sessions, attrgetter("ses"))
        self._complete = False
        self._filled: set[str] = set()
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(_SCHEMA)
        self._connection.execute("BEGIN")

    def close(self) -> None:
        """Delete everything."""
        self._connection.close()

    # -- first pass: ballots by the digests of rows ----------------------------------------------------

    def accepted(self, digests: Sequence[str]) -> dict[str, ChainBallot]:
        """Return the accepted ballots of some digests."""
        return self._accepted.get(digests)

    def matched(self, digests: Sequence[str]) -> set[str]:
        """Return those of some digests whose ballots have their row already."""
        marks = ", ".join("?" * len(digests))
        query = f"SELECT digest FROM matched WHERE digest IN ({marks})"  # noqa: S608  marks alone
        return {digest for (digest,) in self._connection.execute(query, digests)}

    def match(self, ballots: Iterable[ChainBallot]) -> None:
        """Note that ballots have their row now."""
        insert = "INSERT INTO matched VALUES (?, ?, ?, ?)"
        self._connection.executemany(insert, map(_matched_values, ballots))

    def leave_row(self, row: BallotRow) -> None:
        """Remember a row for which no ballot was found yet."""
        marks = ", ".join("?" * len(_ROW))
        self._connection.execute(f"INSERT INTO leftovers VALUES ({marks})", _row_values(row))  # noqa: S608

    def give(self, digest: str, door: str, number: int, place: str) -> None:
        """Remember the number that a door gave to a ballot which another door brought, and where that is."""
        self._connection.execute("INSERT INTO second VALUES (?, ?, ?, ?)", (digest, door, number, place))

    # -- second pass -----------------------------------------------------------------------------------

    def given_twice(self, *, by_digest: bool) -> Iterator[tuple[str, int, str]]:
        """Account for the numbers remembered since the last time, by rising digest or as they came.

        Yield digest, number and place of each that is another ballot's already.
        """
        order = "digest" if by_digest else "rowid"
        query = f"SELECT digest, door, ack_no, place FROM second ORDER BY {order}"  # noqa: S608  see above
        for digest, door, number, place in self._connection.execute(query).fetchall():
            if not self._account(door, number):
                yield digest, number, place
        self._connection.execute("DELETE FROM second")

    def _account(self, door: str, number: int) -> bool:
        self._fill_ballots()
        used = "SELECT 1 FROM ballots WHERE door = ? AND ack_no = ?"
        if self._connection.execute(used, (door, number)).fetchone() is not None:
            return False
        insert = "INSERT OR IGNORE INTO given VALUES (?, ?)"
        return self._connection.execute(insert, (door, number)).rowcount == 1

    def leftovers(self) -> Iterator[BallotRow]:
        """Yield the rows left, in the order of their ids."""
        query = "SELECT * FROM leftovers ORDER BY length(row), row, digest, rowid"
        for values in self._connection.execute(query):
            yield BallotRow(*values)

    def candidates(self, row: BallotRow) -> Iterator[ChainBallot]:
        """Yield the accepted ballots that a row may stand for: by its turn, its number, its digest."""
        if (seq := as_number(row.seq)) is not None:
            yield from self._ballots("sub = ? AND seq = ?", row.sub, seq)
        if (number := as_number(row.ack_no)) is not None:
            yield from self._ballots("door = ? AND ack_no = ?", row.door, number)
        if (held := self._meeting.accepted.get(row.digest)) is not None:
            yield held

    def claim(self, held: ChainBallot) -> bool:
        """Say whether a ballot had no row yet; it has one now."""
        insert = "INSERT OR IGNORE INTO matched VALUES (?, ?, ?, ?)"
        return self._connection.execute(insert, _matched_values(held)).rowcount == 1

    def refused(self, digest: str) -> ChainBallot | None:
        """Return the last refusal of a ballot that was never accepted."""
        return self._meeting.refused.get(digest)

    def holds(self, digest: str) -> bool:
        """Say whether the chain gave any verdict on a ballot."""
        return digest in self._meeting.accepted or digest in self._meeting.refused

    def open_ballots(self) -> Iterator[ChainBallot]:
        """Yield the accepted ballots that still have no row, by rising digest."""
        if not self._all_matched():
            self._fill_ballots()
            yield from self._ballots("digest NOT IN (SELECT digest FROM matched) ORDER BY digest")

    # -- acknowledgement numbers -----------------------------------------------------------------------

    def doors(self) -> list[str]:
        """Return the doors whose ballots were accepted."""
        query = f"SELECT DISTINCT door FROM {self._every()} ORDER BY door"  # noqa: S608  a table of our own
        return [door for (door,) in self._connection.execute(query)]

    def numbers(self, door: str) -> Iterator[int]:
        """Yield every acknowledgement number of a door that anything accounts for, rising.

        Up to the last number of an accepted ballot: what is only claimed proves no later number.
        """
        self._fill_numbers()
        every = self._every()
        query = f"""
            SELECT ack_no FROM {every} WHERE door = :door
            UNION SELECT ack_no FROM numbers WHERE door = :door AND ack_no <= :last
            UNION SELECT ack_no FROM given WHERE door = :door AND ack_no <= :last
            UNION SELECT CAST(ack_no AS INTEGER) FROM leftovers WHERE door = :door
              AND ack_no <> '' AND ack_no NOT GLOB '*[^0-9]*' AND CAST(ack_no AS INTEGER) <= :last
            ORDER BY 1"""  # noqa: S608  a table of our own
        last = f"SELECT max(ack_no) FROM {every} WHERE door = ?"  # noqa: S608
        (number,) = self._connection.execute(last, (door,)).fetchone()
        for (one,) in self._connection.execute(query, {"door": door, "last": number}):
            yield one

    # -- sessions --------------------------------------------------------------------------------------

    def sessions(self, ids: Sequence[str]) -> dict[str, ChainSession]:
        """Return the meeting's sessions of some ids."""
        return self._sessions.get(ids)

    def has_session(self, ses: str) -> bool:
        """Say whether `identity` holds a session for this meeting."""
        return ses in self._meeting.sessions

    def is_settled(self, ses: str) -> bool:
        """Say whether a session was on the chain before the platform's rows were read."""
        self._fill_sessions()
        found = self._connection.execute("SELECT settled FROM sessions WHERE ses = ?", (ses,)).fetchone()
        return found is not None and bool(found[0])

    def note_sessions(self, ids: Iterable[str]) -> None:
        """Remember that the platform has rows of sessions."""
        self._connection.executemany("INSERT INTO known VALUES (?)", ((ses,) for ses in ids))

    def sessions_noted_twice(self) -> Iterator[tuple[str, int]]:
        """Yield each session that the platform has several rows of, and how many beyond the first."""
        self._connection.execute("CREATE INDEX IF NOT EXISTS by_ses ON known (ses)")
        query = "SELECT ses, count(*) - 1 FROM known GROUP BY ses HAVING count(*) > 1"
        yield from self._connection.execute(query)

    def ballots_without_session(self) -> Iterator[ChainBallot]:
        """Yield the accepted ballots whose session the platform has no row of, by rising digest."""
        yield from self._ballots("ses NOT IN (SELECT ses FROM known) ORDER BY digest", table=self._every())

    def sessions_without_row(self) -> Iterator[str]:
        """Yield the settled sessions, used by no accepted ballot, that the platform has no row of."""
        self._fill_sessions()
        query = f"""
            SELECT ses FROM sessions WHERE settled AND ses NOT IN (SELECT ses FROM known)
            AND ses NOT IN (SELECT ses FROM {self._every()}) ORDER BY ses"""  # noqa: S608  as above
        for (ses,) in self._connection.execute(query):
            yield ses

    # -- what is gone through only if something asks ---------------------------------------------------

    def _every(self) -> str:
        """Return the table that has every accepted ballot."""
        if self._all_matched():
            return "matched"
        self._fill_ballots()
        return "ballots"

    def _all_matched(self) -> bool:
        if not self._complete:
            (count,) = self._connection.execute("SELECT count(*) FROM matched").fetchone()
            self._complete = count == len(self._meeting.accepted)
        return self._complete

    def _fill_ballots(self) -> None:
        self._fill("ballots", map(_ballot_values, self._meeting.accepted.values()))

    def _fill_sessions(self) -> None:
        limit = self._settled_sessions
        sessions = enumerate(self._meeting.sessions.values())
        self._fill("sessions", ((one.ses, int(limit is None or index < limit)) for index, one in sessions))

    def _fill_numbers(self) -> None:
        numbers = self._meeting.numbers.items()
        self._fill("numbers", ((door, number) for door, claimed in numbers for number in claimed))

    def _fill(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Take rows over, in the chain's order; unless that is done."""
        if table in self._filled:
            return
        self._filled.add(table)
        columns = _FILLED[table]
        self._connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        marks = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608  our own
        for number, indexed in enumerate(_INDEXES[table]):
            self._connection.execute(f"CREATE INDEX {table}{number} ON {table} ({indexed})")

    def _ballots(self, condition: str, *values: str | int, table: str = "ballots") -> Iterator[ChainBallot]:
        if table == "ballots":
            self._fill_ballots()
        query = f"SELECT digest FROM {table} WHERE {condition}"  # noqa: S608  of our own
        for (digest,) in self._connection.execute(query, values):
            yield self._meeting.accepted[digest]


def as_number(text: str) -> int | None:
    """Return the number that a row's text is, None where it is no count."""
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS:
        return None
    return int(text)
