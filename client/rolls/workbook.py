"""Writing a register as an XLSX workbook: one sheet, every cell text but the amounts."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from client.rolls.sheet import column_letters

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_PARTS: Final = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.sharedStrings+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="register" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    ),
}
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def write_workbook(rows: Iterable[Sequence[str]], numbers: frozenset[str] = frozenset()) -> bytes:
    """Return the workbook of rows, the first of which names the columns; the same rows give the same bytes.

    Columns of the names in `numbers` are written as numbers from the second row on, everything else as
    text in the table of shared strings, as spreadsheet programs do.
    """
    strings: dict[str, int] = {}
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as package:
        for name, text in _PARTS.items():
            package.writestr(_entry(name), (_XML + text).encode())
        with package.open(_entry("xl/worksheets/sheet1.xml"), "w") as file:
            file.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            numeric: set[int] = set()
            for number, row in enumerate(rows, 1):
                file.write(_row(number, row, numeric, strings).encode())
                if number == 1:
                    numeric = {index for index, name in enumerate(row) if name in numbers}
            file.write(b"</sheetData></worksheet>")
        with package.open(_entry("xl/sharedStrings.xml"), "w") as file:
            file.write(f'{_XML}<sst xmlns="{_MAIN}" uniqueCount="{len(strings)}">'.encode())
            for text in strings:
                file.write(f'<si><t xml:space="preserve">{escape(text)}</t></si>'.encode())
            file.write(b"</sst>")
    return data.getvalue()


def _row(number: int, row: Sequence[str], numeric: set[int], strings: dict[str, int]) -> str:
    cells = []
    for index, text in enumerate(row):
        reference = f"{column_letters(index)}{number}"
        if index in numeric and text:
            cells.append(f'<c r="{reference}"><v>{escape(text)}</v></c>')
        elif text:
            cells.append(f'<c r="{reference}" t="s"><v>{strings.setdefault(text, len(strings))}</v></c>')
    return f'<row r="{number}">{"".join(cells)}</row>'


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def zip_parts(parts: dict[str, str]) -> bytes:
    """Return a package of these parts, deflated, without the time of day."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as package:
        for name, text in parts.items():
            package.writestr(_entry(name), text.encode())
    return data.getvalue()
