"""Reconciliation on real SQLite files: each kind of disagreement is found and named, and nothing else."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.errors import AuditUnavailable
from auditor.platform_rows import PlatformRows
from auditor.reconcile import Reconciliation, reconcile
from auditor.snapshot import open_snapshot
from auditor.view import ChainBallot, ChainMeeting, ChainSession

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = """
CREATE TABLE ballots (id INTEGER PRIMARY KEY, mtg TEXT, sub TEXT, seq INTEGER, digest TEXT, jws TEXT,
  choices TEXT, claims TEXT, ses TEXT, door TEXT, ack_no INTEGER, ack_time TEXT, ack_jws TEXT, status TEXT,
  code TEXT, tx TEXT, block INTEGER, created_at TEXT);
CREATE TABLE sessions (ses TEXT PRIMARY KEY, sub TEXT, x5t TEXT, institution TEXT, mtg TEXT, method TEXT,
  outcome TEXT, commitment TEXT, issued_at TEXT, expires_at TEXT, act TEXT, status TEXT);
CREATE TABLE meetings (mtg TEXT PRIMARY KEY, record TEXT, mh TEXT, channel TEXT, state TEXT);
CREATE TABLE results (mtg TEXT PRIMARY KEY, result TEXT);
"""
HEIGHT = 10


def ballot(number: int) -> ChainBallot:
    return ChainBallot(
        digest=f"digest-{number}",
        sub=f"sub-{number}",
        seq=1,
        jws=f"jws-{number}",
        choices='{"m1":"approve"}',
        claims='[{"class":"a","fen":100}]',
        ses=f"ses-{number}",
        door="AssociationMSP",
        ack_no=number,
        ack_time="2026-01-02T00:00:00Z",
        tx=f"tx-{number}",
        block=number,
    )


def session(number: int) -> ChainSession:
    return ChainSession(
        f"ses-{number}",
        f"sub-{number}",
        "x5t",
        "InstitutionAMSP",
        "m",
        "face-v1",
        "accept",
        "c",
        "2026-01-01T00:00:00Z",
        "2026-01-03T00:00:00Z",
    )


@pytest.fixture
def meeting() -> ChainMeeting:
    ballots = [ballot(number) for number in (1, 2, 3)]
    return ChainMeeting(
        mtg="m",
        channel="arbitration-institutiona",
        record="{}",
        mh="mh",
        state="closed",
        result='{"ballots":3}',
        accepted={one.digest: one for one in ballots},
        sessions={one.ses: session(index) for index, one in enumerate(ballots, 1)},
        numbers={"AssociationMSP": {1, 2, 3}},
    )


@pytest.fixture
def database(tmp_path: Path, meeting: ChainMeeting) -> Path:
    path = tmp_path / "platform.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(SCHEMA)
        for one in meeting.accepted.values():
            insert(connection, one)
        for other in meeting.sessions.values():
            values = [getattr(other, name) for name in ChainSession.__slots__]
            marks = ",".join("?" * len(values))
            connection.execute(f"INSERT INTO sessions VALUES ({marks}, 'recorded')", values)  # noqa: S608
        connection.execute(
            "INSERT INTO meetings VALUES ('m', '{}', 'mh', 'arbitration-institutiona', 'closed')"
        )
        connection.execute("INSERT INTO results VALUES ('m', ?)", (meeting.result,))
    connection.close()
    return path


def insert(connection: sqlite3.Connection, one: ChainBallot, status: str = "committed") -> None:
    names = [name for name in ChainBallot.__slots__ if name != "code"]
    marks = ",".join("?" * len(names))
    statement = f"INSERT INTO ballots (mtg, status, {','.join(names)}) VALUES ('m', ?, {marks})"  # noqa: S608
    connection.execute(
        statement,
        [status, *(getattr(one, name) for name in names)],
    )


def change(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount == 1
    connection.close()


def add(path: Path, one: ChainBallot, status: str = "committed") -> None:
    with sqlite3.connect(path) as connection:
        insert(connection, one, status)
    connection.close()


def audit(path: Path, meeting: ChainMeeting, height: int = HEIGHT) -> Reconciliation:
    with open_snapshot(f"sqlite:///{path}") as (connection, _):
        return reconcile(meeting, PlatformRows(connection), settled_height=height, own_door="RegulatorMSP")


def found(path: Path, meeting: ChainMeeting) -> list[tuple[str, str, str, str, str]]:
    return [
        (one.kind, one.ballot, one.field, one.chain, one.platform)
        for one in audit(path, meeting).discrepancies
    ]


def test_agreement(database: Path, meeting: ChainMeeting) -> None:
    assert audit(database, meeting) == Reconciliation((), rows=3, pending=0)


@pytest.mark.parametrize(
    ("field", "chain", "platform"),
    [
        ("choices", '{"m1":"approve"}', '{"m1":"reject"}'),
        ("claims", '[{"class":"a","fen":100}]', "[]"),
        ("sub", "sub-2", "sub-9"),
        ("seq", "1", "2"),
        ("jws", "jws-2", "jws-9"),
        ("ses", "ses-2", "ses-9"),
        ("door", "AssociationMSP", "RegulatorMSP"),
        ("ack_time", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("tx", "tx-2", "tx-9"),
        ("block", "2", "9"),
        ("digest", "digest-2", "digest-9"),
        ("ack_no", "2", "7"),
        ("status", "committed", "refused"),
    ],
)
def test_altered(database: Path, meeting: ChainMeeting, field: str, chain: str, platform: str) -> None:
    change(database, f"UPDATE ballots SET {field} = '{platform}' WHERE digest = 'digest-2'")  # noqa: S608
    # A row that is moved to another door or session leaves nothing else unaccounted for.
    assert found(database, meeting) == [("altered", "digest-2", field, chain, platform)]


def test_missing(database: Path, meeting: ChainMeeting) -> None:
    change(database, "DELETE FROM ballots WHERE digest = 'digest-2'")
    assert found(database, meeting) == [("missing", "digest-2", "row", "jws-2", "")]


def test_a_ballot_after_the_snapshot_is_pending(database: Path, meeting: ChainMeeting) -> None:
    change(database, "DELETE FROM ballots WHERE digest = 'digest-3'")
    assert audit(database, meeting, height=3) == Reconciliation((), rows=2, pending=1)


def test_a_ballot_of_the_own_door_needs_no_row(database: Path, meeting: ChainMeeting) -> None:
    meeting.accepted["digest-4"] = replace(ballot(4), door="RegulatorMSP", ses="ses-1")
    assert found(database, meeting) == []


def test_extra(database: Path, meeting: ChainMeeting) -> None:
    add(database, replace(ballot(4), ses="ses-1"))
    assert found(database, meeting) == [("extra", "digest-4", "row", "", "jws-4")]


def test_duplicated(database: Path, meeting: ChainMeeting) -> None:
    add(database, replace(ballot(2), digest="digest-2b"))
    assert found(database, meeting) == [("duplicated", "digest-2", "row", "", "jws-2")]


def test_duplicated_digest(database: Path, meeting: ChainMeeting) -> None:
    add(database, ballot(2))
    assert found(database, meeting) == [("duplicated", "digest-2", "digest", "digest-2", "digest-2")]


def test_miscounted(database: Path, meeting: ChainMeeting) -> None:
    change(database, """UPDATE results SET result = '{"ballots":4}'""")
    assert found(database, meeting) == [("miscounted", "", "result", '{"ballots":3}', '{"ballots":4}')]


@pytest.mark.parametrize("status", ["queued", "submitted"])
def test_in_flight_is_pending_while_open_and_late_after(
    database: Path, meeting: ChainMeeting, status: str
) -> None:
    add(database, ballot(4), status)
    running = replace(meeting, state="open")
    assert audit(database, running) == Reconciliation((), rows=4, pending=1)
    assert found(database, meeting) == [("late", "digest-4", "status", "", status)]


def test_a_refusal_must_be_the_chain_s(database: Path, meeting: ChainMeeting) -> None:
    add(database, ballot(4), "refused")
    change(database, "UPDATE ballots SET code = 'SESSION_USED' WHERE ack_no = 4")
    assert audit(database, replace(meeting, state="open")).pending == 1
    assert audit(database, replace(meeting, state="void")).discrepancies == ()
    assert found(database, meeting) == [("late", "digest-4", "status", "", "refused")]
    meeting.refused["digest-4"] = replace(ballot(4), code="SESSION_USED")
    assert found(database, meeting) == []
    meeting.refused["digest-4"] = replace(ballot(4), code="SESSION_EXPIRED")
    assert found(database, meeting) == [("altered", "digest-4", "code", "SESSION_EXPIRED", "SESSION_USED")]


def test_a_committed_ballot_not_noted_yet_is_pending(database: Path, meeting: ChainMeeting) -> None:
    change(database, "UPDATE ballots SET status = 'submitted', tx = NULL, block = NULL WHERE ack_no = 3")
    for state in ("open", "closed"):
        assert audit(database, replace(meeting, state=state)) == Reconciliation((), rows=3, pending=1)


def test_an_altered_row_in_flight_is_found(database: Path, meeting: ChainMeeting) -> None:
    change(database, "UPDATE ballots SET status = 'submitted', choices = '{}' WHERE ack_no = 3")
    kinds = [(one.kind, one.field) for one in audit(database, replace(meeting, state="open")).discrepancies]
    assert kinds == [("altered", "choices")]


def test_an_acknowledged_ballot_that_vanished(database: Path, meeting: ChainMeeting) -> None:
    meeting.accepted["digest-5"] = replace(ballot(5), ses="ses-1")
    add(database, meeting.accepted["digest-5"])
    meeting.numbers["AssociationMSP"].add(5)
    assert found(database, meeting) == [("missing", "", "ack_no", "", "4")]
    add(database, replace(ballot(4), ses="ses-1"), "refused")  # claimed, but the chain never said so
    assert [one[0] for one in found(database, meeting)] == ["late"]
    meeting.accepted["digest-5"] = replace(meeting.accepted["digest-5"], ack_no=10**15)
    meeting.numbers["AssociationMSP"].add(10**15)
    assert ("missing", "6-999999999999999") in {(one[0], one[4]) for one in found(database, meeting)}


def test_a_number_in_a_refused_entry_claims_no_gap(database: Path, meeting: ChainMeeting) -> None:
    meeting.numbers["AssociationMSP"].add(999)
    assert found(database, meeting) == []


def test_an_altered_session(database: Path, meeting: ChainMeeting) -> None:
    change(database, "UPDATE sessions SET outcome = 'reject' WHERE ses = 'ses-1'")
    assert found(database, meeting) == [("altered", "", "session outcome", "accept", "reject")]


def test_a_missing_session(database: Path, meeting: ChainMeeting) -> None:
    change(database, "DELETE FROM sessions WHERE ses = 'ses-1'")
    assert found(database, meeting) == [("missing", "", "session", "ses-1", "")]


def test_an_invented_session(database: Path, meeting: ChainMeeting) -> None:
    change(
        database,
        "INSERT INTO sessions SELECT 'ses-9', sub, x5t, institution, mtg, method, outcome, commitment,"
        " issued_at, expires_at, act, status FROM sessions WHERE ses = 'ses-1'",
    )
    assert found(database, meeting) == [("extra", "", "session", "", "ses-9")]


def test_an_altered_meeting(database: Path, meeting: ChainMeeting) -> None:
    change(database, "UPDATE meetings SET mh = 'other'")
    assert found(database, meeting) == [("altered", "", "mh", "mh", "other")]


def test_the_snapshot_never_moves_and_never_writes(database: Path, meeting: ChainMeeting) -> None:
    before = database.read_bytes()
    with open_snapshot(f"sqlite:///{database}") as (connection, snapshot):
        change(database, "DELETE FROM ballots WHERE digest = 'digest-2'")
        rows = list(PlatformRows(connection).ballots("m"))
        assert snapshot.same_host
        assert snapshot.method == "VACUUM INTO"
        assert json.loads(json.dumps(snapshot.as_json()))["database"] == str(database)
    assert len(rows) == 3
    assert before != database.read_bytes()


@pytest.mark.parametrize("url", ["sqlite:////nowhere/platform.db", "not a url"])
def test_a_database_that_is_not_there(url: str) -> None:
    with pytest.raises(AuditUnavailable) as error, open_snapshot(url):
        pass
    assert error.value.exit_code == 2
    assert "database" in error.value.message


def test_a_database_without_the_tables(tmp_path: Path, meeting: ChainMeeting) -> None:
    path = tmp_path / "empty.db"
    sqlite3.connect(path).close()
    path.touch()
    with pytest.raises(AuditUnavailable):
        audit(path, meeting)
