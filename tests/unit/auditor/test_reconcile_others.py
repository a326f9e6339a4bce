"""Reconciliation of what is no ballot: the meeting's copy, its result, its identity checks."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.auditor import platform_side
from tests.unit.auditor.platform_side import NOW, audit, ballot, change, closed_meeting, mutable, save

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.view import ChainMeeting

ONE = ballot(1).digest


@pytest.fixture
def meeting() -> ChainMeeting:
    return closed_meeting()


@pytest.fixture
def database(tmp_path: Path, meeting: ChainMeeting) -> Path:
    return save(tmp_path / "platform.db", meeting)


def found(path: Path, meeting: ChainMeeting, **terms: Any) -> list[tuple[str, str, str, str, str]]:
    return platform_side.named(audit(path, meeting, **terms))


def test_miscounted(database: Path, meeting: ChainMeeting) -> None:
    change(database, """UPDATE results SET result = '{"ballots":4}'""")
    assert found(database, meeting) == [("miscounted", "", "result", '{"ballots":3}', '{"ballots":4}')]


def test_an_altered_session(database: Path, meeting: ChainMeeting) -> None:
    change(database, "UPDATE sessions SET outcome = 'reject' WHERE ses = 'ses-1'")
    assert found(database, meeting) == [("altered", "", "session outcome", "accept", "reject")]


def test_a_missing_session(database: Path, meeting: ChainMeeting) -> None:
    change(database, "DELETE FROM sessions WHERE ses = 'ses-1'")
    assert found(database, meeting) == [("without session", ONE, "session", "ses-1", "")]


def test_an_invented_session(database: Path, meeting: ChainMeeting) -> None:
    change(
        database,
        "INSERT INTO sessions SELECT 'ses-9', sub, x5t, institution, mtg, method, outcome, commitment,"
        " issued_at, expires_at, act, status FROM sessions WHERE ses = 'ses-1'",
    )
    assert found(database, meeting) == [("extra", "", "session", "", "ses-9")]


def test_an_altered_meeting(database: Path, meeting: ChainMeeting) -> None:
    change(database, "UPDATE meetings SET mh = 'other'")
    assert found(database, meeting) == [("altered", "", "mh", meeting.mh, "other")]


def test_an_unused_session_without_a_row(database: Path, meeting: ChainMeeting) -> None:
    mutable(meeting.sessions)["ses-9"] = platform_side.session(9)
    assert found(database, meeting) == [("missing", "", "session", "ses-9", "")]
    assert found(database, meeting, settled_sessions=3) == []


@pytest.mark.parametrize(
    ("status", "now", "seen"), [("refused", NOW, 1), ("prepared", 0, 0), ("prepared", NOW, 1)]
)
def test_a_session_that_the_platform_did_not_note(
    database: Path, meeting: ChainMeeting, status: str, now: int, seen: int
) -> None:
    change(database, f"UPDATE sessions SET status = '{status}' WHERE ses = 'ses-1'")  # noqa: S608
    expected = [("altered", "", "session status", "recorded", status)] * seen
    assert found(database, meeting, now=now) == expected


@pytest.mark.parametrize(
    ("table", "altered", "expected"),
    [
        ("meetings", "mh = 'other'", [("altered", "", "mh"), ("duplicated", "", "meeting")]),
        ("meetings", "state = state", [("duplicated", "", "meeting")]),
        ("results", "result = '{}'", [("duplicated", "", "result"), ("miscounted", "", "result")]),
        (
            "sessions",
            "outcome = 'reject'",
            [("altered", "", "session outcome"), ("duplicated", "", "session")],
        ),
    ],
)
def test_a_second_row_is_named_and_compared(
    database: Path, meeting: ChainMeeting, table: str, altered: str, expected: list[tuple[str, str, str]]
) -> None:
    """A file without the platform's keys can hold two rows where there is one thing."""
    one = "ses = 'ses-1'" if table == "sessions" else "mtg = 'm'"
    with sqlite3.connect(database) as connection:
        connection.executescript(
            f"""CREATE TABLE free AS SELECT * FROM {table}; DROP TABLE {table};
            ALTER TABLE free RENAME TO {table};
            CREATE TABLE added AS SELECT * FROM {table} WHERE {one}; UPDATE added SET {altered};
            INSERT INTO {table} SELECT * FROM added"""  # noqa: S608  names of our own
        )
    connection.close()
    assert [one[:3] for one in found(database, meeting)] == expected
