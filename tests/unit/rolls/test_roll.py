"""Rolls: pseudonyms and salts are random, figures come out again, files are whole or refused."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from client.encodings import merkle
from client.encodings.meeting import meeting_from_json
from client.errors import Negative, UserError
from client.rolls import Roll, RollError, generate_csv, make_roll, read_claims, read_roll, write_roll
from client.rolls.rollindex import index_path
from tests.vectors.scene import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SNAPSHOT = "2026-01-31T16:00:00Z"


def counting() -> Callable[[int], bytes]:
    number = 0

    def random(size: int) -> bytes:
        nonlocal number
        number += 1
        return number.to_bytes(size, "big")

    return random


@pytest.fixture(scope="module")
def roll() -> Roll:
    holders = read_claims(generate_csv(300, 5))
    return make_roll(holders, mtg="a-meeting", snapshot=SNAPSHOT, source_sha256="5a" * 32)


def test_leaves_are_in_the_order_of_pseudonyms(roll: Roll) -> None:
    subs = [leaf.sub for leaf in roll.leaves]
    assert subs == sorted(subs)
    assert len(set(subs)) == roll.summary.size == 300


def test_figures_are_those_of_the_claims(roll: Roll) -> None:
    assert roll.summary.fen == sum(leaf.fen for leaf in roll.leaves)
    assert sum(entry.fen for entry in roll.summary.classes) == roll.summary.fen
    assert roll.summary.root == merkle.Tree(leaf.hash() for leaf in roll.leaves).root
    roll.summary.verify_cap(roll.cap)


def test_a_rolls_summary_fits_a_meetings_record(roll: Roll) -> None:
    value = record("a-meeting", roll.leaves)
    assert value["roll"] == roll.summary.as_json()
    assert meeting_from_json(value).roll == roll.summary


def test_two_imports_have_nothing_in_common() -> None:
    holders = read_claims(generate_csv(20, 5))
    one, two = (make_roll(holders, mtg="m", snapshot=SNAPSHOT) for _ in range(2))
    assert one.summary.root != two.summary.root
    assert not {leaf.sub for leaf in one.leaves} & {leaf.sub for leaf in two.leaves}
    assert not {leaf.salt for leaf in one.leaves} & {leaf.salt for leaf in two.leaves}


def test_randomness_and_pseudonyms_can_be_handed_in() -> None:
    holders = read_claims(generate_csv(20, 5))
    one, two = (make_roll(holders, mtg="m", snapshot=SNAPSHOT, random=counting()) for _ in range(2))
    assert one == two
    known = {entry.person.document: entry.leaf.sub for entry in one.entries}
    third = make_roll(
        holders, mtg="n", snapshot=SNAPSHOT, pseudonyms=lambda people: [known[p.document] for p in people]
    )
    assert {leaf.sub for leaf in third.leaves} == {leaf.sub for leaf in one.leaves}


def test_a_pseudonym_twice_is_refused() -> None:
    holders = read_claims(generate_csv(2, 5))
    with pytest.raises(RollError, match="twice"):
        make_roll(holders, mtg="m", snapshot=SNAPSHOT, pseudonyms=lambda people: ["A" * 22] * len(people))


@pytest.mark.parametrize(("mtg", "snapshot"), [("A Meeting", SNAPSHOT), ("m", "2026-01-31"), ("", SNAPSHOT)])
def test_a_roll_has_a_meeting_and_a_time(mtg: str, snapshot: str) -> None:
    with pytest.raises(UserError):
        Roll(mtg, snapshot, make_roll(read_claims(generate_csv(2, 5)), mtg="m", snapshot=SNAPSHOT).entries)


def test_every_lender_can_prove_their_leaf(roll: Roll) -> None:
    for index, leaf in enumerate(roll.leaves):
        proof = roll.prove(leaf.sub)
        proof.verify()
        assert (proof.index, proof.leaf) == (index, leaf)
        assert json.loads(json.dumps(proof.as_json()))["leaf"]["sub"] == leaf.sub


def test_nobody_proves_anothers_place(roll: Roll) -> None:
    one, two = roll.prove(roll.leaves[0].sub), roll.prove(roll.leaves[1].sub)
    with pytest.raises(merkle.ProofError):
        type(one)(two.leaf, one.index, one.size, one.root, one.path, one.run_path).verify()
    with pytest.raises(UserError, match="not on the roll"):
        roll.prove("A" * 22)
    with pytest.raises(UserError, match="no lender"):
        roll.find("E0000000")


def test_nothing_personal_is_in_a_leaf(roll: Roll) -> None:
    for entry in roll.entries:
        text = entry.leaf.encode().decode()
        assert entry.person.name not in text
        assert entry.person.id_no not in text


def test_a_file_gives_the_same_roll_and_is_private(roll: Roll, tmp_path: Path) -> None:
    path = tmp_path / "rolls" / "a.jsonl"
    write_roll(roll, path)
    assert read_roll(path) == roll
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(index_path(path).stat().st_mode) == 0o600
    assert sorted(item.name for item in path.parent.iterdir()) == ["a.jsonl", "a.jsonl.index"]


def test_a_file_is_not_written_over_by_mistake(roll: Roll, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("something else")
    with pytest.raises(RollError, match="exists already"):
        write_roll(roll, path)
    assert path.read_text() == "something else"
    write_roll(roll, path, replace=True)
    assert read_roll(path) == roll


def test_a_folder_that_cannot_be_written_is_told(roll: Roll, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RollError, match="can't be written"):
        write_roll(roll, tmp_path / "file" / "a.jsonl")


def change_lines(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> Path:
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(change(lines)))
    return path


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        (lambda lines: [*lines[:1], *lines[2:]], Negative, "root comes out"),
        (lambda lines: [*lines[:1], lines[2], lines[1], *lines[3:]], RollError, "out of order"),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], RollError, "twice"),
        (lambda lines: lines[:-1], RollError, "cut off"),
        (lambda lines: lines[1:], RollError, "no roll file"),
        (lambda lines: [lines[0], b"{}", *lines[2:]], RollError, "line 2 is no lender's"),
        (lambda lines: [lines[0], lines[1][:-9], *lines[2:]], RollError, "line 2 is no lender's"),
        (lambda lines: [lines[0], lines[1].replace(b'"phone"', b'"fon"'), *lines[2:]], RollError, "line 2"),
        (lambda lines: [lines[0].replace(b'"fen":', b'"fen":1'), *lines[1:]], Negative, "comes out"),
        (lambda lines: [lines[0].replace(b"T16", b"T17"), *lines[1:]], None, ""),
        (lambda lines: [lines[0].replace(b'"v":2', b'"v":1'), *lines[1:]], RollError, "no roll file"),
        (lambda lines: [lines[0].replace(b'"source":', b'"origin":'), *lines[1:]], RollError, "no roll file"),
        (lambda lines: [lines[0].replace(b'"rows":', b'"row":'), *lines[1:]], RollError, "no roll file"),
        (lambda lines: [lines[0], lines[1].replace(b'":', b'": ', 1), *lines[2:]], RollError, "in the form"),
        (
            lambda lines: [lines[0], lines[1].replace(b'{"sub"', b'{"v":1,"sub"'), *lines[2:]],
            RollError,
            "form",
        ),
        (lambda lines: [lines[0], b"[" * 100_000, *lines[2:]], RollError, "line 2 is no lender's"),
        (lambda lines: [lines[0], lines[1].replace(b'"id_no":"', b'"id_no":" '), *lines[2:]], RollError, "2"),
        (lambda lines: [], RollError, "no roll file"),
    ],
)
def test_a_changed_file_is_found(
    roll: Roll,
    tmp_path: Path,
    change: Callable[[list[bytes]], list[bytes]],
    error: type[Exception] | None,
    reason: str,
) -> None:
    path = tmp_path / "a.jsonl"
    write_roll(roll, path)
    change_lines(path, change)
    if error is None:  # the snapshot is a statement, not a figure: nothing contradicts it
        assert read_roll(path).snapshot == SNAPSHOT.replace("T16", "T17")
        return
    with pytest.raises(error, match=reason):
        read_roll(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RollError, match="can't be read"):
        read_roll(tmp_path / "nowhere.jsonl")
