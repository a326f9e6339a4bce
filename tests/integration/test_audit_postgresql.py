"""The audit reads a real PostgreSQL: in one transaction that does not move, by a role that cannot write."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from auditor.errors import AuditUnavailable
from auditor.platform_rows import PlatformRows
from auditor.reconcile import Reconciliation, reconcile
from auditor.snapshot import open_snapshot
from tests.unit.auditor.platform_side import SCHEMA, ballot, closed_meeting, mutable, row_of, terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.view import ChainMeeting

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
UNPRIVILEGED = "postgres"  # initdb refuses to run as root

pytestmark = pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL's server is not installed")

# What docs/verification.md tells a platform's administrator to do.
GRANTS = """
CREATE ROLE auditor LOGIN;
GRANT USAGE ON SCHEMA public TO auditor;
GRANT SELECT (id, mtg, sub, seq, digest, jws, choices, claims, ses, door, ack_no, ack_time, ack_jws, status,
  code, tx, block) ON ballots TO auditor;
GRANT SELECT (ses, sub, x5t, institution, mtg, method, outcome, commitment, issued_at, expires_at,
  act, status) ON sessions TO auditor;
GRANT SELECT (mtg, record, mh, channel, state) ON meetings TO auditor;
GRANT SELECT (mtg, result) ON results TO auditor;
"""


@pytest.fixture
def meeting() -> ChainMeeting:
    return closed_meeting()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run a server of its own on a Unix socket; return its folder."""
    folder = Path(tempfile.mkdtemp(prefix="concordat-pg-"))
    prefix: list[str] = []
    if os.geteuid() == 0:
        account = pwd.getpwnam(UNPRIVILEGED)
        os.chown(folder, account.pw_uid, account.pw_gid)
        prefix = ["runuser", "-u", UNPRIVILEGED, "--"]
    bin_folder = PROGRAMS[-1].parent
    control = [*prefix, str(bin_folder / "pg_ctl"), "-D", str(folder / "data"), "-w", "-s"]
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    initdb = [
        *prefix,
        str(bin_folder / "initdb"),
        "-D",
        str(folder / "data"),
        "-A",
        "trust",
        "-U",
        "platform",
    ]
    try:
        subprocess.run(
            [*initdb, "-U", "platform", "--no-sync"], check=True, capture_output=True, timeout=120, cwd=folder
        )
        log = str(folder / "log")
        subprocess.run([*control, "-l", log, "-o", options, "start"], check=True, timeout=60, cwd=folder)
        yield str(folder)
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, timeout=60, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(server: str, meeting: ChainMeeting) -> Iterator[psycopg.Connection]:
    """A superuser's connection to a new database, filled as an honest platform fills it, with an auditor."""
    with psycopg.connect(host=server, user="platform", dbname="postgres", autocommit=True) as connection:
        connection.execute(b"DROP DATABASE IF EXISTS platform WITH (FORCE)")
        for (name,) in connection.execute(
            b"SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|platform$)'"
        ):
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
        connection.execute(b"CREATE DATABASE platform")
    with psycopg.connect(host=server, user="platform", dbname="platform", autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
        for number, one in enumerate(meeting.accepted.values(), 1):
            insert(connection, "ballots", {"id": number, **row_of(one)})
        for other in meeting.sessions.values():
            insert(connection, "sessions", {**asdict(other), "status": "recorded"})
        record = ("m", "{}", meeting.mh, meeting.channel, "closed")
        connection.execute(b"INSERT INTO meetings VALUES (%s, %s, %s, %s, %s)", record)
        connection.execute(b"INSERT INTO results VALUES ('m', %s)", (meeting.result,))
        connection.execute(GRANTS.encode())
        yield connection


def insert(connection: psycopg.Connection, table: str, row: dict[str, object]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    marks = sql.SQL(", ").join(sql.Placeholder() * len(row))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), names, marks)
    connection.execute(statement, list(row.values()))


def url(server: str, role: str = "auditor") -> str:
    return f"postgresql://{role}@/platform?host={server}"


def audit(server: str, meeting: ChainMeeting, role: str = "auditor") -> Reconciliation:
    with open_snapshot(url(server, role)) as (connection, _):
        return reconcile(meeting, PlatformRows(connection), terms())


