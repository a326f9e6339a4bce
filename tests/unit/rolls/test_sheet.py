"""Workbooks: read as the same register as CSV, or refused with row and column."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest

from client.rolls import RollError, generate_csv, generate_xlsx, package, read_claims
from client.rolls.sheet import MAX_COLUMNS, Number, Odd, column_letters, read_sheet
from client.rolls.tables import exact_amount
from client.rolls.workbook import write_workbook, zip_parts
from tests.unit.rolls.scene import REGISTER, changed_part

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def workbook(numbers: frozenset[str] = frozenset({"claim_yuan"})) -> bytes:
    return write_workbook(rows_of(REGISTER), numbers)


def refused(data: bytes, sheet: str | None = None) -> RollError:
    with pytest.raises(RollError) as error:
        read_claims(data, source="r.xlsx", sheet=sheet)
    assert error.value.message.startswith("r.xlsx")
    assert "\n" not in error.value.message
    assert error.value.exit_code == 2
    return error.value


def test_a_workbook_is_the_register_that_csv_is() -> None:
    assert read_claims(workbook()) == read_claims(workbook(frozenset())) == read_claims(REGISTER.encode())
    assert read_claims(generate_xlsx(300, 7)) == read_claims(generate_csv(300, 7))
    assert generate_xlsx(30, 7) == generate_xlsx(30, 7) != generate_xlsx(30, 8)


def test_columns_are_lettered() -> None:
    letters = [column_letters(index) for index in (0, 25, 26, 51, 52, 701, 702)]
    assert letters == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        # The resident id of row 4 as a number: 18 digits would already have become 15.
        (('<c r="C4" t="s">', '<c r="C4">'), "id_no", "cell C4 holds a number, which keeps 15 digits"),
        (('<c r="A4" t="s">', '<c r="A4">'), "name", "cell A4 holds a number"),
        (('<c r="G4">', '<c r="G4"><f>SUM(G2:G3)</f>'), "claim_yuan", "cell G4 has a formula"),
        (('<c r="G4">', '<c r="G4" t="str"><f>A1</f>'), "claim_yuan", "cell G4 has a formula"),
        (('<c r="G4">', '<c r="G4" t="e">'), "claim_yuan", "an error value"),
        (('<c r="G4">', '<c r="G4" t="b">'), "claim_yuan", "a truth value"),
        (('<c r="G4">', '<c r="G4" t="d">'), "claim_yuan", "a date"),
        (('<c r="G4">', '<c r="G4" t="z">'), "claim_yuan", "an unknown kind"),
        (("<v>20000</v>", "<v>20000.123</v>"), "claim_yuan", "more than two decimals"),
        (("<v>20000</v>", "<v>-20000</v>"), "claim_yuan", "negative"),
        (("<v>20000</v>", "<v>1234567890123.4567</v>"), "claim_yuan", "more than 15 digits"),
        (("<v>20000</v>", "<v>1e999</v>"), "claim_yuan", "no number"),
        (("<v>20000</v>", "<v>NaN</v>"), "claim_yuan", "no number"),
        (("<v>20000</v>", "<v>x</v>"), "claim_yuan", "no number"),
        (
            ("</row></sheetData>", '<c r="J5" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'),
            "",
            "10 fields",
        ),
    ],
)
def test_a_bad_cell_is_told_with_row_and_column(change: tuple[str, str], column: str, reason: str) -> None:
    data = changed_part(workbook(), SHEET, lambda text: text.replace(*change))
    error = refused(data)
    assert (error.total, error.faults[0].column) == (1, column)
    assert reason in error.faults[0].text
    assert f"row {error.faults[0].line}" in error.message


def test_empty_rows_and_cells_are_none() -> None:
    def more(text: str) -> str:
        styled = '<row r="6"><c r="A6" s="3"/><c r="G6" s="3"/></row><row r="7"/>'
        return text.replace("</sheetData>", f"{styled}</sheetData>")

    assert read_claims(changed_part(workbook(), SHEET, more)) == read_claims(REGISTER.encode())


def test_a_lender_listed_twice_is_told_by_rows() -> None:
    rows = rows_of(REGISTER)
    assert (
        "row 6, column id_no: the same lender is in row 2"
        in refused(write_workbook([*rows, rows[1]])).message
    )


@pytest.mark.parametrize(
    ("written", "yuan"),
    [
        ("1234.5599999999999", "1234.56"),
        ("1.2E3", "1200"),
        ("9999999999999.99", "9999999999999.99"),
        ("0.1", "0.1"),
        ("100", "100"),
        ("100.0", "100"),
    ],
)
def test_numbers_are_read_as_they_were_typed(written: str, yuan: str) -> None:
    assert exact_amount(written) == yuan


def test_a_mobile_number_may_be_a_number() -> None:
    def as_numbers(text: str) -> str:
        index = text.index('<c r="D2"')
        return text[:index] + '<c r="D2"><v>13800000001</v></c>' + text[text.index("</c>", index) + 4 :]

    data = changed_part(workbook(), SHEET, as_numbers)
    assert read_claims(data)[0].person.phone == "13800000001"
    short = changed_part(data, SHEET, lambda text: text.replace("13800000001", "75512345678"))
    assert "column phone: cell D2 holds a number" in refused(short).message


def test_other_programs_forms_are_read() -> None:
    """Prefixed elements, rich text with its pronunciation, inline strings, no references, empty rows."""
    text = '<si><r><t>name</t></r><rPh sb="0" eb="1"><t>NAME</t></rPh></si><si><t>x</t><phoneticPr/></si>'
    data = zip_parts(
        {
            "_rels/.rels": '<r:Relationships xmlns:r="p"><r:Relationship Id="a" Target="/xl/workbook.xml" '
            'Type="http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument"/></r:Relationships>',
            WORKBOOK: '<x:workbook xmlns:x="m" xmlns:q="o"><x:sheets><x:sheet name="S" q:id="b"/></x:sheets>'
            "</x:workbook>",
            RELATIONS: '<Relationships><Relationship Id="b" Type="o/worksheet" Target="sheets/s.xml"/>'
            '<Relationship Id="c" Type="o/sharedStrings" Target="s.xml"/>'
            '<Relationship Id="d" Type="o/hyperlink" Target="https://example.org" TargetMode="External"/>'
            "</Relationships>",
            "xl/s.xml": f"<sst>{text}</sst>",
            "xl/sheets/s.xml": '<x:worksheet xmlns:x="m"><x:f>ignored</x:f><x:sheetData>'
            '<x:row><x:c t="s"><x:v>0</x:v></x:c><x:c/><x:c t="inlineStr"><x:is><x:t>in</x:t>'
            "<x:rPh><x:t>IN</x:t></x:rPh></x:is></x:c></x:row><x:row/>"
            '<x:row r="5"><x:c r="B5"><x:v>1.50</x:v></x:c><x:c t="b"><x:v>1</x:v></x:c></x:row>'
            "</x:sheetData><x:ext><x:c><x:v>7</x:v></x:c></x:ext></x:worksheet>",
        }
    )
    assert list(read_sheet(data, "s.xlsx")) == [
        (1, ["name", "", "in"]),
        (5, ["", Number("1.50"), Odd("a truth value")]),
    ]


def test_a_sheet_is_named_where_there_are_several() -> None:
    second = '<sheet name="other" sheetId="2" r:id="rId2"/></sheets>'
    data = changed_part(workbook(), WORKBOOK, lambda text: text.replace("</sheets>", second))
    assert "2 sheets ('register', 'other'): name the register's by --sheet" in refused(data).message
    assert read_claims(data, sheet="register") == read_claims(REGISTER.encode())
    assert "no sheet 'third'" in refused(data, "third").message
    assert "no sheet of cells" in refused(data, "other").message


def nested(text: str) -> str:
    return '<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY a "aaaa">]><sst><si><t>&a;</t></si></sst>'


@pytest.mark.parametrize("part", [SHEET, STRINGS, WORKBOOK, RELATIONS, "_rels/.rels"])
def test_a_document_type_is_refused(part: str) -> None:
    assert "DOCTYPE" in refused(changed_part(workbook(), part, nested)).message


@pytest.mark.parametrize("part", [SHEET, STRINGS, WORKBOOK, RELATIONS])
def test_what_is_no_xml_is_refused(part: str) -> None:
    assert "is no XML" in refused(changed_part(workbook(), part, lambda text: text[:-5])).message


@pytest.mark.parametrize(
    ("part", "change", "reason"),
    [
        (STRINGS, ("<si>", "<ti>"), "no XML"),
        (SHEET, ("<v>0</v>", "<v>999</v>"), "text that is missing"),
        (SHEET, ("<v>0</v>", "<v>\u0664</v>"), "text that is missing"),
        (SHEET, ('<row r="3">', '<row r="2">'), "row '2' after row 2"),
        (SHEET, ('<row r="3">', '<row r="x">'), "row 'x'"),
        (SHEET, ('<row r="3">', f'<row r="{"9" * 30}">'), "after row 2"),
        (SHEET, ('r="B3"', 'r="A3"'), "out of place in row 3"),
        (SHEET, ('r="B3"', 'r="B7"'), "out of place in row 3"),
        (
            SHEET,
            ("</row></sheetData>", '<c r="XFD5"><v>1</v></c></row></sheetData>'),
            f"beyond the {MAX_COLUMNS}th",
        ),
        (SHEET, ("<v>20000</v>", f"<v>{'1' * 40_000}</v>"), "more than 32,767 characters"),
        (SHEET, ('<row r="1">', '<row r="2">'), "row"),
        (SHEET, ('<c r="A1" t="s">', '<c r="A1">'), "row 1 has to name the columns"),
        (SHEET, ("<sheetData>", "<sheetDatum>"), "no XML"),
        (RELATIONS, ("worksheets/sheet1.xml", "worksheets/other.xml"), "can't be read"),
        ("_rels/.rels", ("xl/workbook.xml", "xl/nothing.xml"), "no workbook"),
    ],
)
def test_a_workbook_that_contradicts_itself_is_refused(
    part: str, change: tuple[str, str], reason: str
) -> None:
    assert reason in refused(changed_part(workbook(), part, lambda text: text.replace(*change, 1))).message


def test_what_is_no_workbook_is_refused() -> None:
    assert "no workbook" in refused(zip_parts({"a.txt": "x"})).message
    assert "damaged" in refused(b"PK\x03\x04" + bytes(100)).message
    assert "damaged" in refused(workbook()[:-30]).message


def test_a_part_with_altered_bytes_is_refused() -> None:
    data = bytearray(workbook())
    place = data.index(b"sharedStrings.xml") + 60
    data[place] ^= 0xFF
    assert "can't be read" in refused(bytes(data)).message


def test_one_name_for_two_parts_is_refused() -> None:
    data = io.BytesIO(workbook())
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(data, "a") as again:
        again.writestr(SHEET, "<worksheet/>")
    assert "twice" in refused(data.getvalue()).message


def test_an_encrypted_workbook_is_refused() -> None:
    data = bytearray(workbook())
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1
    assert "encrypted" in refused(bytes(data)).message


def test_too_many_parts_are_refused() -> None:
    assert "parts" in refused(zip_parts({f"{n}.xml": "" for n in range(package.MAX_PARTS + 1)})).message


def test_what_expands_without_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_PART", 1 << 20)
    bomb = changed_part(
        workbook(), SHEET, lambda text: text.replace("<sheetData>", " " * (2 << 20) + "<sheetData>")
    )
    assert len(bomb) < 1 << 14
    assert "expands to more than 1 MiB" in refused(bomb).message
