"""A still picture of the platform's database, which the auditor only ever reads."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import bindparam, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from auditor.database_role import verify_read_only
from auditor.errors import AuditUnavailable
from auditor.platform_rows import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL, Connection, Engine

# A connection over a Unix socket has no addresses; one over the network may still be to the same host.
_SAME_HOST = text("SELECT inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr()")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where the rows come from. `same_host` is true where platform and auditor share a machine."""

    database: str
    method: str
    same_host: bool
    taken_at: str
    sha256: str

    def as_json(self) -> dict[str, object]:
        """Return the JSON member of the report."""
        return {
            "database": self.database,
            "method": self.method,
            "same_host": self.same_host,
            "taken_at": self.taken_at,
            "sha256": self.sha256,
        }


@contextmanager
def open_snapshot(url: str) -> Iterator[tuple[Connection, Snapshot]]:
    """Yield a connection to unmoving rows; raises AuditUnavailable.

    SQLite has no roles to hand to a reader, so the file is copied with `VACUUM INTO` over a
    read-only connection; PostgreSQL is read in one read-only, repeatable-read transaction, and only
    by a role that cannot write at all.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise AuditUnavailable("the platform database's URL is malformed; see --database") from error
    name = parsed.render_as_string(hide_password=True)
    try:
        with _opened(parsed) as opened:
            yield opened
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        reason = str(error).splitlines()[0]
        raise AuditUnavailable(f"the platform database {name} cannot be read: {reason}") from error


@contextmanager
def _opened(url: URL) -> Iterator[tuple[Connection, Snapshot]]:
    taken_at = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if url.get_backend_name() == "sqlite":
        with tempfile.TemporaryDirectory(prefix="concordat-audit-") as folder:
            copy = _vacuum(Path(url.database or ""), Path(folder) / "platform.db")
            with copy.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            engine = sqlalchemy.create_engine(f"sqlite:///file:{copy}?mode=ro&uri=true")
            event.listen(engine, "connect", _forgiving)
            with _connected(engine) as connection:
                _verify_tables(connection)
                yield connection, Snapshot(url.database or "", "VACUUM INTO", True, taken_at, digest)
        return
    if url.get_backend_name() != "postgresql":
        kind = url.get_backend_name()
        raise AuditUnavailable(f"a database of kind {kind!r} is not read; SQLite and PostgreSQL are")
    engine = sqlalchemy.create_engine(
        url.set(drivername="postgresql+psycopg"),
        isolation_level="REPEATABLE READ",
        connect_args={"options": "-c default_transaction_read_only=on"},
    )
    with _connected(engine) as connection:
        verify_read_only(connection, TABLES)
        shared = bool(connection.scalar(_SAME_HOST))
        name = url.render_as_string(hide_password=True)
        yield connection, Snapshot(name, "REPEATABLE READ, READ ONLY", shared, taken_at, "")


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _forgiving(connection: sqlite3.Connection, record: object) -> None:
    """Text that is no UTF-8 is a value like any other, and nothing that ends an audit."""
    del record
    connection.text_factory = lambda data: data.decode("utf-8", "backslashreplace")


def _verify_tables(connection: Connection) -> None:
    """Refuse views and virtual tables in the place of tables: they show what they please."""
    kinds = "SELECT name FROM sqlite_master WHERE name IN :names AND (type <> 'table' OR rootpage = 0)"
    query = text(kinds).bindparams(bindparam("names", TABLES, expanding=True))
    if false := connection.scalars(query).all():
        raise AuditUnavailable(
            f"{', '.join(sorted(false))} in the platform's database is a view or a virtual table, which can "
            "hide rows; the audit reads tables"
        )


def _vacuum(source: Path, target: Path) -> Path:
    if not source.is_file():
        raise AuditUnavailable(f"there is no platform database at {source}; name it with --database")
    connection = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("VACUUM INTO ?", (str(target),))
    finally:
        connection.close()
    return target
