"""The service's database: its schema is the migrations', it opens twice, and says plainly what it can't."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from auditor.errors import AuditUnavailable
from auditor.log.leaf import LogLeaf
from auditor.log.service_db import LogBook, ServiceDatabase
from auditor.log.service_db.migrate import VERSION_TABLE
from auditor.log.service_db.tables import METADATA

if TYPE_CHECKING:
    from pathlib import Path

LEAF = LogLeaf("m", "A" * 43, "ab" * 32, 7, 0)


def test_migrations_make_exactly_the_tables(database: ServiceDatabase) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []


def test_opening_twice_upgrades_once_and_keeps_the_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'folder' / 'audit.db'}"
    first = ServiceDatabase.open(url)
    with first.write() as connection:
        LogBook(connection, "m").append([LEAF])
        LogBook(connection, "m").append([])
    first.close()
    second = ServiceDatabase.open(url)
    with second.read() as connection:
        found = LogBook(connection, "m").find(LEAF.digest)
        assert found is not None
        assert found.leaf == LEAF
        assert LogBook(connection, "other").find(LEAF.digest) is None
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
    second.close()
    assert stat.S_IMODE((tmp_path / "folder" / "audit.db").stat().st_mode) == 0o600


def test_a_failing_write_changes_nothing(database: ServiceDatabase) -> None:
    def fail() -> None:
        with database.write() as connection:
            LogBook(connection, "m").append([LEAF])
            LogBook(connection, "m").append([LEAF])

    with pytest.raises(IntegrityError):
        fail()
    with database.read() as connection:
        assert LogBook(connection, "m").size() == 0


def test_a_database_that_goes_away_is_one_sentence(database: ServiceDatabase) -> None:
    with pytest.raises(AuditUnavailable, match="not available"), database.read() as connection:
        connection.execute(text("SELECT * FROM nowhere"))
