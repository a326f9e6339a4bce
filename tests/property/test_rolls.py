"""What holds for every register: exact amounts, whole round trips, every lender once."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from client.encodings.errors import Refused
from client.encodings.ids import MAX_INTEGER
from client.rolls import Entry, Holder, RollError, make_roll, read_claims, read_roll, write_roll
from client.rolls.claims import COLUMNS
from client.rolls.entryline import _escaped, decode_entry, encode_entry
from client.rolls.person import (
    credit_check_character,
    parse_id_no,
    resident_check_digit,
)
from client.rolls.workbook import write_workbook
from client.rolls.yuan import format_yuan, parse_yuan
from tests.property import strategies
from tests.unit.rolls.scene import REGISTER, changed_part

_WORKBOOK = write_workbook(list(csv.reader(io.StringIO(REGISTER))), frozenset({"claim_yuan"}))

XML_PIECES = ("", "<", "&lt;", 'r="', "<c>", "</row>", "\u738b", "<v>9</v>", "\ufffe")
JSON_PIECES = ("", "0", "-", '"', "\\", " ", ",", "A", "\u738b")

one_holder = strategies.holders.map(lambda holders: holders[0])

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


@given(strategies.holders)
def test_a_workbook_reads_as_it_was_written(holders: list[Holder]) -> None:
    rows = list(csv.reader(io.StringIO(register(holders), newline="")))
    assert list(read_claims(write_workbook(rows))) == holders


@given(st.data())
def test_no_altered_workbook_makes_the_reader_stumble(data: st.DataObject) -> None:
    altered = bytearray(_WORKBOOK)
    for place in data.draw(st.lists(st.integers(0, len(altered) - 1), min_size=1, max_size=4)):
        altered[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(RollError):
        read_claims(bytes(altered))


@given(st.data())
def test_no_altered_sheet_makes_the_reader_stumble(data: st.DataObject) -> None:
    def change(text: str) -> str:
        place = data.draw(st.integers(0, len(text)))
        inserted = data.draw(
            st.sampled_from(["", "<", "&lt;", 'r="', "<c>", "</row>", "\u738b", "<v>9</v>", "\ufffe"])
        )
        return text[:place] + inserted + text[place + data.draw(st.integers(0, 8)) :]

    part = data.draw(st.sampled_from(["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"]))
    with contextlib.suppress(RollError):
        read_claims(changed_part(_WORKBOOK, part, change))


def entry_of(holder: Holder) -> Entry:
    (entry,) = make_roll([holder], mtg="m", snapshot=SNAPSHOT).entries
    return entry


@given(
    strategies.holders.map(lambda holders: holders[0]), st.text(max_size=20), st.lists(strategies.motion_ids)
)
def test_a_line_is_read_the_same_with_and_without_its_pattern(
    holder: Holder, name: str, motions: list[str]
) -> None:
    excluded = tuple(sorted(set(motions))[:20])
    entry = entry_of(replace(holder, person=replace(holder.person, name=name), excluded=excluded))
    try:
        line = encode_entry(entry)
    except UnicodeEncodeError:  # a lone surrogate, which no file can hold
        return
    assert decode_entry(line, "m") == _escaped(line, "m") == entry


@given(one_holder, st.data())
def test_an_altered_line_is_read_the_same_with_and_without_its_pattern(
    holder: Holder, data: st.DataObject
) -> None:
    line = encode_entry(entry_of(holder)).decode()
    place = data.draw(st.integers(0, len(line)))
    inserted = data.draw(
        st.one_of(st.sampled_from(["", "0", "-", '"', "\\", " ", ",", "A", "\u738b"]), st.text(max_size=3))
    )
    altered = (line[:place] + inserted + line[place + data.draw(st.integers(0, 3)) :]).encode(
        "utf-8", "replace"
    )
    read: list[Entry | None] = []
    for decode in (decode_entry, _escaped):
        try:
            read.append(decode(altered, "m"))
        except (ValueError, Refused):
            read.append(None)
    assert read[0] == read[1]


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_stumble(data: bytes) -> None:
    with pytest.raises(RollError):
        read_claims(data)
    with pytest.raises(RollError):
        read_claims(b"PK\x03\x04" + data)


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
