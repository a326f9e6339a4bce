"""The chain's side of a reconciliation, in a temporary database on disk: sorted, and looked up by index."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING

from auditor.platform_rows import BallotRow
from auditor.view import ChainBallot, ChainSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.view import ChainMeeting

_BALLOT = tuple(one.name for one in fields(ChainBallot))
_SESSION = tuple(one.name for one in fields(ChainSession))
_ROW = tuple(one.name for one in fields(BallotRow))
_ballot_values, _session_values, _row_values = (attrgetter(*names) for names in (_BALLOT, _SESSION, _ROW))
_NUMBERS = frozenset({"seq", "ack_no", "block"})
_DIGITS = 16  # of a count, which is below 2^53; what a row makes up beyond is none
_CACHE = 8192  # KiB that the temporary database may hold in memory


def _table(name: str, columns: Iterable[str]) -> str:
    typed = (f"{column} {'INTEGER' if column in _NUMBERS else 'TEXT'}" for column in columns)
    return f"CREATE TABLE {name} ({', '.join(typed)});"


_SCHEMA = "".join(
    (
        _table("ballots", (*_BALLOT, "accepted")),
        "CREATE TABLE numbers (door TEXT, ack_no INTEGER);",
        # Numbers that a door gave to ballots which another door brought.
        "CREATE TABLE given (door TEXT, ack_no INTEGER, PRIMARY KEY (door, ack_no)) WITHOUT ROWID;",
        f"CREATE TABLE sessions ({', '.join(_SESSION)}, settled INTEGER);",
        # What the first pass leaves: ballots without a row, rows without a ballot, session ids in rows.
        "CREATE TABLE open (digest TEXT PRIMARY KEY) WITHOUT ROWID;",
        f"CREATE TABLE leftovers ({', '.join(f'{name} TEXT' for name in _ROW)});",
        "CREATE TABLE known (ses TEXT PRIMARY KEY) WITHOUT ROWID;",
    )
)
# Made once everything is in, which sorts on disk instead of growing trees at random.
_INDEXES = """
CREATE INDEX by_digest ON ballots (accepted, digest);
CREATE INDEX by_turn ON ballots (sub, seq);
CREATE INDEX by_number ON ballots (door, ack_no);
CREATE INDEX by_session ON ballots (ses);
CREATE UNIQUE INDEX by_ses ON sessions (ses);
"""


class ChainRows:
    """One meeting's ballots and sessions as replayed, and room for what no partner was found for.

    The file is SQLite's own temporary one, which is gone with the connection; memory stays at its cache.
    """

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(_SCHEMA)
        self._connection.execute("BEGIN")

    @classmethod
    @contextmanager
    def of(cls, meeting: ChainMeeting, settled_sessions: int | None = None) -> Iterator[ChainRows]:
        """Give the rows of a replayed meeting; see `fill`."""
        rows = cls()
        try:
            rows.fill(
                meeting.accepted.values(),
                meeting.refused.values(),
                meeting.sessions.values(),
                meeting.numbers,
                settled_sessions,
            )
            yield rows
        finally:
            rows.close()

    def fill(
        self,
        accepted: Iterable[ChainBallot],
        refused: Iterable[ChainBallot] = (),
        sessions: Iterable[ChainSession] = (),
        numbers: Mapping[str, Iterable[int]] | None = None,
        settled_sessions: int | None = None,
    ) -> None:
        """Take over what the chain holds, read once and in any order, and sort it.

        The first `settled_sessions` sessions were on the chain before the platform's rows were read
        (None: all of them).
        """
        for ballots, verdict in ((accepted, "1"), (refused, "0")):
            self._insert("ballots", len(_BALLOT) + 1, ((*_ballot_values(one), verdict) for one in ballots))
        limit = settled_sessions
        marked = (
            (*_session_values(one), int(limit is None or index < limit)) for index, one in enumerate(sessions)
        )
        self._insert("sessions", len(_SESSION) + 1, marked)
        claimed = ((door, number) for door, given in (numbers or {}).items() for number in given)
        self._insert("numbers", 2, claimed)
        self._connection.executescript(_INDEXES)
        self._connection.execute("BEGIN")

    def close(self) -> None:
        """Delete everything."""
        self._connection.close()

    # -- ballots --------------------------------------------------------------------------------------

    def accepted(self) -> Iterator[ChainBallot]:
        """Yield the accepted ballots by rising digest."""
        return self._ballots("WHERE accepted = '1' ORDER BY digest")

    def refused(self, digest: str) -> ChainBallot | None:
        """Return the last refusal of a ballot that was never accepted."""
        return next(self._ballots("WHERE accepted = '0' AND digest = ?", digest), None)

    def candidates(self, row: BallotRow) -> Iterator[ChainBallot]:
        """Yield the accepted ballots that a row may stand for: by its turn, its number, its digest."""
        if (seq := as_number(row.seq)) is not None:
            yield from self._ballots("WHERE accepted = '1' AND sub = ? AND seq = ?", row.sub, seq)
        if (number := as_number(row.ack_no)) is not None:
            yield from self._ballots("WHERE accepted = '1' AND door = ? AND ack_no = ?", row.door, number)
        yield from self._ballots("WHERE accepted = '1' AND digest = ?", row.digest)

    def holds(self, digest: str) -> bool:
        """Say whether the chain gave any verdict on a ballot."""
        return next(self._ballots("WHERE accepted IN ('0', '1') AND digest = ?", digest), None) is not None

    def leave_ballot(self, digest: str) -> None:
        """Remember an accepted ballot that has no row yet."""
        self._connection.execute("INSERT INTO open VALUES (?)", (digest,))

    def claim_ballot(self, digest: str) -> bool:
        """Say whether a ballot had no row yet; it has one now."""
        return self._connection.execute("DELETE FROM open WHERE digest = ?", (digest,)).rowcount == 1

    def open_ballots(self) -> Iterator[ChainBallot]:
        """Yield the accepted ballots that still have no row."""
        return self._ballots("WHERE accepted = '1' AND digest IN (SELECT digest FROM open) ORDER BY digest")

    def leave_row(self, row: BallotRow) -> None:
        """Remember a row for which no ballot was found yet."""
        marks = ", ".join("?" * len(_ROW))
        self._connection.execute(f"INSERT INTO leftovers VALUES ({marks})", _row_values(row))  # noqa: S608

    def leftovers(self) -> Iterator[BallotRow]:
        """Yield those rows in the order of their ids."""
        for values in self._connection.execute("SELECT * FROM leftovers ORDER BY length(row), row"):
            yield BallotRow(*values)

    def numbers(self, door: str) -> Iterator[int]:
        """Yield every acknowledgement number of a door that anything accounts for, rising.

        Up to the last number of an accepted ballot: what is only claimed proves no later number.
        """
        query = """
            SELECT ack_no FROM ballots WHERE accepted = '1' AND door = :door
            UNION SELECT ack_no FROM numbers WHERE door = :door AND ack_no <= :last
            UNION SELECT ack_no FROM given WHERE door = :door AND ack_no <= :last
            UNION SELECT CAST(ack_no AS INTEGER) FROM leftovers WHERE door = :door
              AND ack_no <> '' AND ack_no NOT GLOB '*[^0-9]*' AND CAST(ack_no AS INTEGER) <= :last
            ORDER BY 1"""
        last = "SELECT max(ack_no) FROM ballots WHERE accepted = '1' AND door = ?"
        (number,) = self._connection.execute(last, (door,)).fetchone()
        for (one,) in self._connection.execute(query, {"door": door, "last": number}):
            yield one

    def account(self, door: str, number: int) -> bool:
        """Account for a number that a door gave to a ballot which another door brought.

        Says False where the number is another ballot's already.
        """
        used = "SELECT 1 FROM ballots WHERE accepted = '1' AND door = ? AND ack_no = ?"
        if self._connection.execute(used, (door, number)).fetchone() is not None:
            return False
        insert = "INSERT OR IGNORE INTO given VALUES (?, ?)"
        return self._connection.execute(insert, (door, number)).rowcount == 1

    def doors(self) -> list[str]:
        """Return the doors whose ballots were accepted."""
        found = self._connection.execute(
            "SELECT DISTINCT door FROM ballots WHERE accepted = '1' ORDER BY door"
        )
        return [door for (door,) in found]

    # -- sessions -------------------------------------------------------------------------------------

    def sessions(self) -> Iterator[tuple[ChainSession, bool]]:
        """Yield the meeting's sessions by rising id, and whether each was there before the snapshot."""
        for *values, settled in self._connection.execute("SELECT * FROM sessions ORDER BY ses"):
            yield ChainSession(*values), bool(settled)

    def has_session(self, ses: str) -> bool:
        """Say whether `identity` holds a session for this meeting."""
        found = self._connection.execute("SELECT 1 FROM sessions WHERE ses = ?", (ses,))
        return found.fetchone() is not None

    def note_session(self, ses: str) -> bool:
        """Remember that the platform has a row of a session; say False where it had one before."""
        noted = self._connection.execute("INSERT OR IGNORE INTO known VALUES (?)", (ses,))
        return noted.rowcount == 1

    def ballots_without_session(self) -> Iterator[ChainBallot]:
        """Yield the accepted ballots whose session the platform has no row of, by rising digest."""
        return self._ballots("WHERE accepted = '1' AND ses NOT IN (SELECT ses FROM known) ORDER BY digest")

    def sessions_without_row(self) -> Iterator[str]:
        """Yield the settled sessions, used by no accepted ballot, that the platform has no row of."""
        query = """
            SELECT ses FROM sessions WHERE settled AND ses NOT IN (SELECT ses FROM known)
            AND NOT EXISTS (SELECT 1 FROM ballots WHERE accepted = '1' AND ballots.ses = sessions.ses)
            ORDER BY ses"""
        for (ses,) in self._connection.execute(query):
            yield ses

    def _ballots(self, condition: str, *values: str | int) -> Iterator[ChainBallot]:
        query = f"SELECT {', '.join(_BALLOT)} FROM ballots {condition}"  # noqa: S608  columns of our own
        for row in self._connection.execute(query, values):
            yield ChainBallot(*row)

    def _insert(self, table: str, width: int, rows: Iterable[tuple[object, ...]]) -> None:
        marks = ", ".join("?" * width)
        self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608


def as_number(text: str) -> int | None:
    """Return the number that a row's text is, None where it is no count."""
    if not (text.isascii() and text.isdecimal()) or len(text) > _DIGITS:
        return None
    return int(text)
