"""Opening the service's database: SQLite by default, PostgreSQL by URL; its schema is brought up to date."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from auditor.errors import AuditUnavailable
from auditor.log.service_db.migrate import upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

SETTING: Final = "CONCORDAT_AUDIT_DATABASE_URL"
_BUSY_SECONDS: Final = 30
_READ: Final = "audit_read_only"


def database_url(home: Path) -> str:
    """Return `$CONCORDAT_AUDIT_DATABASE_URL`, or the SQLite file `audit.db` in the home folder."""
    return os.environ.get(SETTING) or f"sqlite:///{home / 'audit.db'}"


class ServiceDatabase:
    """Connections to one database. Thread-safe; a connection belongs to one thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reading = engine.execution_options(**{_READ: True})

    @classmethod
    def open(cls, url: str) -> ServiceDatabase:
        """Open and upgrade the database at a URL; raises AuditUnavailable where there is none to open."""
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise AuditUnavailable(f"{SETTING} is not a database URL like postgresql://…") from error
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            engine = _sqlite(parsed)
        elif backend == "postgresql":
            # hide_parameters: an error message must not carry what a statement was about.
            engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True
            )
        else:
            raise AuditUnavailable(
                f"databases of kind {backend!r} are not supported: use SQLite or PostgreSQL"
            )
        try:
            with engine.begin() as connection:
                upgrade(connection)
        except OperationalError as error:
            engine.dispose()
            where = parsed.render_as_string(hide_password=True)
            raise AuditUnavailable(f"the audit database {where} can't be opened: {error.orig}") from error
        return cls(engine)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection whose changes are committed together at the end, or not at all.

        Raises AuditUnavailable where the database is gone, or other writers don't let go of it.
        """
        with _available(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for looking; raises AuditUnavailable where the database is gone."""
        with _available(), self._reading.connect() as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise AuditUnavailable(f"the audit database is not available: {error.orig}") from error


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError as error:
            raise AuditUnavailable(f"the audit database {path} can't be made: {error.strerror}") from error
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False}
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
    # A head that was handed out has to survive a power cut, or the next one could contradict it.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
