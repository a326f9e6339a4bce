"""Proofs straight from a file: the same with and without an index, and never one that doesn't hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from client.errors import Negative, UserError
from client.rolls import Roll, RollError, generate_csv, make_roll, prove_from_file, read_claims, write_roll
from client.rolls.claims import COLUMNS
from client.rolls.rollindex import index_path
from tests.unit.rolls.scene import SNAPSHOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def stored(folder: Path, lenders: int) -> tuple[Roll, Path]:
    roll = make_roll(read_claims(generate_csv(lenders, 5)), mtg="m", snapshot=SNAPSHOT)
    path = folder / f"{lenders}.jsonl"
    write_roll(roll, path)
    return roll, path


@pytest.mark.parametrize("lenders", [1, 2, 3, 7, 8, 33])
def test_the_index_gives_the_proof_of_the_whole_roll(tmp_path: Path, lenders: int) -> None:
    roll, path = stored(tmp_path, lenders)
    assert index_path(path).exists()
    for entry in roll.entries:
        assert prove_from_file(path, sub=entry.leaf.sub) == roll.prove(entry.leaf.sub)
        assert prove_from_file(path, id_no=entry.person.id_no.lower()) == roll.prove(entry.leaf.sub)


def test_a_proof_with_the_index_reads_no_other_line(tmp_path: Path) -> None:
    roll, path = stored(tmp_path, 33)
    lines = path.read_bytes().split(b"\n")
    lines[5] = b"x" * len(lines[5])
    path.write_bytes(b"\n".join(lines))
    sub = roll.entries[20].leaf.sub
    assert prove_from_file(path, sub=sub) == roll.prove(sub)
    index_path(path).unlink()
    with pytest.raises(RollError, match="line 6"):
        prove_from_file(path, sub=sub)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: b"x" + data[1:],
        lambda data: data[:16] + b"\xff" * 8 + data[24:],
        lambda data: data[:32] + bytes(32) + data[64:],
    ],
)
def test_an_index_that_does_not_fit_is_passed_over(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    roll, path = stored(tmp_path, 33)
    index_path(path).write_bytes(change(index_path(path).read_bytes()))
    sub = roll.entries[20].leaf.sub
    assert prove_from_file(path, sub=sub) == roll.prove(sub)


def test_an_index_with_other_places_is_refused(tmp_path: Path) -> None:
    roll, path = stored(tmp_path, 33)
    data = bytearray(index_path(path).read_bytes())
    data[64 : 64 + 34 * 8] = bytes(34 * 8)
    index_path(path).write_bytes(data)
    with pytest.raises(RollError, match="doesn't fit the roll file"):
        prove_from_file(path, sub=roll.entries[20].leaf.sub)
    with pytest.raises(RollError, match="doesn't fit the roll file"):
        prove_from_file(path, id_no=roll.entries[20].person.id_no)


def test_an_index_with_other_hashes_proves_nothing(tmp_path: Path) -> None:
    roll, path = stored(tmp_path, 33)
    data = bytearray(index_path(path).read_bytes())
    data[64 + 34 * 8 :] = bytes(len(data) - 64 - 34 * 8)
    index_path(path).write_bytes(data)
    with pytest.raises(Negative, match="another root"):
        prove_from_file(path, sub=roll.entries[20].leaf.sub)


def test_a_changed_claim_is_not_proved(tmp_path: Path) -> None:
    roll, path = stored(tmp_path, 33)
    leaf = roll.entries[20].leaf
    data = path.read_bytes()
    place = data.index(b'"fen":', data.index(leaf.sub.encode())) + 6
    path.write_bytes(data[:place] + (b"8" if data[place : place + 1] != b"8" else b"7") + data[place + 1 :])
    with pytest.raises(Negative, match="another root"):
        prove_from_file(path, sub=leaf.sub)


@pytest.mark.parametrize("indexed", [True, False])
def test_nobody_is_told(tmp_path: Path, *, indexed: bool) -> None:
    _, path = stored(tmp_path, 33)
    if not indexed:
        index_path(path).unlink()
    for sub in ("A" * 22, "x", "", "\u738b"):
        with pytest.raises(UserError, match="not on the roll"):
            prove_from_file(path, sub=sub)
    with pytest.raises(UserError, match="no lender"):
        prove_from_file(path, id_no="E0000000")


@pytest.mark.parametrize("indexed", [True, False])
def test_one_number_on_two_kinds_of_document_needs_the_pseudonym(tmp_path: Path, *, indexed: bool) -> None:
    text = ",".join(COLUMNS) + "\n李,passport,E1234567,,,a,1\n王,other,E1234567,,,a,1\n"
    path = tmp_path / "m.jsonl"
    write_roll(make_roll(read_claims(text.encode()), mtg="m", snapshot=SNAPSHOT), path)
    if not indexed:
        index_path(path).unlink()
    with pytest.raises(UserError, match=r"2 lenders.*--sub"):
        prove_from_file(path, id_no="E1234567")


def test_no_roll_is_told(tmp_path: Path) -> None:
    with pytest.raises(RollError, match="can't be read"):
        prove_from_file(tmp_path / "nowhere.jsonl", sub="x")
    (tmp_path / "empty.jsonl").write_bytes(b"")
    index_path(tmp_path / "empty.jsonl").write_bytes(b"")
    with pytest.raises(RollError, match="no roll file"):
        prove_from_file(tmp_path / "empty.jsonl", sub="x")
