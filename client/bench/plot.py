"""A picture of a run, as SVG: ballots committed over time, and the relay's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 880, 460, 90, 80, 70, 60
_TICKS: Final = 5
_COMMITTED, _MEMORY, _NAIVE = "#1f4e9c", "#b03030", "#888888"


def draw(
    figures: dict[str, Any], committed: Sequence[tuple[float, int]], memory: Sequence[tuple[float, float]]
) -> str:
    """Return the picture. The grey line is what one ballot a transaction would have committed."""
    seconds, ballots = figures["seconds"], figures["accepted"]
    most = max([mib for _, mib in memory], default=1.0) * 1.2
    naive = figures["naive_per_s"] * seconds
    title = (
        f"{ballots:,} ballots in {seconds} s: {figures['ballots_per_s']:,}/s, "
        f"{figures['ratio_naive']} times one a transaction; {figures['bytes_per_ballot']} bytes of block each"
    )
    parts = [
        _text(_LEFT, 28, title, size=15),
        _text(_LEFT, 52, "committed at the Regulator's peer", _COMMITTED),
        _text(_LEFT + 250, 52, "one ballot a transaction", _NAIVE),
        _text(_LEFT + 440, 52, "relay's memory, MiB (right)", _MEMORY),
        *_axes(seconds, ballots, most),
        _line(_points([(0.0, 0), *committed], seconds, ballots), _COMMITTED),
        _line(_points([(0.0, 0), (seconds, naive)], seconds, ballots), _NAIVE),
        _line(_points([(at, mib) for at, mib in memory if at <= seconds], seconds, most), _MEMORY),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _axes(seconds: float, ballots: float, most: float) -> list[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = []
    for tick in range(_TICKS + 1):
        share = tick / _TICKS
        x, y = _LEFT + share * (right - _LEFT), bottom - share * (bottom - _TOP)
        parts += [
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dddddd"/>',
            _text(x, bottom + 20, f"{share * seconds:.1f}", anchor="middle"),
            _text(_LEFT - 8, y + 4, f"{share * ballots:,.0f}", anchor="end"),
            _text(right + 8, y + 4, f"{share * most:.0f}", _MEMORY),
        ]
    parts.append(
        _text((_LEFT + right) / 2, bottom + 44, "seconds since the first outbox read", anchor="middle")
    )
    return parts


def _points(values: Sequence[tuple[float, float]], across: float, up: float) -> list[tuple[float, float]]:
    width, height = _WIDTH - _RIGHT - _LEFT, _HEIGHT - _BOTTOM - _TOP
    return [
        (_LEFT + at / across * width, _HEIGHT - _BOTTOM - min(value / up, 1.0) * height)
        for at, value in values
    ]


def _line(points: Sequence[tuple[float, float]], colour: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _text(
    x: float, y: float, text: str, colour: str = "black", *, size: int = 12, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )
