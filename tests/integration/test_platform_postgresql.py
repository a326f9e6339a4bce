"""The platform on a real PostgreSQL: the same migrations, numbers and outbox, rows locked one by one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, select, text

from client.errors import UserError
from client.platform import Database
from client.platform.models import Ballot, Base, OutboxEntry
from tests.unit.platform.scene import Scene
from tests.unit.relay.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

BINARIES = Path("/usr/lib/postgresql/15/bin")
pytestmark = pytest.mark.skipif(
    not (BINARIES / "initdb").exists(),
    reason=f"PostgreSQL 15 is not in {BINARIES}: apt-get install postgresql",
)


def _user() -> str | None:
    """Return whom the server runs as: initdb refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("initdb refuses root, and this host has neither a user postgres nor nobody")


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """Start a server on a unix socket of its own, without TCP; return the socket's folder."""
    folder, user = Path(tempfile.mkdtemp(prefix="concordat-pg-")), _user()
    data = folder / "data"
    if user is not None:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(BINARIES / program), *arguments], user=user, cwd=folder, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    try:
        run("initdb", "-D", str(data), "-U", "concordat", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield folder
    finally:
        if (data / "postmaster.pid").exists():
            run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(server: Path) -> Iterator[Database]:
    """Open a new database of the server."""
    admin = create_engine(
        f"postgresql+psycopg://concordat@/postgres?host={server}", isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS platform WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE platform"))
    admin.dispose()
    opened = Database.open(f"postgresql://concordat@/platform?host={server}")
    yield opened
    opened.close()


def test_migrations_make_exactly_the_models_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_processes_that_open_it_at_once_upgrade_it_once(server: Path, database: Database) -> None:
    with database.engine.begin() as connection:
        Base.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    url = f"postgresql://concordat@/platform?host={server}"
    threads = [threading.Thread(target=lambda: Database.open(url).close()) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1


def test_acknowledgements_are_gapless_over_desks_that_run_at_once(database: Database) -> None:
    scene = Scene(database, lenders=12)
    ballots = [scene.ballot(lender).compact for lender in range(12)]

    def hand_in(mine: list[str]) -> None:
        desk = scene.desk()
        for compact in mine:
            desk.accept(compact)

    threads = [threading.Thread(target=hand_in, args=(ballots[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert sorted(session.scalars(select(Ballot.ack_no))) == list(range(1, 13))


def test_the_ballots_of_one_call_are_queued_in_the_order_given(database: Database) -> None:
    scene = Scene(database, lenders=40)
    ballots = [scene.ballot(lender) for lender in range(40)]
    scene.desk().accept_many([signed.compact for signed in ballots])
    with database.read() as session:
        queued = select(Ballot.digest).join(OutboxEntry, OutboxEntry.ballot == Ballot.id)
        digests = session.scalars(queued.order_by(OutboxEntry.ballot)).all()
        numbers = session.scalars(select(Ballot.ack_no).order_by(Ballot.id)).all()
    assert (digests, numbers) == ([signed.digest for signed in ballots], list(range(1, 41)))


def test_relays_that_run_at_once_deliver_each_ballot_once(database: Database) -> None:
    bench = Bench(database)
    for voter in range(30):
        bench.acknowledge(voter, seq=1)
        bench.acknowledge(voter, seq=2)
    relays = [bench.relay(name=name) for name in ("a", "b", "c")]
    threads = [threading.Thread(target=bench.run, args=(relay, 60)) for relay in relays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bench.run(relays[0])
    bench.check_exactly_once()


@pytest.mark.parametrize("script", ["ok lost", "ok late", "ok killed-after", "ok ok killed"])
def test_whatever_is_lost_each_ballot_counts_once(database: Database, script: str) -> None:
    bench = Bench(database)
    for voter in range(3):
        bench.acknowledge(voter)
    bench.run_through(script.split())
    bench.ledger.deliver_late()
    bench.check_exactly_once()


def test_a_server_that_is_down_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be opened") as caught:
        Database.open(f"postgresql://concordat:hidden@/platform?host={tmp_path}")
    assert "hidden" not in caught.value.message
