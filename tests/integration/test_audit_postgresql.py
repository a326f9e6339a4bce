"""The audit reads a real PostgreSQL: in one transaction that does not move and cannot write."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import replace
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
from tests.unit.auditor.test_reconcile import HEIGHT, SCHEMA, ballot
from tests.unit.auditor.test_reconcile import meeting as chain_meeting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.view import ChainMeeting

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
UNPRIVILEGED = "postgres"  # initdb refuses to run as root

pytestmark = pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL's server is not installed")

meeting = chain_meeting


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
    """A connection that may write to the platform's tables, filled as an honest platform fills them."""
    with psycopg.connect(host=server, user="platform", dbname="postgres", autocommit=True) as connection:
        for table in ("ballots", "sessions", "meetings", "results"):
            connection.execute(f"DROP TABLE IF EXISTS {table}".encode())
        connection.execute(SCHEMA.encode())
        for number, one in enumerate(meeting.accepted.values(), 1):
            row = {name: getattr(one, name) for name in type(one).__slots__ if name != "code"}
            insert(connection, "ballots", {"id": number, "mtg": "m", "status": "committed", **row})
        for other in meeting.sessions.values():
            row = {name: getattr(other, name) for name in type(other).__slots__}
            insert(connection, "sessions", {**row, "status": "recorded"})
        record = ("m", "{}", "mh", "arbitration-institutiona", "closed")
        connection.execute(b"INSERT INTO meetings VALUES (%s, %s, %s, %s, %s)", record)
        connection.execute(b"INSERT INTO results VALUES ('m', %s)", (meeting.result,))
        yield connection


def insert(connection: psycopg.Connection, table: str, row: dict[str, object]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    marks = sql.SQL(", ").join(sql.Placeholder() * len(row))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), names, marks)
    connection.execute(statement, list(row.values()))


def url(server: str) -> str:
    return f"postgresql://platform@/postgres?host={server}"


def audit(server: str, meeting: ChainMeeting) -> Reconciliation:
    with open_snapshot(url(server)) as (connection, _):
        return reconcile(meeting, PlatformRows(connection), settled_height=HEIGHT, own_door="RegulatorMSP")


def test_agreement_and_a_changed_row(
    server: str, database: psycopg.Connection, meeting: ChainMeeting
) -> None:
    assert audit(server, meeting) == Reconciliation((), rows=3, pending=0)
    database.execute(b"UPDATE ballots SET choices = '{}' WHERE ack_no = 2")
    assert [(one.kind, one.field, one.platform) for one in audit(server, meeting).discrepancies] == [
        ("altered", "choices", "{}")
    ]


def test_the_snapshot_does_not_move(server: str, database: psycopg.Connection, meeting: ChainMeeting) -> None:
    with open_snapshot(url(server)) as (connection, snapshot):
        assert len(list(PlatformRows(connection).ballots("m"))) == 3
        database.execute(b"DELETE FROM ballots")
        assert len(list(PlatformRows(connection).ballots("m"))) == 3
        assert snapshot.same_host
        assert "platform" in snapshot.database
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
    other = replace(meeting, mtg="other", accepted={"digest-9": replace(ballot(9), ses="ses-9")}, sessions={})
    kinds = {(one.kind, one.field) for one in audit(server, other).discrepancies}
    assert kinds == {
        ("missing", "row"),
        ("missing", "meeting"),
        ("missing", "session"),
        ("missing", "ack_no"),
    }
