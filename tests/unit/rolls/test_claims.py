"""Registers: read whole in three encodings, or refused line by line."""

from __future__ import annotations

import re

import pytest

from client.encodings.leaf import Claim
from client.rolls import RollError, read_claims

HEADER = "name,id_type,id_no,phone,email,class,claim_yuan\n"
LI = "李娜,passport,E1234567,10000000001,li@example.org"
WANG = "王䶮,resident-id,11010519491231002X,,"


def refused(text: str | bytes, encoding: str = "auto") -> RollError:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(RollError) as error:
        read_claims(data, encoding, "register.csv")
    assert "\n" not in error.value.message
    assert error.value.exit_code == 2
    return error.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_register_reads_alike_in_every_encoding(encoding: str, line_end: str) -> None:
    text = f"{HEADER}{LI},individual,1000.5\n{WANG},individual,3\n".replace("\n", line_end)
    one, two = read_claims(text.encode(encoding))
    assert (one.person.name, two.person.name) == ("李娜", "王䶮")
    assert one.claims == (Claim("individual", 100050),)
    assert one.person.phone == "10000000001"


def test_one_person_in_several_classes_is_one_lender() -> None:
    text = f"{HEADER}{LI},wealth-plan,1\n{WANG},individual,2\n{LI},individual,3\n"
    one, two = read_claims(text.encode())
    assert one.claims == (Claim("individual", 300), Claim("wealth-plan", 100))
    assert two.claims == (Claim("individual", 200),)


def test_contacts_left_out_in_one_row_are_taken_from_the_other() -> None:
    text = f"{HEADER}李娜,passport,E1234567,,li@example.org,a,1\n李娜,passport,e1234567,10000000001,,b,1\n"
    (one,) = read_claims(text.encode())
    assert (one.person.phone, one.person.email) == ("10000000001", "li@example.org")


def test_quoted_fields_and_empty_lines_are_csv() -> None:
    text = f'{HEADER}\n"李, 娜",passport,E1234567,,,"individual","3"\n\n'
    assert read_claims(text.encode())[0].person.name == "李, 娜"