def test_agreement_and_a_changed_row(
    server: str, database: psycopg.Connection, meeting: ChainMeeting
) -> None:
    assert audit(server, meeting) == Reconciliation((), rows=3, pending=0)
    database.execute(b"UPDATE ballots SET choices = '{}' WHERE ack_no = 2")
    assert [(one.kind, one.field, one.platform) for one in audit(server, meeting).discrepancies] == [
        ("altered", "choices", "{}")
    ]


def test_rows_are_found_whatever_the_columns_are_sorted_by(
    server: str, database: psycopg.Connection, meeting: ChainMeeting
) -> None:
    """They come in the order of their ids; base64url has capitals, small letters, digits and `-_`."""
    database.execute(b'ALTER TABLE ballots ALTER digest TYPE TEXT COLLATE "und-x-icu"')
    for number in range(4, 40):
        one = replace(ballot(number), ses="ses-1")
        mutable(meeting.accepted)[one.digest] = one
        insert(database, "ballots", {"id": number, **row_of(one)})
    with open_snapshot(url(server)) as (connection, _):
        ids = [row[0] for chunk in PlatformRows(connection).ballots("m") for row in chunk]
        assert ids == list(range(1, 40))
        assert PlatformRows(connection).last_block("m") == 39
    assert audit(server, meeting).discrepancies == ()


def test_the_snapshot_does_not_move(server: str, database: psycopg.Connection, meeting: ChainMeeting) -> None:
    with open_snapshot(url(server)) as (connection, snapshot):
        assert sum(map(len, PlatformRows(connection).ballots("m"))) == 3
        database.execute(b"DELETE FROM ballots")
        assert sum(map(len, PlatformRows(connection).ballots("m"))) == 3
        assert snapshot.same_host
        assert "auditor" in snapshot.database
    assert [one.kind for one in audit(server, meeting).discrepancies] == ["missing"] * 3


def test_nothing_can_be_written(server: str, database: psycopg.Connection) -> None:
    assert not database.closed
    with (
        pytest.raises(AuditUnavailable, match="read-only"),
        open_snapshot(url(server)) as (connection, _),
    ):
        connection.execute(text("DELETE FROM ballots"))


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AuditUnavailable) as error, open_snapshot(url(str(tmp_path))):
        pass
    assert error.value.exit_code == 2


def test_rows_without_a_meeting(server: str, database: psycopg.Connection, meeting: ChainMeeting) -> None:
    assert not database.closed
    nine = replace(ballot(9), ses="ses-9")
    other = replace(meeting, mtg="other", accepted={nine.digest: nine}, sessions={})
    kinds = {(one.kind, one.field) for one in audit(server, other).discrepancies}
    assert kinds == {
        ("missing", "row"),
        ("missing", "meeting"),
        ("without session", "session"),
        ("missing", "ack_no"),
    }


