"""State on disk: mappings whose rows lie in SQLite, so that memory doesn't grow with a meeting.

As Python objects a ballot took some 3.7 KB, with its voter's enrolment and identity check: 1.4 GiB for
390,000. What is written within a block waits in memory; `flush` at its end puts it into the open transaction,
`commit` makes it durable together with everything else of the same moment.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import ItemsView, MutableMapping, ValuesView
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

import cbor2

from auditor.errors import AuditUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_CACHE: Final = 32768  # KiB of pages in memory
_CACHE_ALONE: Final = 196608  # of a temporary file, which one audit has to itself for minutes
_READ: Final = 16_000  # decoded values of a table at most
_ASKED: Final = 500  # keys a query
_SUM: Final = 8  # bytes of each row's checksum

Value = TypeVar("Value")


@dataclass(frozen=True)
class Codec(Generic[Value]):
    """How a value becomes integers, strings, lists and maps, and what becomes of these again."""

    encode: Callable[[Value], Any]
    decode: Callable[[Any], Value]


TEXT: Final = Codec[str](str, str)


def read_ahead(mapping: MutableMapping[str, Value], keys: Iterable[str]) -> None:
    """Have what is soon asked for at hand, by one query for many keys; a dictionary has it anyway."""
    if isinstance(mapping, Table):
        mapping.read_ahead(keys)


class StoreUnusable(AuditUnavailable):
    """A file that is no store, or one in use by another process (exit 2)."""

    def __init__(self, path: Path | None, reason: str) -> None:
        super().__init__(
            f"the checkpoint {path} is not used: {reason}; if it is damaged, --from-genesis starts over"
        )


class Tables(Protocol):
    """Wherever state is kept: gives mappings by name, which keep the order of insertion."""

    def table(self, name: str, codec: Codec[Value]) -> MutableMapping[str, Value]:
        """Return the mapping of a name, the same one each time."""
        ...

    def flush(self) -> None:
        """Let go of what a block left in memory."""
        ...


class InMemory:
    """State as dictionaries: for little of it."""

    def __init__(self) -> None:
        self._tables: dict[str, Any] = {}

    def table(self, name: str, codec: Codec[Value]) -> MutableMapping[str, Value]:
        """Return a dictionary."""
        del codec
        found: dict[str, Value] = self._tables.setdefault(name, {})
        return found

    def flush(self) -> None:
        """Nothing waits."""


class Store:
    """State in an SQLite file of its own; without a path in a temporary one, which is gone with it.

    A process that is killed leaves the file as the last `commit` made it. One process writes a file; others
    may read it meanwhile, `read_only`, as it was at their last `renew`.
    """

    def __init__(self, path: Path | None = None, *, read_only: bool = False) -> None:
        """Open or make the file; raises StoreUnusable."""
        self.path = path
        self._begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
        self._tables: dict[str, Table[Any]] = {}
        try:
            # Whoever shares a store between threads lets one of them at it at a time.
            self._connection = sqlite3.connect(
                "" if path is None else path, isolation_level=None, check_same_thread=False
            )
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE_ALONE if path is None else _CACHE}")
            if read_only:
                self._connection.execute("PRAGMA query_only = ON")
                self._connection.execute(self._begin)
                return
            if path is None:
                self._connection.execute("PRAGMA journal_mode = OFF")
                self._connection.execute("PRAGMA synchronous = OFF")
            else:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS spaces (name TEXT PRIMARY KEY, number INTEGER)"
            )
            self._connection.execute("CREATE TABLE IF NOT EXISTS moments (id INTEGER PRIMARY KEY, made BLOB)")
        except sqlite3.Error as error:
            raise StoreUnusable(path, str(error)) from error

    def table(self, name: str, codec: Codec[Value]) -> MutableMapping[str, Value]:
        """Return the mapping of a name, the same one each time."""
        if name not in self._tables:
            self._tables[name] = Table(self._connection, self._number(name), codec)
        return self._tables[name]

    def named(self, table: object) -> str | None:
        """Return the name of one of its own tables, None for anything else."""
        return next((name for name, one in self._tables.items() if one is table), None)

    def flush(self) -> None:
        """Put what a block left in memory into the open transaction."""
        for one in self._tables.values():
            one.flush()

    def commit(self, moment: bytes) -> None:
        """Make everything durable at once, and `moment` with it, in the place of the one before."""
        self.flush()
        self._connection.execute("INSERT OR REPLACE INTO moments VALUES (1, ?)", (moment,))
        self._connection.execute("COMMIT")
        self._connection.execute("BEGIN IMMEDIATE")

    def moment(self) -> bytes | None:
        """Return what the last commit was given, None before there was one."""
        row = self._connection.execute("SELECT made FROM moments").fetchone()
        return None if row is None else bytes(row[0])

    def renew(self) -> None:
        """See what another process committed meanwhile."""
        for one in self._tables.values():
            one.forget()
        self._tables.clear()
        self._connection.execute("COMMIT")
        self._connection.execute(self._begin)

    def last_rows(self) -> dict[str, int]:
        """Return the number of each table's last row."""
        self.flush()
        return {name: one.last_row() for name, one in sorted(self._tables.items())}

    def verify(self, last_rows: dict[str, int]) -> None:
        """Raise ValueError, saying what, unless every row is as it was written and the last are there."""
        (said,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise ValueError(said)
        for name, last in last_rows.items():
            table = Table[Any](self._connection, self._number(name), Codec(str, str))
            if table.last_row() != last:
                raise ValueError(f"{name} ends at row {table.last_row()}, not {last}")
            table.verify(name)

    def clear(self) -> None:
        """Forget everything, durably."""
        self._tables.clear()
        for (number,) in self._connection.execute("SELECT number FROM spaces").fetchall():
            self._connection.execute(f"DROP TABLE IF EXISTS rows{int(number)}")
        self._connection.execute("DELETE FROM spaces")
        self._connection.execute("DELETE FROM moments")
        self._connection.execute("COMMIT")
        self._connection.execute("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Leave the file as the last commit made it."""
        self._connection.close()

    def _number(self, name: str) -> int:
        row = self._connection.execute("SELECT number FROM spaces WHERE name = ?", (name,)).fetchone()
        if row is not None:
            return int(row[0])
        (number,) = self._connection.execute("SELECT count(*) FROM spaces").fetchone()
        self._connection.execute("INSERT INTO spaces VALUES (?, ?)", (name, number))
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS rows{number} (id INTEGER PRIMARY KEY, key BLOB UNIQUE, value BLOB)"
        )
        return int(number)


class Table(MutableMapping[str, Value]):
    """One mapping of a store; iterating gives the order of insertion, as with a dictionary."""

    def __init__(self, connection: sqlite3.Connection, number: int, codec: Codec[Value]) -> None:
        self._codec = codec
        self._connection = connection
        self._waiting: dict[str, Value | None] = {}
        self._read: dict[str, Value | None] = {}  # a few that were asked for or written last; None: no value
        name = f"rows{number}"
        self._select = f"SELECT value FROM {name} WHERE key = ?"  # noqa: S608  a number of our own
        marks = ", ".join("?" * _ASKED)
        self._select_many = f"SELECT key, value FROM {name} WHERE key IN ({marks})"  # noqa: S608
        self._upsert = (
            f"INSERT INTO {name} (key, value) VALUES (?, ?) "  # noqa: S608
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        )
        self._delete = f"DELETE FROM {name} WHERE key = ?"  # noqa: S608
        self._all = f"SELECT key, value FROM {name} ORDER BY id"  # noqa: S608
        self._count = f"SELECT count(*) FROM {name}"  # noqa: S608
        self._after = f"SELECT id, key, value FROM {name} WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
        self._last = f"SELECT coalesce(max(id), 0) FROM {name}"  # noqa: S608
        self._empty = self.last_row() == 0  # then there is nothing to ask for; False is never wrong

    def __getitem__(self, key: str) -> Value:
        """Return a value; KeyError for none."""
        value = self._held(key)
        if value is None:
            raise KeyError(key)
        return value

    def _held(self, key: str) -> Value | None:
        if key in self._waiting:
            return self._waiting[key]
        if key in self._read:
            return self._read[key]
        if self._empty:
            return None
        row = self._connection.execute(self._select, (key.encode(),)).fetchone()
        value = None if row is None else self._codec.decode(cbor2.loads(row[0][:-_SUM]))
        self._make_room(1)
        self._read[key] = value
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or `default`."""
        value = self._read[key] if key in self._read and key not in self._waiting else self._held(key)
        return default if value is None else value

    def read_ahead(self, keys: Iterable[str]) -> None:
        """Read the values of many keys at once."""
        if self._empty:
            return
        waiting, read = self._waiting, self._read
        asked = [key for key in dict.fromkeys(keys) if key not in waiting and key not in read]
        self._make_room(len(asked))
        for start in range(0, len(asked), _ASKED):
            chunk = asked[start : start + _ASKED]
            # Always as many marks, so that the statement is prepared once; nothing equals NULL.
            places = [key.encode() for key in chunk] + [None] * (_ASKED - len(chunk))
            for key, data in self._connection.execute(self._select_many, places):
                self._read[key.decode()] = self._codec.decode(cbor2.loads(data[:-_SUM]))
            for key in chunk:
                self._read.setdefault(key, None)

    def forget(self) -> None:
        """Ask the file again for whatever was read."""
        self._read.clear()
        self._empty = False

    def _make_room(self, count: int) -> None:
        if len(self._read) + count > _READ:
            self._read.clear()

    def __setitem__(self, key: str, value: Value) -> None:
        """Set a value, which is written at the next flush."""
        self._waiting[key] = value

    def __delitem__(self, key: str) -> None:
        """Delete a value; KeyError for none."""
        if key not in self:
            raise KeyError(key)
        self._waiting[key] = None

    def __contains__(self, key: object) -> bool:
        """Say whether there is a value."""
        if not isinstance(key, str):
            return False
        return self._held(key) is not None

    def __iter__(self) -> Iterator[str]:
        """Yield the keys in the order of insertion."""
        self.flush()
        for key, _ in self._connection.execute(self._all):
            yield key.decode()

    def __len__(self) -> int:
        """Count the values."""
        self.flush()
        return int(self._connection.execute(self._count).fetchone()[0])

    def items(self) -> ItemsView[str, Value]:
        """Return the pairs, read in one go in the order of insertion."""
        return _Items(self)

    def values(self) -> ValuesView[Value]:
        """Return the values, read in one go in the order of insertion."""
        return _Values(self)

    def pairs(self) -> Iterator[tuple[str, Value]]:
        """Yield keys and values; nothing may be written meanwhile."""
        self.flush()
        for key, data in self._connection.execute(self._all):
            yield key.decode(), self._codec.decode(cbor2.loads(data[:-_SUM]))

    def after(self, row: int, most: int) -> list[tuple[int, str, Value]]:
        """Return the next rows after one of that number, `most` at most: each its number, key and value."""
        self.flush()
        found = self._connection.execute(self._after, (row, most)).fetchall()
        return [(at, key.decode(), self._codec.decode(cbor2.loads(data[:-_SUM]))) for at, key, data in found]

    def last_row(self) -> int:
        """Return the number of the last row."""
        return int(self._connection.execute(self._last).fetchone()[0])

    def verify(self, name: str) -> None:
        """Raise ValueError for a row that is not as it was written."""
        for key, value in self._connection.execute(self._all):
            if value[-_SUM:] != _sum(key, value[:-_SUM]):
                raise ValueError(f"a row of {name} is not as it was written")

    def flush(self) -> None:
        """Put what waits into the open transaction."""
        if not self._waiting:
            return
        gone: list[tuple[bytes]] = []
        rows: list[tuple[bytes, bytes]] = []
        encode, dumps = self._codec.encode, cbor2.dumps
        for key, value in self._waiting.items():
            encoded = key.encode()
            if value is None:
                gone.append((encoded,))
            else:
                data = dumps(encode(value))
                rows.append((encoded, data + _sum(encoded, data)))
        if gone:
            self._connection.executemany(self._delete, gone)
        if rows:
            self._connection.executemany(self._upsert, rows)
            self._empty = False
        # What was asked for once is asked for again; the rest is only written.
        self._read.update({key: value for key, value in self._waiting.items() if key in self._read})
        self._waiting.clear()


class _Items(ItemsView[str, Value]):
    _mapping: Table[Value]

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        return self._mapping.pairs()


class _Values(ValuesView[Value]):
    _mapping: Table[Value]

    def __iter__(self) -> Iterator[Value]:
        return (value for _, value in self._mapping.pairs())


def _sum(key: bytes, data: bytes) -> bytes:
    return hashlib.blake2b(key + data, digest_size=_SUM).digest()
