"""Opening the database: SQLite by default, PostgreSQL by URL; the schema is brought up to date on opening."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from client.errors import UserError
from client.platform.migrate import upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

BUSY_SECONDS = 30
_READ = "concordat_read_only"


def database_url(home: Path) -> str:
    """Return `$CONCORDAT_DATABASE_URL`, or the SQLite file `platform.db` in the home folder."""
    return os.environ.get("CONCORDAT_DATABASE_URL") or f"sqlite:///{home / 'platform.db'}"


class Database:
    """Sessions on one database. Thread-safe; a session belongs to one thread.

    `write()` commits at the end of the block or changes nothing; on SQLite it takes the write lock at
    once, so that two writers queue instead of failing halfway. `read()` never commits.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._write = sessionmaker(engine, expire_on_commit=False)
        self._read = sessionmaker(engine.execution_options(**{_READ: True}), expire_on_commit=False)

    @classmethod
    def open(cls, url: str) -> Database:
        """Open and upgrade the database at a URL; raise UserError where there is none to open."""
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise UserError("CONCORDAT_DATABASE_URL is not a database URL like postgresql://…") from error
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            engine = _sqlite(parsed)
        elif backend == "postgresql":
            # hide_parameters: an error message must not carry what a statement was about.
            engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_pre_ping=True,
                pool_size=16,
                hide_parameters=True,
            )
        else:
            raise UserError(f"databases of kind {backend!r} are not supported: use SQLite or PostgreSQL")
        try:
            with engine.begin() as connection:
                upgrade(connection)
        except OperationalError as error:
            engine.dispose()
            where = parsed.render_as_string(hide_password=True)
            raise UserError(f"the platform database {where} can't be opened: {error.orig}") from error
        return cls(engine)

    @property
    def is_postgresql(self) -> bool:
        """Whether rows can be locked one by one (`FOR UPDATE SKIP LOCKED`)."""
        return self.engine.dialect.name == "postgresql"

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


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError as error:
            raise UserError(f"the platform database {path} can't be made: {error.strerror}") from error
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
    # An acknowledgement is a promise: it has to survive a power cut, so the log is synced at each commit.
    cursor.execute("PRAGMA synchronous=FULL")
    # What a lender has had erased must not linger in the file's free pages.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
