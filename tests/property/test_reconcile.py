"""Random tamperings of a small database: each one named exactly, and as a naive reconciler names them."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.alongside import KEPT, Alongside
from auditor.chain_rows import ChainRows
from client.encodings.acknowledgement import parse_acknowledgement
from client.encodings.errors import Refused
from tests.unit.auditor.platform_side import (
    ACK_TIME,
    DOOR,
    KEY,
    X5T,
    Found,
    acknowledge,
    audit,
    ballot,
    closed_meeting,
    made_up,
    mutable,
    named,
    row_of,
    save,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auditor.view import ChainBallot, ChainMeeting

SIZE = 12
FIELDS = ("sub", "seq", "jws", "choices", "claims", "ses", "door", "ack_no", "ack_time", "tx", "block")
BALLOTS = {number: ballot(number) for number in range(1, SIZE + 1)}
Rows = dict[int, dict[str, Any]]


@dataclass(frozen=True)
class Tampering:
    """One change to the rows of one ballot, and the findings that have to come of it."""

    name: str
    rows: Callable[[int], list[dict[str, Any]]]
    findings: Callable[[int], list[Found]]


def altered(field: str) -> Tampering:
    def value(number: int) -> Any:
        numeric = isinstance(getattr(BALLOTS[number], field), int)
        return 500 + number if numeric else f"false {field} {number}"

    def rows(number: int) -> list[dict[str, Any]]:
        return [row_of(BALLOTS[number]) | {field: value(number)}]

    def findings(number: int) -> list[Found]:
        one = BALLOTS[number]
        return [("altered", one.digest, field, str(getattr(one, field)), str(value(number)))]

    return Tampering(f"altered {field}", rows, findings)


def stored(name: str, word: Callable[[int], str], findings: Callable[[int], list[Found]]) -> Tampering:
    return Tampering(name, lambda number: [row_of(BALLOTS[number], ack_jws=word(number))], findings)


def ack_altered(word: Callable[[int], str]) -> Callable[[int], list[Found]]:
    return lambda number: [("altered", BALLOTS[number].digest, "ack_jws", "", word(number))]


def other(number: int) -> ChainBallot:
    """A ballot beside a voter's own, numbered far beyond the rest and in a session that exists."""
    return replace(ballot(100 + number), ses=f"ses-{number}")


def beside(number: int, row: dict[str, Any]) -> list[dict[str, Any]]:
    return [row_of(BALLOTS[number]), row]


def same_twice(digest: str) -> Found:
    return ("duplicated", digest, "digest", digest, digest)


def forged(number: int) -> str:
    return acknowledge(BALLOTS[number].digest, number, false=True)


def cut(number: int) -> str:
    return acknowledge(BALLOTS[number].digest, number)[1:]


TAMPERINGS = (
    *(altered(field) for field in FIELDS),
    Tampering(
        "altered digest",
        lambda number: [row_of(BALLOTS[number]) | {"digest": made_up(f"false {number}")}],
        lambda number: [
            ("altered", BALLOTS[number].digest, "digest", BALLOTS[number].digest, made_up(f"false {number}"))
        ],
    ),
    Tampering(
        "altered status",
        lambda number: [row_of(BALLOTS[number], "refused")],
        lambda number: [("altered", BALLOTS[number].digest, "status", "committed", "refused")],
    ),
    Tampering(
        "missing",
        lambda number: [],
        lambda number: [("missing", BALLOTS[number].digest, "row", f"jws-{number}", "")],
    ),
    Tampering(
        "the same row twice",
        lambda number: beside(number, row_of(BALLOTS[number])),
        lambda number: [same_twice(BALLOTS[number].digest)],
    ),
    Tampering(
        "a copy under another digest",
        lambda number: beside(number, row_of(BALLOTS[number]) | {"digest": made_up(f"copy {number}")}),
        lambda number: [("duplicated", BALLOTS[number].digest, "row", "", f"jws-{number}")],
    ),
    Tampering(
        "extra",
        lambda number: beside(number, row_of(other(number), ack_jws="")),
        lambda number: [("extra", other(number).digest, "row", "", f"jws-{100 + number}")],
    ),
    Tampering(
        "receipt without ballot",
        lambda number: beside(number, row_of(other(number))),
        lambda number: [("receipt without ballot", other(number).digest, "ack_no", "", str(100 + number))],
    ),
    Tampering(
        "late",
        lambda number: beside(number, row_of(other(number), "queued")),
        lambda number: [("late", other(number).digest, "status", "", "queued")],
    ),
    stored(
        "an acknowledgement of a ballot that is gone",
        lambda number: acknowledge(made_up(f"gone {number}"), 200 + number),
        lambda number: [
            ("receipt without ballot", made_up(f"gone {number}"), "ack_no", "", str(200 + number))
        ],
    ),
    stored("a forged acknowledgement", forged, ack_altered(forged)),
    stored("a cut acknowledgement", cut, ack_altered(cut)),
)
SESSION_GONE, SESSION_ALTERED, SESSION_FALSE = "session gone", "session altered", "session false"
SESSIONS: dict[str, tuple[str, Callable[[int], Found]]] = {
    SESSION_GONE: (
        "DELETE FROM sessions WHERE ses = 'ses-{0}'",
        lambda number: ("without session", BALLOTS[number].digest, "session", f"ses-{number}", ""),
    ),
    SESSION_ALTERED: (
        "UPDATE sessions SET method = 'other' WHERE ses = 'ses-{0}'",
        lambda number: ("altered", "", "session method", "face-v1", "other"),
    ),
    SESSION_FALSE: (
        """INSERT INTO sessions SELECT 'x-{0}', sub, x5t, institution, mtg, method, outcome, commitment,
        issued_at, expires_at, act, status FROM sessions WHERE ses = 'ses-{0}'""",
        lambda number: ("extra", "", "session", "", f"x-{number}"),
    ),
}


