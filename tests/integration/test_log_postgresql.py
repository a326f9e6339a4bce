"""The log on a real PostgreSQL: the same schema, writers one at a time, trees that are the same."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from auditor.errors import AuditUnavailable
from auditor.log.errors import LogRefused
from auditor.log.leaf import LogLeaf
from auditor.log.proofs import verify_consistency, verify_inclusion
from auditor.log.publish import extend_log
from auditor.log.service_db import LogBook, ServiceDatabase
from auditor.log.service_db.migrate import VERSION_TABLE
from auditor.log.service_db.tables import METADATA
from auditor.log.tree import LogTree, MemoryNodes
from tests.integration.test_platform_postgresql import pytestmark, server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["pytestmark", "server"]


@pytest.fixture
def url(server: Path) -> str:
    """Make a new database of the server."""
    admin = create_engine(
        f"postgresql+psycopg://concordat@/postgres?host={server}", isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS audit WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE audit"))
    admin.dispose()
    return f"postgresql://concordat@/audit?host={server}"


@pytest.fixture
def database(url: str) -> Iterator[ServiceDatabase]:
    opened = ServiceDatabase.open(url)
    yield opened
    opened.close()


def leaf(number: int) -> LogLeaf:
    return LogLeaf("m", f"{number:042d}A", f"{number // 3:064x}", 10 + number // 6, number % 3)


def test_migrations_make_exactly_the_tables(database: ServiceDatabase) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []


def test_the_tree_is_the_one_in_memory(database: ServiceDatabase) -> None:
    leaves = [leaf(number) for number in range(300)]
    for size in (1, 7, 64, 300):
        assert extend_log(database, "m", leaves[:size], through=leaves[size - 1].block) == size
    tree = LogTree(MemoryNodes())
    tree.extend(one.hash() for one in leaves)
    with database.read() as connection:
        book = LogBook(connection, "m")
        stored = book.tree()
        assert [stored.root(size) for size in range(301)] == [tree.root(size) for size in range(301)]
        for index in range(0, 300, 17):
            path = stored.inclusion(index)
            verify_inclusion(leaves[index].encode(), index=index, size=300, path=path, root=tree.root())
            roots = {"first_root": tree.root(index), "second_root": tree.root()}
            verify_consistency(first=index, second=300, path=stored.consistency(index), **roots)
        assert book.block_range(12, 300) == (12, 18)
        found = book.find(leaves[40].digest)
        assert found is not None
        assert found.index == 40


def test_writers_at_once_log_every_ballot_once(url: str) -> None:
    leaves = [leaf(number) for number in range(60)]
    reached: list[int] = []

    def follow() -> None:
        own = ServiceDatabase.open(url)
        reached.extend(
            extend_log(own, "m", leaves[:size], through=leaves[size - 1].block) for size in range(6, 61, 6)
        )
        own.close()

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reached) == sorted([*range(6, 61, 6)] * 3)
    database = ServiceDatabase.open(url)
    with database.read() as connection:
        assert [one.leaf for one in LogBook(connection, "m").leaves()] == leaves
    with pytest.raises(LogRefused, match="LOG_CHAIN"):
        extend_log(database, "m", [leaf(3)], through=99, start=60)
    database.close()


def test_a_server_that_is_down_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(AuditUnavailable, match="can't be opened") as caught:
        ServiceDatabase.open(f"postgresql://concordat:hidden@/audit?host={tmp_path}")
    assert "hidden" not in caught.value.message