@pytest.mark.parametrize(
    ("grant", "reason"),
    [
        ("ALTER ROLE auditor SUPERUSER", "auditor is a superuser"),
        ("ALTER ROLE auditor CREATEROLE", "allowed to make roles (CREATEROLE)"),
        ("ALTER ROLE auditor CREATEDB", "allowed to make databases (CREATEDB)"),
        ("ALTER TABLE ballots OWNER TO auditor", "the owner of table ballots"),
        ("ALTER SCHEMA public OWNER TO auditor", "the owner of schema public"),
        ("ALTER DATABASE platform OWNER TO auditor", "the owner of database platform"),
        ("GRANT INSERT ON results TO auditor", "allowed to INSERT public.results"),
        ("GRANT UPDATE ON ballots TO auditor", "allowed to UPDATE public.ballots"),
        ("GRANT UPDATE (choices) ON ballots TO auditor", "allowed to UPDATE public.ballots"),
        ("GRANT INSERT (mtg) ON results TO auditor", "allowed to INSERT public.results"),
        ("GRANT DELETE ON sessions TO auditor", "allowed to DELETE public.sessions"),
        ("GRANT TRUNCATE ON meetings TO auditor", "allowed to TRUNCATE public.meetings"),
        ("GRANT TRIGGER ON ballots TO auditor", "allowed to TRIGGER public.ballots"),
        ("GRANT DELETE ON ballots TO PUBLIC", "allowed to DELETE public.ballots"),
        (
            "CREATE SCHEMA aside; CREATE TABLE aside.kept (a int); GRANT UPDATE ON aside.kept TO auditor",
            "allowed to UPDATE aside.kept",
        ),
        ("CREATE SEQUENCE ids; GRANT USAGE ON ids TO auditor", "allowed to advance public.ids"),
        ("GRANT CREATE ON SCHEMA public TO auditor", "allowed to CREATE in schema public"),
        ("GRANT CREATE ON DATABASE platform TO auditor", "allowed to CREATE schemas"),
        (
            "CREATE ROLE writer; GRANT UPDATE ON ballots TO writer; GRANT writer TO auditor",
            "a member of writer, which is allowed to UPDATE public.ballots",
        ),
        (  # not inherited, but SET ROLE reaches it, over a role between
            """CREATE ROLE writer; GRANT DELETE ON ballots TO writer; CREATE ROLE between;
            GRANT writer TO between; GRANT between TO auditor; ALTER ROLE auditor NOINHERIT""",
            "a member of writer, which is allowed to DELETE public.ballots",
        ),
        ("GRANT platform TO auditor", "a member of platform, which is a superuser"),
        ("GRANT pg_write_all_data TO auditor", "a member of pg_write_all_data"),
        ("GRANT pg_execute_server_program TO auditor", "a member of pg_execute_server_program"),
        (
            "CREATE FUNCTION wipe() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM ballots'",
            "allowed to run wipe() with its owner's rights",
        ),
    ],
)
def test_a_role_that_can_write_is_refused(
    server: str, database: psycopg.Connection, meeting: ChainMeeting, grant: str, reason: str
) -> None:
    assert audit(server, meeting).discrepancies == ()
    database.execute(grant.encode())
    with pytest.raises(AuditUnavailable) as error:
        audit(server, meeting)
    assert error.value.exit_code == 2
    assert "does not start with a database role that can write" in error.value.message
    assert reason in error.value.message
    assert len(error.value.message.splitlines()) == 1


def test_a_role_taken_on_connecting_does_not_hide_the_session_s(
    server: str, database: psycopg.Connection
) -> None:
    """RESET ROLE would give the superuser back."""
    database.execute(b"ALTER ROLE platform IN DATABASE platform SET role TO auditor")
    with (
        pytest.raises(AuditUnavailable, match="platform is a superuser"),
        open_snapshot(url(server, "platform")),
    ):
        pass


@pytest.mark.parametrize(
    ("pose", "reason"),
    [
        (
            "ALTER TABLE ballots ENABLE ROW LEVEL SECURITY",
            "ballots in the platform's database has row security",
        ),
        (
            """ALTER TABLE ballots RENAME TO kept;
            CREATE VIEW ballots AS SELECT * FROM kept WHERE ack_no <> 2;
            GRANT SELECT ON ballots TO auditor""",
            "ballots in the platform's database is a view",
        ),
        (
            """ALTER TABLE sessions RENAME TO kept; CREATE MATERIALIZED VIEW sessions AS SELECT * FROM kept;
            GRANT SELECT ON sessions TO auditor""",
            "sessions in the platform's database is a view",
        ),
        ("DROP TABLE results", "no table results"),
        (
            """CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER other FOREIGN DATA WRAPPER elsewhere;
            CREATE FOREIGN TABLE hidden () INHERITS (ballots) SERVER other""",
            "ballots in the platform's database is a view or a foreign table",
        ),
    ],
)
def test_what_can_hide_rows_is_refused(
    server: str, database: psycopg.Connection, meeting: ChainMeeting, pose: str, reason: str
) -> None:
    database.execute(pose.encode())
    with pytest.raises(AuditUnavailable) as error:
        audit(server, meeting)
    assert reason in error.value.message


def test_the_documented_grants_are_these() -> None:
    text_of_docs = (Path(__file__).parents[2] / "docs" / "verification.md").read_text("utf-8")
    assert " ".join(GRANTS.split()) in " ".join(text_of_docs.split())
