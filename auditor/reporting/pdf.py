"""The report as a PDF, in Chinese and English, the same bytes from the same report."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from auditor.reporting import words
from auditor.reporting.figures import TEXT_SIZE, WIDTH, Box, Line, figures
from auditor.reporting.font import cut, printable
from auditor.reporting.lines import Heading, Table, content
from client.encodings import times

if TYPE_CHECKING:
    from auditor.reporting.document import Report
    from auditor.reporting.figures import Figure
    from auditor.reporting.lines import Paragraph

_MILLIMETRES = 170  # the width of the text
_POINT = 0.3528  # millimetres
_SIZES = {1: 17, 2: 13, 3: 11}


def to_pdf(report: Report) -> bytes:
    """Return the PDF; its date is the last that the chain knows, its font what the text needs."""
    parts, plots = content(report), figures(report)
    text = "".join([words.TITLE, *(part.text for part in parts)])
    text += "".join(
        shape.words for plot in plots for shape in plot.shapes if not isinstance(shape, Box | Line)
    )
    font, known = cut(frozenset(text) - {"\n"})
    pdf = FPDF(format="A4")
    pdf.set_margins(20, 18)
    pdf.set_auto_page_break(auto=True, margin=18)
    pdf.set_creation_date(dt.datetime.fromtimestamp(times.parse(report.date), dt.UTC))
    pdf.set_producer("Concordat")
    pdf.set_title(printable(f"{words.TITLE}: {report.value['meeting']}", known | frozenset(": ")))
    pdf.set_lang("zh-CN")
    with tempfile.TemporaryDirectory(prefix="concordat-report-") as folder:
        path = Path(folder) / "font.ttf"
        path.write_bytes(font)
        pdf.add_font("text", fname=path)
        pdf.set_font("text", size=10)
        pdf.add_page()
        writer = _Writer(pdf, known)
        for part in parts:
            writer.write(part)
        for plot in plots:
            writer.draw(plot)
        return bytes(pdf.output())


@dataclass(frozen=True, slots=True)
class _Writer:
    pdf: FPDF
    known: frozenset[str]

    def write(self, part: Heading | Paragraph | Table) -> None:
        if isinstance(part, Table):
            self._table(part)
            return
        pdf = self.pdf
        size = _SIZES[part.level] if isinstance(part, Heading) else 10
        pdf.set_font("text", size=size)
        if isinstance(part, Heading):
            pdf.ln(2)
        pdf.multi_cell(
            0, size * 0.55, printable(part.text, self.known), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L"
        )
        pdf.ln(1)

    def _table(self, part: Table) -> None:
        self.pdf.set_font("text", size=8)
        with self.pdf.table(
            first_row_as_headings=False, col_widths=part.widths, text_align="LEFT", line_height=4.5
        ) as table:
            for cells in part.rows:
                row = table.row()
                for cell in cells:
                    row.cell(printable(cell, self.known))
        self.pdf.ln(2)

    def draw(self, plot: Figure) -> None:
        """Draw a figure at the width of the text, on one page."""
        pdf, scale = self.pdf, _MILLIMETRES / WIDTH
        if pdf.get_y() + plot.height * scale > pdf.h - pdf.b_margin:
            pdf.add_page()
        left, top = pdf.l_margin, pdf.get_y()
        pdf.set_font("text", size=TEXT_SIZE * scale / _POINT)
        for shape in plot.shapes:
            if isinstance(shape, Box):
                pdf.set_fill_color(shape.colour)
                box = (left + shape.x * scale, top + shape.y * scale)
                pdf.rect(*box, shape.width * scale, shape.height * scale, style="F")
            elif isinstance(shape, Line):
                pdf.set_draw_color(shape.colour)
                pdf.polyline([(left + x * scale, top + y * scale) for x, y in shape.points])
            else:
                said = printable(shape.words, self.known)
                shift = pdf.get_string_width(said) if shape.end else 0
                pdf.text(left + shape.x * scale - shift, top + shape.y * scale, said)
        pdf.set_draw_color(0)
        pdf.set_xy(left, top + plot.height * scale + 4)
