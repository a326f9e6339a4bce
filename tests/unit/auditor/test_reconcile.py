"""Reconciliation on real SQLite files: each kind of disagreement is found and named, and nothing else."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.acknowledged import Doors
from auditor.errors import AuditUnavailable
from auditor.platform_rows import PlatformRows
from auditor.reconcile import Reconciliation
from auditor.snapshot import open_snapshot
from tests.unit.auditor import platform_side
from tests.unit.auditor.platform_side import (
    ACK_TIME,
    DOOR,
    NOW,
    OWN_DOOR,
    acknowledge,
    add,
    audit,
    ballot,
    change,
    closed_meeting,
    made_up,
    mutable,
    save,
)

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.view import ChainMeeting

ONE, TWO, THREE, FOUR, FIVE = (ballot(number).digest for number in range(1, 6))
LATER = NOW + 3600


@pytest.fixture
def meeting() -> ChainMeeting:
    return closed_meeting()


@pytest.fixture
def database(tmp_path: Path, meeting: ChainMeeting) -> Path:
    return save(tmp_path / "platform.db", meeting)


def found(path: Path, meeting: ChainMeeting, **terms: Any) -> list[tuple[str, str, str, str, str]]:
    return platform_side.named(audit(path, meeting, **terms))


def test_agreement(database: Path, meeting: ChainMeeting) -> None:
    assert audit(database, meeting) == Reconciliation((), rows=3, pending=0)


def test_a_ballot_that_an_amendment_overtook_may_have_the_claims_of_before(
    database: Path, meeting: ChainMeeting
) -> None:
    before, other = '[{"class":"a","fen":70}]', '[{"class":"a","fen":90}]'
    overtaken = replace(meeting, entitled={"sub-2": frozenset({before, ballot(2).claims})})
    change(database, """UPDATE ballots SET claims = '[{"class":"a","fen":70}]' WHERE ack_no = 2""")
    assert found(database, overtaken) == []
    change(database, """UPDATE ballots SET claims = '[{"class":"a","fen":90}]' WHERE ack_no = 2""")
    assert found(database, overtaken) == [("altered", TWO, "claims", ballot(2).claims, other)]
    change(database, """UPDATE ballots SET claims = '[{"class":"a","fen":70}]' WHERE ack_no = 2""")
    assert found(database, meeting) == [("altered", TWO, "claims", ballot(2).claims, before)]


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
        ("digest", TWO, made_up("nine")),
        ("ack_no", "2", "7"),
        ("status", "committed", "refused"),
    ],
)
def test_altered(database: Path, meeting: ChainMeeting, field: str, chain: str, platform: str) -> None:
    change(database, f"UPDATE ballots SET {field} = '{platform}' WHERE id = 2")  # noqa: S608
    # A row that is moved to another door or session leaves nothing else unaccounted for.
    assert found(database, meeting) == [("altered", TWO, field, chain, platform)]


def test_missing(database: Path, meeting: ChainMeeting) -> None:
    change(database, "DELETE FROM ballots WHERE ack_no = 2")
    assert found(database, meeting) == [("missing", TWO, "row", "jws-2", "")]


def test_a_ballot_after_the_snapshot_is_pending(database: Path, meeting: ChainMeeting) -> None:
    change(database, "DELETE FROM ballots WHERE ack_no = 3")
    assert audit(database, meeting, settled_height=3) == Reconciliation((), rows=2, pending=1)


def test_a_ballot_of_the_own_door_needs_no_row(database: Path, meeting: ChainMeeting) -> None:
    mutable(meeting.accepted)[FOUR] = replace(ballot(4), door=OWN_DOOR, ses="ses-1")
    assert found(database, meeting) == []


def test_a_ballot_at_both_doors_is_no_finding(database: Path, meeting: ChainMeeting) -> None:
    """The platform acknowledged it as its number 2; the own door brought it first, as number 1."""
    mutable(meeting.accepted)[TWO] = replace(
        ballot(2), door=OWN_DOOR, ack_no=1, ack_time="2026-01-01T00:00:00Z"
    )
    assert found(database, meeting) == []
    change(database, "UPDATE ballots SET ack_time = '2026-01-03T00:00:00Z' WHERE id = 2")
    assert [(kind, name) for kind, _, name, *_ in found(database, meeting)] == [("altered", "ack_time")]


@pytest.mark.parametrize(
    ("change_to", "expected"),
    [
        # Number 3 is on the channel already, another ballot's.
        (("3", acknowledge(TWO, 3)), [("duplicated", "ack_no"), ("missing", "ack_no")]),
        # What the door didn't sign accounts for no number.
        (("2", acknowledge(TWO, 2, false=True)), [("altered", "ack_jws"), ("missing", "ack_no")]),
    ],
)
def test_a_number_is_accounted_for_by_what_its_door_signed_once(
    database: Path, meeting: ChainMeeting, change_to: tuple[str, str], expected: list[tuple[str, str]]
) -> None:
    mutable(meeting.accepted)[TWO] = replace(ballot(2), door=OWN_DOOR, ack_no=1)
    mutable(meeting.numbers)[DOOR].discard(2)  # nothing but the row says what became of it
    number, word = change_to
    change(database, f"UPDATE ballots SET ack_no = {number}, ack_jws = '{word}' WHERE id = 2")  # noqa: S608
    assert [(kind, name) for kind, _, name, *_ in found(database, meeting)] == expected


def test_a_door_that_there_is_not_gave_no_word(database: Path, meeting: ChainMeeting) -> None:
    mutable(meeting.accepted)[TWO] = replace(ballot(2), door=OWN_DOOR, ack_no=1)
    word = acknowledge(TWO, 2, door="InventedMSP")
    change(database, f"UPDATE ballots SET door = 'InventedMSP', ack_jws = '{word}' WHERE id = 2")  # noqa: S608
    assert ("altered", TWO, "door", DOOR, "InventedMSP") in found(database, meeting)


def test_extra(database: Path, meeting: ChainMeeting) -> None:
    add(database, replace(ballot(4), ses="ses-1"), ack_jws=acknowledge(FOUR, 4, false=True))
    assert found(database, meeting) == [("extra", FOUR, "row", "", "jws-4")]


def test_duplicated(database: Path, meeting: ChainMeeting) -> None:
    add(database, ballot(2), digest=made_up("2b"))
    assert found(database, meeting) == [("duplicated", TWO, "row", "", "jws-2")]


def test_duplicated_digest(database: Path, meeting: ChainMeeting) -> None:
    add(database, ballot(2))
    assert found(database, meeting) == [("duplicated", TWO, "digest", TWO, TWO)]


@pytest.mark.parametrize("status", ["queued", "submitted"])
def test_in_flight_is_pending_while_open_and_late_after(
    database: Path, meeting: ChainMeeting, status: str
) -> None:
    add(database, replace(ballot(4), ses="ses-1"), status)
    running = replace(meeting, state="open")
    assert audit(database, running) == Reconciliation((), rows=4, pending=1)
    assert found(database, meeting) == [("late", FOUR, "status", "", status)]


def test_a_refusal_must_be_the_chain_s(database: Path, meeting: ChainMeeting) -> None:
    add(database, replace(ballot(4), ses="ses-1"), "refused")
    change(database, "UPDATE ballots SET code = 'SESSION_USED' WHERE ack_no = 4")
    assert audit(database, replace(meeting, state="open")).pending == 1
    assert audit(database, replace(meeting, state="void")).discrepancies == ()
    assert found(database, meeting) == [("late", FOUR, "status", "", "refused")]
    mutable(meeting.refused)[FOUR] = replace(ballot(4), ses="ses-1", code="SESSION_USED")
    assert found(database, meeting) == []
    mutable(meeting.refused)[FOUR] = replace(ballot(4), ses="ses-1", code="SESSION_EXPIRED")
    assert found(database, meeting) == [("altered", FOUR, "code", "SESSION_EXPIRED", "SESSION_USED")]


def test_a_committed_ballot_not_noted_yet_is_pending(database: Path, meeting: ChainMeeting) -> None:
    change(database, "UPDATE ballots SET status = 'submitted', tx = NULL, block = NULL WHERE ack_no = 3")
    for state in ("open", "closed"):
        assert audit(database, replace(meeting, state=state)) == Reconciliation((), rows=3, pending=1)


def test_an_altered_row_in_flight_is_found(database: Path, meeting: ChainMeeting) -> None:
    change(database, "UPDATE ballots SET status = 'submitted', choices = '{}' WHERE ack_no = 3")
    kinds = [(one.kind, one.field) for one in audit(database, replace(meeting, state="open")).discrepancies]
    assert kinds == [("altered", "choices")]


def test_an_acknowledged_ballot_that_vanished(database: Path, meeting: ChainMeeting) -> None:
    mutable(meeting.accepted)[FIVE] = replace(ballot(5), ses="ses-1")
    add(database, meeting.accepted[FIVE])
    mutable(meeting.numbers)[DOOR].add(5)
    assert found(database, meeting) == [("missing", "", "ack_no", "", "4")]
    add(database, replace(ballot(4), ses="ses-1"), "refused")  # claimed, but the chain never said so
    assert [one[0] for one in found(database, meeting)] == ["late"]
    mutable(meeting.accepted)[FIVE] = replace(meeting.accepted[FIVE], ack_no=10**15)
    mutable(meeting.numbers)[DOOR].add(10**15)
    assert ("missing", "6-999999999999999") in {(one[0], one[4]) for one in found(database, meeting)}


def test_a_number_in_a_refused_entry_claims_no_gap(database: Path, meeting: ChainMeeting) -> None:
    mutable(meeting.numbers)[DOOR].add(999)
    assert found(database, meeting) == []


def test_the_snapshot_never_moves_and_never_writes(database: Path, meeting: ChainMeeting) -> None:
    before = database.read_bytes()
    with open_snapshot(f"sqlite:///{database}") as (connection, snapshot):
        change(database, "DELETE FROM ballots WHERE ack_no = 2")
        rows = [row for chunk in PlatformRows(connection).ballots("m") for row in chunk]
        assert snapshot.same_host
        assert snapshot.method == "VACUUM INTO"
        assert json.loads(json.dumps(snapshot.as_json()))["database"] == str(database)
    assert len(rows) == 3
    assert before != database.read_bytes()


@pytest.mark.parametrize("url", ["sqlite:////nowhere/platform.db", "not a url", "postgresql://host:port/db"])
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


def test_a_ballot_whose_session_the_platform_does_not_know(database: Path, meeting: ChainMeeting) -> None:
    change(database, "DELETE FROM sessions WHERE ses = 'ses-2'")
    assert found(database, meeting) == [("without session", TWO, "session", "ses-2", "")]
    # Ballots from after the snapshot may have sessions from after it.
    assert found(database, meeting, settled_height=2) == []


def test_a_ballot_on_its_way_whose_session_nobody_recorded(database: Path, meeting: ChainMeeting) -> None:
    add(database, ballot(4), "queued")
    running = replace(meeting, state="open")
    assert found(database, running) == [("without session", FOUR, "session", "", "ses-4")]


def test_on_its_way_past_its_deadline(database: Path, meeting: ChainMeeting) -> None:
    running = replace(meeting, state="open")
    add(database, replace(ballot(4), ses="ses-1"), "queued")
    assert found(database, running) == []
    assert found(database, running, now=LATER) == [("pending", FOUR, "status", "", "queued")]
    # A void meeting owes nobody a verdict.
    assert found(database, replace(meeting, state="void"), now=LATER) == []


def test_a_committed_ballot_that_is_never_noted(database: Path, meeting: ChainMeeting) -> None:
    change(database, "UPDATE ballots SET status = 'queued' WHERE ack_no = 3")
    assert found(database, meeting, now=LATER) == [("pending", THREE, "status", "committed", "queued")]
    # It may have come to the chain only just now.
    assert audit(database, meeting, now=LATER, settled_height=3).pending == 1


def test_a_row_that_should_have_been_there_since_the_acknowledgement(
    database: Path, meeting: ChainMeeting
) -> None:
    change(database, "DELETE FROM ballots WHERE ack_no = 3")
    assert found(database, meeting, settled_height=3, now=LATER) == [("missing", THREE, "row", "jws-3", "")]


def test_a_receipt_whose_ballot_never_came(database: Path, meeting: ChainMeeting) -> None:
    """The platform says committed and its own door signed for it: no mere invention of a row."""
    add(database, replace(ballot(4), ses="ses-1"))
    assert found(database, meeting) == [("receipt without ballot", FOUR, "ack_no", "", "4")]


def test_a_receipt_of_a_ballot_that_was_replaced(database: Path, meeting: ChainMeeting) -> None:
    """The row was overwritten by another ballot; the acknowledgement still names the first."""
    change(database, f"UPDATE ballots SET ack_jws = '{acknowledge(FIVE, 7)}' WHERE ack_no = 2")  # noqa: S608
    assert found(database, meeting) == [("receipt without ballot", FIVE, "ack_no", "", "7")]


@pytest.mark.parametrize(
    ("stored", "code"),
    [
        (acknowledge(TWO, 2, false=True), "SIGNATURE_INVALID"),
        (acknowledge(TWO, 2, x5t=made_up("another")), "KEY_FOREIGN"),
        ("", "JWS_FORMAT"),
        (acknowledge(TWO, 2)[:-1], "JWS_FORMAT"),
    ],
)
def test_an_acknowledgement_that_is_not_genuine(
    database: Path, meeting: ChainMeeting, stored: str, code: str
) -> None:
    change(database, f"UPDATE ballots SET ack_jws = '{stored}' WHERE ack_no = 2")  # noqa: S608
    (finding,) = audit(database, meeting).discrepancies
    assert (finding.kind, finding.ballot, finding.field) == ("altered", TWO, "ack_jws")
    assert finding.platform == stored
    assert finding.detail.startswith(code)
    # Before a door brings anything to the channel nobody knows its keys; the form is checked all the same.
    blind = audit(database, meeting, doors=Doors({}))
    assert (blind.unverified, len(blind.discrepancies)) == ((2, 1) if code == "JWS_FORMAT" else (3, 0))


@pytest.mark.parametrize(
    ("stored", "chain", "platform"),
    [
        (acknowledge(ONE, 1), TWO, ONE),  # another ballot's
        (acknowledge(FIVE, 5, mtg="other"), TWO, FIVE),  # another meeting's
        (acknowledge(TWO, 9), "2", "9"),
        (acknowledge(TWO, 2, time="2026-01-01T00:00:00Z"), ACK_TIME, "2026-01-01T00:00:00Z"),
    ],
)
def test_an_acknowledgement_of_something_else(
    database: Path, meeting: ChainMeeting, stored: str, chain: str, platform: str
) -> None:
    change(database, f"UPDATE ballots SET ack_jws = '{stored}' WHERE ack_no = 2")  # noqa: S608
    assert found(database, meeting) == [("altered", TWO, "ack_jws", chain, platform)]


def test_a_row_on_its_way_is_held_to_its_acknowledgement(database: Path, meeting: ChainMeeting) -> None:
    word = acknowledge(FOUR, 4)
    add(database, replace(ballot(4), ses="ses-1", ack_time="2026-01-02T00:04:00Z"), "queued", ack_jws=word)
    running = replace(meeting, state="open")
    assert found(database, running) == [
        ("altered", FOUR, "ack_time", ACK_TIME, "2026-01-02T00:04:00Z"),
    ]


def test_digests_that_were_swapped(database: Path, meeting: ChainMeeting) -> None:
    change(
        database,
        "UPDATE ballots SET digest = 'x' WHERE id = 1",
        f"UPDATE ballots SET digest = '{ONE}' WHERE id = 2",  # noqa: S608
        f"UPDATE ballots SET digest = '{TWO}' WHERE id = 1",  # noqa: S608
    )
    assert sorted(found(database, meeting)) == sorted(
        [("altered", ONE, "digest", ONE, TWO), ("altered", TWO, "digest", TWO, ONE)]
    )


def test_a_digest_copied_over_another(database: Path, meeting: ChainMeeting) -> None:
    change(database, f"UPDATE ballots SET digest = '{ONE}' WHERE id = 3")  # noqa: S608
    assert found(database, meeting) == [("altered", THREE, "digest", THREE, ONE)]


def test_a_row_that_kept_nothing_but_its_digest(database: Path, meeting: ChainMeeting) -> None:
    change(database, "UPDATE ballots SET sub = 'x', seq = 9, jws = 'y', ack_no = 77 WHERE id = 2")
    assert {(one[0], one[2]) for one in found(database, meeting)} == {
        ("altered", name) for name in ("sub", "seq", "jws", "ack_no")
    }


@pytest.mark.parametrize("digest", ["NULL", "x'ff00'", "17", "CAST(x'fffe' AS TEXT)", "'~'", "''"])
def test_digests_of_any_type_and_order(database: Path, meeting: ChainMeeting, digest: str) -> None:
    change(database, f"UPDATE ballots SET digest = {digest} WHERE id = 2")  # noqa: S608
    ((kind, ballot_, field, chain, _),) = found(database, meeting)
    assert (kind, ballot_, field, chain) == ("altered", TWO, "digest", TWO)


def test_the_last_block_is_asked_of_the_database(database: Path) -> None:
    with open_snapshot(f"sqlite:///{database}") as (connection, _):
        rows = PlatformRows(connection)
        assert [rows.last_block(mtg) for mtg in ("m", "other")] == [3, -1]
    change(database, "UPDATE ballots SET block = 'rubbish' WHERE id = 3")
    with open_snapshot(f"sqlite:///{database}") as (connection, _):
        assert PlatformRows(connection).last_block("m") == 2


@pytest.mark.parametrize(
    "pose",
    ["CREATE VIEW results AS SELECT * FROM kept", "CREATE VIRTUAL TABLE results USING fts5(mtg, result)"],
)
def test_a_view_in_the_place_of_a_table(database: Path, meeting: ChainMeeting, pose: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("ALTER TABLE results RENAME TO kept")
        connection.execute(pose)
    connection.close()
    with pytest.raises(AuditUnavailable, match="results in the platform's database is a view"):
        audit(database, meeting)
