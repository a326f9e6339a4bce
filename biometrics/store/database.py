"""Opening the store: SQLite by default, PostgreSQL by URL; the schema is brought up to date on opening."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, literal_column, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from biometrics.errors import BiometricsError
from biometrics.store.migrate import upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import URL, Result
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

    from biometrics.store.models import Base

BUSY_SECONDS = 30
_READ = "identity_read_only"
_ROWS_AT_ONCE = 500


class StoreError(BiometricsError):
    """The store can't be opened."""


class Database:
    """Sessions on one store. Thread-safe; a session belongs to one thread.

    `write()` commits at the end of the block or changes nothing; on SQLite it takes the write lock at
    once, so that service processes on one file queue up. `read()` never commits.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._write = sessionmaker(engine, expire_on_commit=False)
        self._read = sessionmaker(engine.execution_options(**{_READ: True}), expire_on_commit=False)

    @classmethod
    def open(cls, url: str) -> Database:
        """Open and upgrade the store at a URL; raises StoreError where there is none to open."""
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise StoreError("the identity store's URL is not one like postgresql://…") from error
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            engine = _sqlite(parsed)
        elif backend == "postgresql":
            # hide_parameters: an error message must not carry what a statement was about.
            engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True
            )
        else:
            raise StoreError(f"databases of kind {backend!r} are not supported: use SQLite or PostgreSQL")
        try:
            with engine.begin() as connection:
                upgrade(connection)
        except OperationalError as error:
            engine.dispose()
            where = parsed.render_as_string(hide_password=True)
            raise StoreError(f"the identity store {where} can't be opened: {error.orig}") from error
        return cls(engine)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose changes are committed together, or not at all."""
        with self._write.begin() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session for looking."""
        with self._read() as session:
            yield session

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def insert_once(session: Session, model: type[Base], values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key, or another unique value, is there; say whether it was."""
    return insert_new(session, model, [values]) == 1


def insert_new(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert those of the rows whose keys, and other unique values, aren't there; return how many."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert(model) if dialect == "postgresql" else sqlite.insert(model)
    new = 0
    for begin in range(0, len(rows), _ROWS_AT_ONCE):
        values = [dict(row) for row in rows[begin : begin + _ROWS_AT_ONCE]]
        # Not by the count of rows, which drivers don't give for every insert: by what comes back.
        done: Result[Any] = session.execute(
            insert.values(values).on_conflict_do_nothing().returning(literal_column("1"))
        )
        new += len(done.all())
    return new


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError as error:
            raise StoreError(f"the identity store {path} can't be made: {error.strerror}") from error
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    del record
    # The driver must not open transactions by itself: `_begin` does, with the lock that fits.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # A used check must stay used after a power cut, and deleted pages must not linger in the file.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
