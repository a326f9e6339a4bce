from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

from client.errors import UserError
from client.platform import Database, database_url
from client.platform.migrate import configuration
from client.platform.models import AckCounter, Base, Batch, MeetingStep

if TYPE_CHECKING:
    from pathlib import Path


def test_migrations_make_exactly_the_models_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


def test_opening_twice_upgrades_once_and_keeps_the_rows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    first = Database.open(url)
    with first.write() as session:
        session.add(AckCounter(mtg="m", door="AssociationMSP", last=7))
    first.close()
    second = Database.open(url)
    with second.read() as session:
        assert session.scalars(select(AckCounter.last)).one() == 7
    second.close()


def test_a_batch_in_flight_survives_the_upgrade(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'platform.db'}")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0001")
        connection.execute(
            text("INSERT INTO batches VALUES ('b', 'b', 'm-1', 'AssociationMSP', 'relay', 9.0, 5.0, 1)")
        )
    engine.dispose()
    opened = Database.open(f"sqlite:///{tmp_path / 'platform.db'}")
    with opened.read() as session:
        batch = session.get_one(Batch, "b")
        assert (batch.attempts, batch.claimed_at) == (1, 5.0)
    opened.close()


def test_sqlite_runs_with_wal_foreign_keys_full_sync_and_erased_pages(database: Database) -> None:
    if database.is_postgresql:
        pytest.skip("SQLite's settings")
    with database.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
        assert session.scalar(text("PRAGMA synchronous")) == 2
        assert session.scalar(text("PRAGMA secure_delete")) == 1


def test_foreign_keys_are_enforced(database: Database) -> None:
    step = MeetingStep(mtg="nowhere", step="{}", digest="", created_at="")
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(step)


def test_an_error_does_not_say_what_its_statement_was_about(database: Database) -> None:
    step = MeetingStep(mtg="nowhere", step="of Wang Xiaoming", digest="", created_at="")
    with pytest.raises(IntegrityError) as error, database.write() as session:
        session.add(step)
    assert "meeting_steps" in str(error.value)
    assert "Wang" not in str(error.value)


def test_a_failing_write_changes_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as session:
            session.add(AckCounter(mtg="m", door="d", last=1))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.read() as session:
        assert session.scalars(select(AckCounter)).all() == []


def test_writers_queue_instead_of_failing(database: Database) -> None:
    with database.write() as session:
        session.add(AckCounter(mtg="m", door="d", last=0))

    def count() -> None:
        for _ in range(20):
            with database.write() as session:
                query = select(AckCounter).where(AckCounter.mtg == "m").with_for_update()
                session.scalars(query).one().last += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.scalars(select(AckCounter.last)).one() == 80


def test_tables_that_others_read_by_name_have_their_columns(database: Database) -> None:
    columns = {name: {c["name"] for c in inspect(database.engine).get_columns(name)} for name in AGREED}
    for name, agreed in AGREED.items():
        assert set(agreed.split()) <= columns[name]


AGREED = {
    "ballots": "id mtg sub seq digest jws choices claims ses door ack_no ack_time ack_jws"
    " status code tx block created_at",
    "sessions": "ses sub x5t institution mtg method outcome commitment issued_at expires_at"
    " evidence_encrypted status",
    "lenders": "id institution sub person_encrypted x5t certificate commitment",
    "roll_entries": "mtg sub idx leaf",
    "meetings": "mtg institution record mh channel state",
    "results": "mtg result",
}


@pytest.mark.parametrize("url", ["mysql://localhost/x", "not a url", "sqlite:////proc/nowhere/platform.db"])
def test_a_database_that_cannot_be_is_one_clear_line(url: str) -> None:
    with pytest.raises(UserError) as caught:
        Database.open(url)
    assert "\n" not in caught.value.message


def test_the_url_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONCORDAT_DATABASE_URL", raising=False)
    assert database_url(tmp_path) == f"sqlite:///{tmp_path / 'platform.db'}"
    monkeypatch.setenv("CONCORDAT_DATABASE_URL", "postgresql:///concordat")
    assert database_url(tmp_path) == "postgresql:///concordat"


def test_the_database_file_is_for_its_owner_only(tmp_path: Path) -> None:
    Database.open(f"sqlite:///{tmp_path / 'platform.db'}").close()
    assert (tmp_path / "platform.db").stat().st_mode & 0o077 == 0
