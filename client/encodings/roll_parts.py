"""The parts of a roll that count apart: whom a motion excludes, and what is disputed.

Both are figures of the record, so that the rules can be applied before anybody has seen the roll. Each has
a line for everybody (`*`), since a lender with claims in two classes is one head, and one a class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.encodings.errors import Refused
from client.encodings.ids import is_count, is_motion_id, is_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from client.encodings.leaf import Leaf
    from client.encodings.roll_summary import RollSummary

EVERYBODY: Final = "*"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """How many of a class's lenders a motion excludes, and their fen; class `*` is everybody."""

    motion: str
    cls: str
    heads: int
    fen: int


@dataclass(frozen=True, slots=True)
class Disputed:
    """How many of a class's claims are disputed, and the fen fixed for them.

    Class `*` is everybody: its heads are the lenders with no other claim, who are gone without the disputed.
    With a motion the line is of those that this motion excludes besides.
    """

    cls: str
    heads: int
    fen: int
    motion: str | None = None


Figures = tuple[tuple[str, int, int], ...]
"""Lines of (class, heads, fen)."""


def exclusions_of(leaves: Iterable[Leaf]) -> tuple[Exclusion, ...]:
    """Return the figures of the leaves that are excluded, motion by motion."""
    found: dict[tuple[str, ...], list[int]] = {}
    for leaf in leaves:
        for motion in leaf.excluded:
            _add(found, (motion, EVERYBODY), 1, leaf.fen)
            for claim in leaf.claims:
                _add(found, (motion, claim.cls), 1, claim.fen)
    return tuple(Exclusion(key[0], key[1], *found[key]) for key in sorted(found))


def disputed_of(leaves: Iterable[Leaf]) -> tuple[Disputed, ...]:
    """Return the figures of the claims that are disputed."""
    found: dict[tuple[str, ...], list[int]] = {}
    for leaf in leaves:
        disputed = [claim for claim in leaf.claims if claim.decision]
        only = len(disputed) == len(leaf.claims)
        for motion in ("", *leaf.excluded) if disputed else ():
            _add(found, (motion, EVERYBODY), int(only), sum(claim.fen for claim in disputed))
            for claim in disputed:
                _add(found, (motion, claim.cls), 1, claim.fen)
    return tuple(
        Disputed(cls, found[motion, cls][0], found[motion, cls][1], motion or None)
        for motion, cls in sorted(found)
    )


def _add(found: dict[tuple[str, ...], list[int]], key: tuple[str, ...], heads: int, fen: int) -> None:
    cell = found.setdefault(key, [0, 0])
    cell[0] += heads
    cell[1] += fen


def parse_exclusions(value: Any) -> tuple[Exclusion, ...]:
    """Return the exclusions of parsed JSON, in ascending order of motion and class; raise ValueError."""
    lines = tuple(
        Exclusion(item["motion"], item["class"], item["heads"], item["fen"])
        for item in _lines(value, "excluded", {"motion", "class", "heads", "fen"})
    )
    if not all(is_motion_id(line.motion) for line in lines):
        raise ValueError("roll.excluded: a motion's id is not one")
    _check_order([(line.motion, line.cls) for line in lines], "excluded")
    return lines


def parse_disputed(value: Any) -> tuple[Disputed, ...]:
    """Return the disputed figures of parsed JSON, ascending by motion and class; raise ValueError."""
    lines = tuple(
        Disputed(item["class"], item["heads"], item["fen"], item.get("motion"))
        for item in _lines(value, "disputed", {"class", "heads", "fen"}, frozenset({"motion"}))
    )
    if not all(is_motion_id(item["motion"]) for item in value if "motion" in item):
        raise ValueError("roll.disputed: a motion's id is not one")
    _check_order([(line.motion or "", line.cls) for line in lines], "disputed")
    return lines


def _lines(
    value: Any, where: str, names: set[str], optional: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise ValueError(f"roll.{where} is not a list")  # noqa: TRY004  one error for every wrong form
    for item in value:
        if not isinstance(item, dict) or item.keys() - optional != names:
            raise ValueError(f"roll.{where}: a line has other members than {', '.join(sorted(names))}")
        if item["class"] != EVERYBODY and not is_name(item["class"]):
            raise ValueError(f"roll.{where}: a line is of no class")
        if not is_count(item["heads"]) or not is_count(item["fen"]):
            raise ValueError(f"roll.{where}: a figure is not an integer")
    return value


def _check_order(keys: list[Any], where: str) -> None:
    if keys != sorted(set(keys)):
        raise ValueError(f"roll.{where} is not in ascending order, each line once")


def check_parts(summary: RollSummary) -> None:
    """Refuse (MEETING_ROLL) parts that can't be the roll's: more than the whole, or not adding up."""
    for motion in sorted({line.motion for line in summary.excluded}):
        lines = tuple((line.cls, line.heads, line.fen) for line in summary.excluded if line.motion == motion)
        everybody = _check_part(summary, lines, f"excluded from {motion}")
        counted = [heads for cls, heads, _ in lines if cls != EVERYBODY]
        if not max(counted) <= everybody <= sum(counted):
            raise Refused("MEETING_ROLL", f"excluded from {motion}: {everybody} lenders, {counted} by class")
    for motion in sorted({line.motion or "" for line in summary.disputed}):
        lines = tuple(
            (line.cls, line.heads, line.fen) for line in summary.disputed if (line.motion or "") == motion
        )
        everybody = _check_part(summary, lines, "disputed")
        if everybody > sum(heads for cls, heads, _ in lines if cls != EVERYBODY):
            raise Refused("MEETING_ROLL", "disputed: more lenders than disputed claims")
        if motion:
            _check_overlap(summary, motion, lines)


def _check_overlap(summary: RollSummary, motion: str, lines: Figures) -> None:
    """Refuse claims both disputed and excluded from a motion, of which there are more than of either."""
    disputed = {line.cls: (line.heads, line.fen) for line in summary.disputed if line.motion is None}
    excluded = {line.cls: (line.heads, line.fen) for line in summary.excluded if line.motion == motion}
    for cls, heads, fen in lines:
        for part in (disputed, excluded):
            most_heads, most_fen = part.get(cls, (-1, -1))
            if heads > most_heads or fen > most_fen:
                raise Refused("MEETING_ROLL", f"disputed, excluded from {motion}: more of {cls} than either")


def _check_part(summary: RollSummary, lines: Figures, what: str) -> int:
    """Return everybody's heads of a part that is within the roll, class by class."""
    whole = {entry.cls: entry for entry in summary.classes}
    if lines[0][0] != EVERYBODY or len(lines) == 1:
        raise Refused("MEETING_ROLL", f"{what}: a line for everybody and one a class are due")
    _, everybody, total = lines[0]
    for cls, heads, fen in lines[1:]:
        if cls not in whole:
            raise Refused("MEETING_ROLL", f"{what}: no class {cls} is on the roll")
        if not 1 <= heads <= whole[cls].heads or not heads <= fen <= whole[cls].fen:
            raise Refused("MEETING_ROLL", f"{what}: more of {cls} than the class has, or nobody")
    if everybody > summary.heads or total != sum(fen for _, _, fen in lines[1:]):
        raise Refused("MEETING_ROLL", f"{what}: the classes don't add up to everybody's figures")
    return everybody
