"""Holding a roll to totals that are known from elsewhere: the court's list, the books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from client.errors import Negative
from client.rolls.yuan import format_yuan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from client.rolls.roll import Roll


@dataclass(frozen=True, slots=True)
class Totals:
    """What a roll is expected to come to; None is not looked at. `classes` has (heads, fen) by class."""

    heads: int | None = None
    claims: int | None = None
    fen: int | None = None
    classes: Mapping[str, tuple[int, int]] | None = None


def check_roll(roll: Roll, expected: Totals) -> None:
    """Raise Negative, naming each figure with both values, unless the roll comes to what is expected.

    Independent of that, raise it where one identity document is on the roll twice.
    """
    differing = _twice(roll)
    summary = roll.summary
    claims = sum(entry.heads for entry in summary.classes)
    differing += _differing("lenders", summary.heads, expected.heads)
    differing += _differing("claims", claims, expected.claims)
    differing += _differing("yuan", summary.fen, expected.fen, money=True)
    found = {entry.cls: (entry.heads, entry.fen) for entry in summary.classes}
    if expected.classes is not None:
        for name in sorted({*found, *expected.classes}):
            heads, fen = found.get(name, (0, 0))
            wanted = expected.classes.get(name, (0, 0))
            differing += _differing(f"lenders of {name}", heads, wanted[0])
            differing += _differing(f"yuan of {name}", fen, wanted[1], money=True)
    if differing:
        raise Negative(f"the roll of {roll.mtg!r} is not as expected: {'; '.join(differing)}")


def _twice(roll: Roll) -> list[str]:
    seen: dict[tuple[str, str], str] = {}
    for entry in roll.entries:
        other = seen.setdefault(entry.person.document, entry.leaf.sub)
        if other != entry.leaf.sub:
            return [f"{other} and {entry.leaf.sub} have the same identity document"]
    return []


def _differing(what: str, found: int, expected: int | None, *, money: bool = False) -> list[str]:
    if expected is None or found == expected:
        return []
    shown = [format_yuan(amount) if money else f"{amount:,}" for amount in (found, expected)]
    return [f"{shown[0]} {what}, not {shown[1]}"]
