"""What helpers verified ahead spares looking, and hides nothing: the findings are those of looking at all."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from auditor.acknowledged import Doors
from auditor.platform_rows import BallotRow, SessionRow
from auditor.view import ChainBallot, ChainSession
from client.encodings.acknowledgement import Acknowledgement, sign_acknowledgement
from tests.unit.auditor.platform_side import (
    ACK_TIME,
    DOOR,
    KEY,
    MH,
    OWN_DOOR,
    X5T,
    Beforehand,
    acknowledge,
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

TWO = ballot(2).digest
WORD = Acknowledgement(MH, "m", TWO, DOOR, 2, ACK_TIME)


@pytest.fixture
def meeting() -> ChainMeeting:
    return closed_meeting()


@pytest.fixture
def database(tmp_path: Path, meeting: ChainMeeting) -> Path:
    return save(tmp_path / "platform.db", meeting)


def known_doors() -> Doors:
    return Doors({DOOR: {X5T: KEY.public_key()}})


def fields_found(database: Path, meeting: ChainMeeting) -> list[tuple[str, str]]:
    """Return what is found, the same with helpers and without."""
    ahead = audit(database, meeting, doors=known_doors(), helpers=Beforehand())
    assert ahead == audit(database, meeting, doors=known_doors())
    return [(one.kind, one.field) for one in ahead.discrepancies]


def test_of_rows_that_agree_nothing_is_left_to_verify(database: Path, meeting: ChainMeeting) -> None:
    doors = known_doors()
    assert audit(database, meeting, doors=doors, helpers=Beforehand()).discrepancies == ()
    assert doors.facts.known == 3


@pytest.mark.parametrize("name", [one.name for one in fields(BallotRow) if one.name not in ("row", "code")])
@pytest.mark.parametrize("value", ["'other'", "NULL", "9", "x'39'", "2.5"])
def test_each_value_alone(database: Path, meeting: ChainMeeting, name: str, value: str) -> None:
    change(database, f"UPDATE ballots SET {name} = {value} WHERE id = 2")  # noqa: S608
    assert name in {field for _, field in fields_found(database, meeting)}


@pytest.mark.parametrize("name", [one.name for one in fields(SessionRow) if one.name != "mtg"])
def test_each_value_of_a_session_alone(database: Path, meeting: ChainMeeting, name: str) -> None:
    change(database, f"UPDATE sessions SET {name} = 'other' WHERE ses = 'ses-2'")  # noqa: S608
    expected = {"ses": ("extra", "session")}.get(name, ("altered", f"session {name}"))
    assert expected in fields_found(database, meeting)


@pytest.mark.parametrize(
    "said",
    [
        {"mh": made_up("another")},
        {"mtg": "another"},
        {"digest": made_up("another")},
        {"door": OWN_DOOR},
        {"no": 3},
        {"time": "2026-01-02T00:00:01Z"},
    ],
)
def test_each_member_of_an_acknowledgement_alone(
    database: Path, meeting: ChainMeeting, said: dict[str, object]
) -> None:
    word = sign_acknowledgement(replace(WORD, **said), X5T, KEY).compact  # type: ignore[arg-type]
    change(database, f"UPDATE ballots SET ack_jws = '{word}' WHERE id = 2")  # noqa: S608
    kind, name = ("receipt without ballot", "ack_no") if "digest" in said else ("altered", "ack_jws")
    unverified = "door" in said  # of that door nobody knows a key, so the content says it
    assert fields_found(database, meeting) == [(kind, name)]
    assert audit(database, meeting, doors=known_doors()).unverified == unverified


def test_a_false_signature(database: Path, meeting: ChainMeeting) -> None:
    false = acknowledge(TWO, 2, false=True)
    change(database, f"UPDATE ballots SET ack_jws = '{false}' WHERE id = 2")  # noqa: S608
    assert fields_found(database, meeting) == [("altered", "ack_jws")]


def test_a_number_given_twice_is_the_later_digest_s(database: Path, meeting: ChainMeeting) -> None:
    """Both came by the own door, and the platform's signed one number for both: in the order of digests."""
    for number in (2, 3):
        held = replace(ballot(number), door=OWN_DOOR, ack_no=number - 1)
        mutable(meeting.accepted)[held.digest] = held
        word = acknowledge(held.digest, 9)
        change(database, f"UPDATE ballots SET ack_no = 9, ack_jws = '{word}' WHERE id = {number}")  # noqa: S608
    last = max(ballot(2).digest, ballot(3).digest)
    found = audit(database, meeting, doors=known_doors(), helpers=Beforehand()).discrepancies
    assert [one.ballot for one in found if one.kind == "duplicated"] == [last]


def test_rows_have_their_values_in_the_chain_s_order() -> None:
    """By which they are compared at once."""
    names = [one.name for one in fields(ChainBallot)]
    assert [one.name for one in fields(BallotRow)][4:] == names[:-1]
    assert [one.name for one in fields(SessionRow)][:-1] == [one.name for one in fields(ChainSession)]
