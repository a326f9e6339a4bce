"""A figure as SVG, for the page: text of its own, nothing loaded from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from auditor.reporting.figures import TEXT_SIZE, WIDTH, Box, Line

if TYPE_CHECKING:
    from auditor.reporting.figures import Figure, Text


def to_svg(figure: Figure) -> str:
    """Return the figure as one `svg` element whose title says what it shows."""
    shapes = "".join(map(_shape, figure.shapes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {figure.height}" role="img" '
        f'font-size="{TEXT_SIZE}"><title>{escape(figure.title)}</title>{shapes}</svg>'
    )


def _shape(shape: Box | Line | Text) -> str:
    if isinstance(shape, Box):
        return (
            f'<rect x="{shape.x}" y="{shape.y}" width="{shape.width}" height="{shape.height}" '
            f'fill="{shape.colour}"/>'
        )
    if isinstance(shape, Line):
        points = " ".join(f"{x},{y}" for x, y in shape.points)
        return f'<polyline points="{points}" fill="none" stroke="{shape.colour}" stroke-width="2"/>'
    anchor = ' text-anchor="end"' if shape.end else ""
    return f'<text x="{shape.x}" y="{shape.y}"{anchor}>{escape(shape.words)}</text>'