def reconciled(
    meeting: ChainMeeting, rows: Sequence[dict[str, Any]], statements: Sequence[str]
) -> list[Found]:
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder) / "platform.db", meeting, rows)
        with sqlite3.connect(path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
        return named(audit(path, meeting))


# -- the naive reconciler: lists, loops, everything in memory ---------------------------------------------


def naive(meeting: ChainMeeting, rows: Sequence[dict[str, Any]]) -> list[Found]:
    """Pair rows with ballots by looking at every pair, for a closed meeting and without its sessions."""
    ballots = list(meeting.accepted.values())
    pairs: list[tuple[dict[str, Any], ChainBallot]] = []
    rest = list(rows)
    for one in ballots:
        own = [row for row in rest if row["digest"] == one.digest and any(kinship(row, one)[:3])]
        if own:
            pairs.append((own[0], one))
            rest = [row for row in rest if row is not own[0]]
    found: list[Found] = []
    for row in rest:
        related = [one for which in (0, 1, 3) for one in ballots if kinship(row, one)[which]]
        free = [one for one in related if all(taken is not one for _, taken in pairs)]
        if free and row["status"] != "refused":
            pairs.append((row, free[0]))
            if row["digest"] != free[0].digest:
                found.append(("altered", free[0].digest, "digest", free[0].digest, row["digest"]))
        else:
            found += alone(row, related)
    for row, one in pairs:
        found += [
            ("altered", one.digest, field, str(getattr(one, field)), str(row[field]))
            for field in FIELDS
            if str(getattr(one, field)) != str(row[field])
        ]
        if row["status"] != "committed":
            found.append(("altered", one.digest, "status", "committed", row["status"]))
        found += acknowledged(row, one)
    found += [
        ("missing", one.digest, "row", one.jws, "")
        for one in ballots
        if all(taken is not one for _, taken in pairs)
    ]
    return sorted(found)


def kinship(row: dict[str, Any], one: ChainBallot) -> tuple[bool, bool, bool, bool]:
    """Say whether a row and a ballot share voter and seq, door and number, JWS, digest."""
    return (
        (row["sub"], str(row["seq"])) == (one.sub, str(one.seq)),
        (row["door"], str(row["ack_no"])) == (one.door, str(one.ack_no)),
        row["jws"] == one.jws,
        row["digest"] == one.digest,
    )


def genuine(compact: str) -> tuple[str, int] | None:
    try:
        signed = parse_acknowledgement(compact)
        signed.verify(KEY.public_key())
    except Refused:
        return None
    assert (signed.jws.x5t, signed.ack.door, signed.ack.time) == (X5T, DOOR, ACK_TIME)
    return signed.ack.digest, signed.ack.no


def alone(row: dict[str, Any], related: list[ChainBallot]) -> list[Found]:
    digest = row["digest"]
    if related and digest == related[0].digest:
        return [("duplicated", digest, "digest", digest, digest)]
    if row["status"] != "committed":
        return [("late", digest, "status", "", row["status"])]
    if related and row["jws"] == related[0].jws:
        return [("duplicated", related[0].digest, "row", "", row["jws"])]
    word = genuine(row["ack_jws"])
    if word is not None and word[0] == digest:
        return [("receipt without ballot", digest, "ack_no", "", str(word[1]))]
    return [("extra", digest, "row", "", row["jws"])]


def acknowledged(row: dict[str, Any], one: ChainBallot) -> list[Found]:
    word = genuine(row["ack_jws"])
    if word is None:
        return [("altered", one.digest, "ack_jws", "", row["ack_jws"])]
    if word[0] != one.digest:
        return [("receipt without ballot", word[0], "ack_no", "", str(word[1]))]
    return []


# -- the properties -------------------------------------------------------------------------------------

NUMBERS = st.permutations(range(1, SIZE + 1))


@given(NUMBERS, st.lists(st.sampled_from(TAMPERINGS), max_size=SIZE), st.randoms(use_true_random=False))
def test_each_tampering_is_named_exactly(numbers: list[int], tamperings: list[Tampering], order: Any) -> None:
    """Any number of tamperings, none to all rows, the rows in any order."""
    meeting = closed_meeting(SIZE)
    applied = dict(zip(numbers, tamperings, strict=False))
    rows = [
        row
        for number, one in BALLOTS.items()
        for row in (applied[number].rows(number) if number in applied else [row_of(one)])
    ]
    order.shuffle(rows)
    found = reconciled(meeting, rows, ())
    assert found == sorted(one for number, what in applied.items() for one in what.findings(number))
    assert found == naive(meeting, rows)


@given(NUMBERS, st.lists(st.sampled_from(sorted(SESSIONS)), max_size=SIZE))
def test_each_tampering_with_sessions_is_named_exactly(numbers: list[int], tamperings: list[str]) -> None:
    meeting = closed_meeting(SIZE)
    applied = list(zip(numbers, tamperings, strict=False))
    statements = [SESSIONS[what][0].format(number) for number, what in applied]
    found = reconciled(meeting, [row_of(one) for one in BALLOTS.values()], statements)
    assert found == sorted(SESSIONS[what][1](number) for number, what in applied)


@given(
    st.permutations(list(BALLOTS.values())),
    st.sets(st.integers(1, SIZE)),
    st.sampled_from(["open", "closing", "closed", "objections", "certified", "void"]),
)
def test_nothing_is_found_in_an_honest_database(
    order: list[ChainBallot], refused: set[int], state: str
) -> None:
    """Rows in any order, some ballots refused on the chain, some still on their way while that is allowed."""
    meeting = replace(closed_meeting(SIZE), state=state)
    for number in refused:
        digest = BALLOTS[number].digest
        taken = mutable(meeting.accepted).pop(digest)
        mutable(meeting.refused)[digest] = replace(taken, code="SESSION_USED")
    rows = [
        row_of(replace(one, code="SESSION_USED"), "refused") if one.ack_no in refused else row_of(one)
        for one in order
    ]
    if not meeting.closed:
        rows.append(row_of(other(1), "queued"))
    assert reconciled(meeting, rows, ()) == []


@given(st.integers(0, 99), st.lists(st.integers(0, 3 * KEPT)), st.integers(100, 2 * KEPT))
@settings(max_examples=20)
def test_reading_alongside_answers_as_looking_up_does(seed: int, strays: list[int], chunk: int) -> None:
    """In any order, of what is there and what isn't, what was asked for before and what never is."""
    held = {str(number): number for number in range(3 * KEPT)}
    order = list(range(3 * KEPT))
    random.Random(seed).shuffle(order)  # noqa: S311
    asked = [str(number) for number in (*sorted(order[: 2 * KEPT]), *strays, *order[:KEPT])]
    alongside = Alongside(held, str)
    for start in range(0, len(asked), chunk):
        keys = asked[start : start + chunk]
        assert alongside.get(keys) == {key: held[key] for key in keys if key in held}


@given(st.lists(st.integers(1, 9), unique=True, min_size=1), st.lists(st.integers(1, 12)))
def test_numbers_end_with_the_last_accepted_one(accepted: list[int], claimed: list[int]) -> None:
    ballots = {one.digest: one for one in map(ballot, accepted)}
    meeting = replace(closed_meeting(0), accepted=ballots, numbers={DOOR: claimed})
    with closing(ChainRows(meeting)) as chain:
        last = max(accepted)
        assert list(chain.numbers(DOOR)) == sorted({*accepted, *(one for one in claimed if one <= last)})