@pytest.mark.parametrize(
    ("rows", "line", "column", "reason"),
    [
        (f"{LI},individual,-5", 2, "claim_yuan", "negative"),
        (f"{LI},individual,0", 2, "claim_yuan", "more than zero"),
        (f"{LI},individual,1.005", 2, "claim_yuan", "more than two decimals"),
        (f"{LI},individual,", 2, "claim_yuan", "missing"),
        (f"{LI},Individual,1", 2, "class", "a-z"),
        (f"{LI},all,1", 2, "class", "reserved"),
        (f"{LI},each,1", 2, "class", "reserved"),
        (f"{LI},individual", 2, "", "6 fields where 7"),
        (f"{LI},individual,1,234", 2, "", "8 fields where 7"),
        (f"{LI},a,1\n{LI},a,2", 3, "id_no", "same lender is in line 2"),
        (f"{LI},a,1\n李四,passport,E1234567,,,b,2", 3, "name", "in line 2 with another name"),
        (f"{LI},a,1\n李娜,passport,E1234567,10000000002,,b,2", 3, "phone", "in line 2 with another phone"),
        (f"{LI},a,1\n李娜,passport,E1234567,,la@example.org,b,2", 3, "email", "in line 2 with another email"),
        (f"{LI},a,1\n{WANG},a,1\n王䶮,resident-id,11010519491231002x,,,a,1", 4, "id_no", "is in line 3"),
        ("王五,resident-id,110105194912310021,,,a,1", 2, "id_no", "check digit"),
        ("王五,idcard,110105194912310021,,,a,1", 2, "id_type", "none of resident-id"),
        ("王五,passport,E1234567,12,,a,1", 2, "phone", "telephone"),
        ("王五,passport,E1234567,,nobody,a,1", 2, "email", "e-mail"),
        ("  ,passport,E1234567,,,a,1", 2, "name", "missing"),
        ("王\u200b五,passport,E1234567,,,a,1", 2, "name", "control character"),
        ("王\x07五,passport,E1234567,,,a,1", 2, "name", "control character"),
        ("王" * 101 + ",passport,E1234567,,,a,1", 2, "name", "101 characters"),
        (f'"{LI},a,1', 2, "", "no CSV"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_column(rows: str, line: int, column: str, reason: str) -> None:
    error = refused(HEADER + rows + "\n")
    (fault,) = error.faults
    assert (error.total, fault.line, fault.column) == (1, line, column)
    assert reason in fault.text
    assert error.message.startswith("register.csv: 1 mistake, nothing was imported: line ")


DECISION = "ab" * 32


def with_more(*rows: str, columns: str = "decision,excluded") -> bytes:
    return f"{HEADER.strip()},{columns}\n{chr(10).join(rows)}\n".encode()


def test_disputed_claims_cite_the_decision_that_fixed_them() -> None:
    (holder,) = read_claims(with_more(f"{LI},a,5,{DECISION.upper()},", f"{LI},b,6,,"))
    assert holder.claims == (Claim("a", 500, DECISION), Claim("b", 600))


def test_connected_parties_are_excluded_motion_by_motion() -> None:
    one, two = read_claims(with_more(f"{LI},a,5,,m2; m1", f"{WANG},a,6,,", f"{LI},b,5,,", f"{WANG},b,6,,m1"))
    assert (one.excluded, two.excluded) == (("m1", "m2"), ("m1",))


def test_either_column_may_come_alone() -> None:
    assert (
        read_claims(with_more(f"{LI},a,5,{DECISION}", columns="decision"))[0].claims[0].decision == DECISION
    )
    assert read_claims(with_more(f"{LI},a,5,m1", columns="excluded"))[0].excluded == ("m1",)


@pytest.mark.parametrize(
    ("rows", "line", "column", "reason"),
    [
        ([f"{LI},a,5,abc,"], 2, "decision", "SHA-256 of the decision"),
        ([f"{LI},a,5,,Motion"], 2, "excluded", "names no motions"),
        ([f"{LI},a,5,,m1 m1"], 2, "excluded", "twice"),
        ([f"{LI},a,5,,{' '.join(f'm{n}' for n in range(21))}"], 2, "excluded", "at most 20"),
        ([f"{LI},a,5,,m1", f"{LI},b,5,,m2"], 3, "excluded", "in line 2 with another excluded"),
    ],
)
def test_mistakes_in_the_further_columns_are_told(
    rows: list[str], line: int, column: str, reason: str
) -> None:
    error = refused(with_more(*rows))
    assert [(fault.line, fault.column) for fault in error.faults] == [(line, column)]
    assert reason in error.faults[0].text


def test_twenty_mistakes_are_shown_and_all_are_counted() -> None:
    error = refused(HEADER + f"{LI},individual,-1\n" * 50)
    assert (len(error.faults), error.total) == (20, 50)
    assert [fault.line for fault in error.faults] == list(range(2, 22))
    assert "50 mistakes" in error.message
    assert error.message.endswith("and 30 more")


def test_every_mistake_of_a_row_is_told() -> None:
    assert refused(f"{HEADER},idcard,1,x,y,ALL,-1\n").total == 6


@pytest.mark.parametrize(
    "header",
    [
        "",
        "name\n",
        "name,id_type,id_no,phone,email,class,claim\n",
        HEADER.replace("name,id_type", "id_type,name"),
        HEADER.replace("claim_yuan", "claim_yuan,excluded,decision"),
        '"name',
    ],
)
def test_other_columns_are_refused(header: str) -> None:
    assert re.search("columns|no CSV", refused(f"{header}{LI},a,1\n").message)


@pytest.mark.parametrize("text", [HEADER, HEADER + "\n\n", HEADER.rstrip()])
def test_a_register_without_rows_is_refused(text: str) -> None:
    assert "no claims" in refused(text).message


def test_all_claims_together_have_to_fit() -> None:
    rows = "".join(f"李娜,passport,E123456{n},,,a,90071992547409.91\n" for n in range(2))
    assert "together" in refused(HEADER + rows).message


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (f"{HEADER}{LI},a,1\n".encode("utf-16"), "UTF-16"),
        (f"{HEADER}Müller,passport,E1234567,,,a,1\n".encode("latin-1"), "nor plausibly GB18030"),
        (HEADER.encode() + b"\xff\xff,passport,E1234567,,,a,1\n", "neither"),
        (HEADER.encode() + b"\0", "NUL"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "password"),
        (b"\xef\xbb\xbf" + f"{HEADER}{LI},a,1\n".encode("gb18030"), "not UTF-8: line 2"),
    ],
)
def test_unreadable_text_is_refused(data: bytes, reason: str) -> None:
    assert reason in refused(data).message


def test_an_encoding_that_is_named_is_held_to() -> None:
    assert "not UTF-8" in refused(f"{HEADER}{LI},a,1\n".encode("gb18030"), "utf-8").message
    assert "none of the encodings" in refused(b"", "latin-1").message
    assert len(read_claims(f"{HEADER}{LI},a,1\n".encode("gb18030"), "gb18030")) == 1


def test_a_text_file_has_no_sheets() -> None:
    with pytest.raises(RollError, match="no workbook"):
        read_claims(f"{HEADER}{LI},a,1\n".encode(), sheet="Sheet1")
