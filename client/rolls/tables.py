"""A register's rows as texts, out of CSV or XLSX, told apart by their first bytes."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from client.rolls.decode import decode_text
from client.rolls.errors import Faults, RollError
from client.rolls.sheet import Number, column_letters, read_sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.rolls.sheet import Cell, Row

_ZIP: Final = b"PK\x03\x04"
_COMPOUND: Final = bytes.fromhex("d0cf11e0a1b11ae1")
"""The first bytes of OLE compound files: .xls, and .xlsx under a password."""

AMOUNT: Final = "claim_yuan"
EXACT_DIGITS: Final = 15
"""As many decimal digits as a spreadsheet keeps of a number, and as a double always keeps apart."""

_MOBILE = re.compile(r"1[0-9]{10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Table:
    """A table's columns and its further rows with their numbers (the header is 1), read as asked for.

    Mistakes that the rows themselves have go to `faults`, which counts in lines (CSV) or rows (XLSX).
    """

    columns: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]
    faults: Faults


def read_table(data: bytes, encoding: str, source: str, sheet: str | None = None) -> Table:
    """Return the table that a file holds; raise RollError for one that can't be read as one."""
    if data.startswith(_COMPOUND):
        raise RollError(f"{source} is an .xls file, or has a password: save it as .xlsx without one")
    if data.startswith(_ZIP):
        return _workbook(data, source, sheet)
    if sheet is not None:
        raise RollError(f"{source} is no workbook, so it has no sheet {sheet[:40]!r}")
    return _csv(decode_text(data, encoding, source), source)


def _csv(text: str, source: str) -> Table:
    faults = Faults("line")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise RollError(f"{source} is no CSV: line 1 ({error}): check its quotation marks") from error

    def rows() -> Iterator[tuple[int, list[str]]]:
        try:
            for row in reader:
                if row:  # an empty line is no row
                    yield reader.line_num, row
        except csv.Error as error:
            # A broken quotation swallows what follows, so reading on would only invent mistakes.
            faults.add(reader.line_num, "", f"this is no CSV ({error}): check its quotation marks")

    return Table(tuple(name.strip() for name in header), rows(), faults)


def _workbook(data: bytes, source: str, sheet: str | None) -> Table:
    cells = read_sheet(data, source, sheet)
    number, header = next(cells, (1, []))
    if number != 1 or not all(isinstance(cell, str) for cell in header):
        raise RollError(f"{source}: row 1 has to name the columns")
    columns = tuple(str(cell).strip() for cell in header)
    faults = Faults("row")
    return Table(columns, _texts(cells, columns, faults), faults)


def _texts(cells: Iterator[Row], columns: tuple[str, ...], faults: Faults) -> Iterator[tuple[int, list[str]]]:
    for number, row in cells:
        row.extend([""] * (len(columns) - len(row)))
        texts: list[str] = []
        for index, cell in enumerate(row):
            if type(cell) is str:
                texts.append(cell)
                continue
            name = columns[index] if index < len(columns) else ""
            try:
                texts.append(_text(cell, name))
            except ValueError as error:
                faults.add(number, name, f"cell {column_letters(index)}{number} {error}")
        if len(texts) == len(row):
            yield number, texts


def _text(cell: Cell, column: str) -> str:
    """Return the text of a cell that holds none; raise ValueError, saying what to correct."""
    if not isinstance(cell, Number):
        what = cell if isinstance(cell, str) else cell.what
        raise ValueError(f"has {what}: put the plain value in its place")  # noqa: TRY004  a wrong value
    if column == AMOUNT:
        return exact_amount(cell.digits)
    if column == "phone" and _MOBILE.fullmatch(cell.digits):
        return cell.digits  # 11 digits without a zero in front: nothing was lost
    raise ValueError(
        "holds a number, which keeps 15 digits and no zeros in front: "
        "format the column as text and type it again"
    )


def exact_amount(digits: str) -> str:
    """Return the decimal that a workbook's number stands for; raise ValueError where that is not certain.

    Programs write doubles: 1234.56 may be in the file as 1234.5599999999999. The shortest decimal that is
    the same double is what was typed, as long as it has at most 15 digits.
    """
    try:
        value = Decimal(repr(float(digits)))
    except ValueError as error:
        raise ValueError("holds no number: type it again") from error
    if not value.is_finite():
        raise ValueError("holds no number: type it again")
    if len(value.normalize().as_tuple().digits) > EXACT_DIGITS:
        raise ValueError(f"has a number of more than {EXACT_DIGITS} digits: round it to fen, or make it text")
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
