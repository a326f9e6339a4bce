"""What holds for every register: exact amounts, whole round trips, every lender once."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from client.encodings.ids import MAX_INTEGER
from client.rolls import Holder, RollError, make_roll, read_claims, read_roll, write_roll
from client.rolls.claims import COLUMNS
from client.rolls.person import (
    credit_check_character,
    parse_id_no,
    resident_check_digit,
)
from client.rolls.yuan import format_yuan, parse_yuan
from tests.property import strategies

SNAPSHOT = "2026-01-31T16:00:00Z"


@given(st.integers(1, MAX_INTEGER))
def test_fen_survive_yuan(fen: int) -> None:
    text = format_yuan(fen)
    assert parse_yuan(text) == fen
    assert Decimal(text) * 100 == fen


@given(st.decimals(0, 10**13, allow_nan=False, places=2))
def test_yuan_is_exact(value: Decimal) -> None:
    assume(value > 0)
    for text in {f"{value:f}", f"{value.normalize():f}"}:
        assert parse_yuan(text) == int(value * 100)


@given(st.text("0123456789.-+, e", max_size=12))
def test_only_one_form_of_a_number_is_read(text: str) -> None:
    try:
        fen = parse_yuan(text)
    except ValueError:
        return
    assert Decimal(text) * 100 == fen > 0


@given(st.integers(0, 9999), st.dates(), st.integers(0, 999), st.integers(0, 16), st.integers(1, 9))
def test_a_resident_id_has_one_check_digit(
    region: int, born: object, number: int, place: int, change: int
) -> None:
    first17 = f"99{region:04d}{f'{born}'.replace('-', '')}{number:03d}"
    good = first17 + resident_check_digit(first17)
    assert parse_id_no("resident-id", good) == good
    other = str((int(good[place]) + change) % 10)
    with pytest.raises(ValueError, match="resident-id"):
        parse_id_no("resident-id", good[:place] + other + good[place + 1 :])


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17))
def test_a_credit_code_has_one_check_character(first17: str) -> None:
    good = credit_check_character(first17)
    for character in "0123456789ABCDEFGHJKLMNPQRTUWXY":
        if character == good:
            assert parse_id_no("credit-code", first17 + character)
        else:
            with pytest.raises(ValueError, match="check character"):
                parse_id_no("credit-code", first17 + character)


def register(holders: list[Holder]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for holder in holders:
        for claim in holder.claims:
            writer.writerow((*holder.person.as_json().values(), claim.cls, format_yuan(claim.fen)))
    return text.getvalue()


@given(strategies.holders, st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]))
def test_a_register_reads_as_it_was_written(holders: list[Holder], encoding: str) -> None:
    kind = "gb18030" if encoding == "gb18030" else "utf-8"
    assert list(read_claims(register(holders).encode(encoding), kind)) == holders


@given(strategies.holders, st.data())
def test_a_row_twice_is_always_found(holders: list[Holder], data: st.DataObject) -> None:
    lines = register(holders).splitlines(keepends=True)
    lines.append(data.draw(st.sampled_from(lines[1:])))
    with pytest.raises(RollError, match="same lender"):
        read_claims("".join(lines).encode())


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_stumble(data: bytes) -> None:
    with pytest.raises(RollError):
        read_claims(data)


@given(st.text(max_size=300))
def test_no_row_makes_the_reader_stumble(text: str) -> None:
    with pytest.raises(RollError):
        read_claims(f"{','.join(COLUMNS)}\n{text}\n".encode("utf-8", "replace"))


@given(strategies.holders)
def test_every_lender_is_on_the_roll_once_with_all_they_claim(holders: list[Holder]) -> None:
    roll = make_roll(holders, mtg="m", snapshot=SNAPSHOT)
    assert {entry.person: entry.leaf.claims for entry in roll.entries} == {
        holder.person: holder.claims for holder in holders
    }
    for entry in roll.entries:
        roll.prove(entry.leaf.sub).verify()


@given(strategies.holders)
def test_a_roll_file_gives_the_roll_again(holders: list[Holder]) -> None:
    roll = make_roll(holders, mtg="m", snapshot=SNAPSHOT)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.jsonl"
        write_roll(roll, path)
        assert read_roll(path) == roll
        assert json.loads(path.read_text().splitlines()[0])["roll"] == roll.summary.as_json()
