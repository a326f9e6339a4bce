"""The report's plots, as shapes on a plane: drawn once, then written as SVG or onto a PDF page.

Places and sizes are integers of a plane 640 wide, so that no rounding differs anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.reporting import words
from client.encodings import times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.reporting.document import Report

WIDTH: Final = 640
TEXT_SIZE: Final = 14
_INK, _BAR, _GRID = "#1a1a1a", "#1d4ed8", "#767676"
_LEFT, _ROW, _TOP = 230, 26, 30
_PLOT: Final = (60, 40, 560, 180)  # left, top, width, height


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    x: int
    y: int
    width: int
    height: int
    colour: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points."""

    points: tuple[tuple[int, int], ...]
    colour: str


@dataclass(frozen=True, slots=True)
class Text:
    """Words with their baseline at (x, y); `end` where they end at x instead of beginning there."""

    x: int
    y: int
    words: str
    end: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot: what it shows in words, its height, and its shapes in drawing order."""

    title: str
    height: int
    shapes: tuple[Box | Line | Text, ...]


def figures(report: Report) -> tuple[Figure, ...]:
    """Return the plots of a report: turnout, choices once closed, discrepancies by kind if there are any."""
    drawn = []
    if report.value["turnout"] is not None:
        drawn.append(turnout(report.value["turnout"]))
    if report.value["tally"] is not None:
        for motion in report.value["tally"]["motions"]:
            drawn += choices(motion, report)
    if report.kinds:
        labels = {words.KINDS.get(kind, kind): count for kind, count in report.kinds.items()}
        drawn.append(bars(words.FOUND, labels, {name: f"{count:,}" for name, count in labels.items()}))
    return tuple(drawn)


def choices(motion: str, report: Report) -> tuple[Figure, Figure]:
    """Return a motion's heads and its value by choice; refuse (REPORT_RUNNING) before it is closed."""
    counted = report.choices(motion)
    heads = {name: cell[0] for name, cell in counted.items()}
    fen = {name: cell[1] for name, cell in counted.items()}
    return (
        bars(f"{motion}: {words.HEADS}", heads, {name: f"{count:,}" for name, count in heads.items()}),
        bars(f"{motion}: {words.VALUE}", fen, {name: words.yuan(amount) for name, amount in fen.items()}),
    )


def bars(title: str, values: Mapping[str, int], labels: Mapping[str, str]) -> Figure:
    """Return horizontal bars, one a name, each with its figure written beside it."""
    most = max([*values.values(), 1])
    shapes: list[Box | Line | Text] = [Text(0, 18, title)]
    for row, (name, value) in enumerate(values.items()):
        top = _TOP + row * _ROW
        length = (WIDTH - _LEFT - 150) * max(value, 0) // most
        shapes += [
            Text(_LEFT - 8, top + 16, _short(name), end=True),
            Box(_LEFT, top + 3, length, _ROW - 8, _BAR),
            Text(_LEFT + length + 6, top + 16, labels[name]),
        ]
    return Figure(title, _TOP + len(values) * _ROW + 6, tuple(shapes))


def turnout(value: Mapping[str, object]) -> Figure:
    """Return the steps in which the number of lenders who voted grew, between opening and close."""
    opens, closes = times.parse(str(value["opens_at"])), times.parse(str(value["closes_at"]))
    points: Sequence[tuple[str, int]] = value["points"]  # type: ignore[assignment]  # parsed by its member
    left, top, width, height = _PLOT
    most = max([count for _, count in points] + [1])
    path: list[tuple[int, int]] = []
    for at, count in points:
        x = left + width * (times.parse(at) - opens) // max(closes - opens, 1)
        y = top + height - height * count // most
        if path:
            path.append((x, path[-1][1]))
        path.append((x, y))
    bottom = top + height
    return Figure(
        words.TURNOUT,
        bottom + 40,
        (
            Text(0, 18, words.TURNOUT),
            Line(((left, top), (left, bottom), (left + width, bottom)), _GRID),
            Line(tuple(path), _BAR),
            Text(left - 6, top + 5, f"{most:,}", end=True),
            Text(left - 6, bottom + 5, "0", end=True),
            Text(left, bottom + 22, str(value["opens_at"])),
            Text(left + width, bottom + 22, str(value["closes_at"]), end=True),
        ),
    )


def _short(name: str) -> str:
    most = 28
    return name if len(name) <= most else f"{name[: most - 1]}…"
