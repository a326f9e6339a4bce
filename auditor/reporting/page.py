"""The report as one HTML page, in Chinese and English: no script, no request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from auditor.motion_margins import in_words
from auditor.reporting import words
from auditor.reporting.figures import figures
from auditor.reporting.svg import to_svg

if TYPE_CHECKING:
    from auditor.reporting.document import Report


def to_html(report: Report) -> bytes:
    """Return the page; every value in it is escaped, since the platform chose some of them."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("auditor"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    plots = [Markup(to_svg(figure)) for figure in figures(report)]  # noqa: S704  escaped where it is made
    page = environment.get_template("report.html").render(
        report=report.value,
        words=words,
        plots=plots,
        in_words=in_words,
        findings=words.inconsistent(len(report.value["discrepancies"])),
    )
    return f"{page}\n".encode()
