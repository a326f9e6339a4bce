"""Draw a DET curve (Martin et al., The DET Curve in Assessment of Detection Task Performance, 1997)."""

from __future__ import annotations

import io
from statistics import NormalDist
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.evaluation import Point

_SIDE, _MARGIN = 720, 80  # pixels
_TICKS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
_LOWEST, _HIGHEST = 0.0005, 0.5
_NORMAL = NormalDist()


def draw_det(points: Sequence[Point], title: str) -> bytes:
    """Return the plot: false match rate across, false non-match rate up, both on normal-deviate axes.

    Rates of zero are drawn at the axes' end; the dashed curve is the upper bound on the false match rate.
    """
    image = Image.new("RGB", (_SIDE, _SIDE), "white")
    draw = ImageDraw.Draw(image)
    for tick in _TICKS:
        at = _place(tick)
        label = f"{tick:.1%}"
        draw.line((_MARGIN + at, _MARGIN, _MARGIN + at, _SIDE - _MARGIN), fill="#dddddd")
        draw.line((_MARGIN, _SIDE - _MARGIN - at, _SIDE - _MARGIN, _SIDE - _MARGIN - at), fill="#dddddd")
        draw.text((_MARGIN + at - 14, _SIDE - _MARGIN + 8), label, fill="black")
        draw.text((_MARGIN - 44, _SIDE - _MARGIN - at - 6), label, fill="black")
    draw.rectangle((_MARGIN, _MARGIN, _SIDE - _MARGIN, _SIDE - _MARGIN), outline="black")
    draw.text((_MARGIN, 24), title, fill="black")
    draw.text(
        (_MARGIN, 44), "solid: measured; dashed: 95 % upper bound on the false match rate", fill="black"
    )
    draw.text((_SIDE // 2 - 60, _SIDE - 36), "false match rate", fill="black")
    draw.text((8, _MARGIN - 24), "false non-match rate", fill="black")
    measured = [
        (point.fmr, point.fnmr) for point in points if point.fmr is not None and point.fnmr is not None
    ]
    bound = [(point.fmr_upper, point.fnmr) for point in points if point.fnmr is not None]
    draw.line([_xy(x, y) for x, y in measured], fill="#1f4e9c", width=3)
    corners = [_xy(x, y) for x, y in bound]
    for index in range(0, len(corners) - 1, 2):
        draw.line((corners[index], corners[index + 1]), fill="#b03030", width=2)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _place(rate: float) -> float:
    """Return where a rate lies on an axis, in pixels from its beginning."""
    low, high = _NORMAL.inv_cdf(_LOWEST), _NORMAL.inv_cdf(_HIGHEST)
    deviate = _NORMAL.inv_cdf(min(max(rate, _LOWEST), _HIGHEST))
    return (deviate - low) / (high - low) * (_SIDE - 2 * _MARGIN)


def _xy(fmr: float, fnmr: float) -> tuple[float, float]:
    return _MARGIN + _place(fmr), _SIDE - _MARGIN - _place(fnmr)
