"""The report's font: cut down to the characters of one report, and which of them it has."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from fontTools.ttLib import TTFont

from auditor.evidence.font import font_for

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_REPLACEMENT = "?"


def cut(characters: AbstractSet[str]) -> tuple[bytes, frozenset[str]]:
    """Return the font (TrueType) with these characters alone, and those of them that it has."""
    data = font_for([*characters, _REPLACEMENT])
    with TTFont(io.BytesIO(data)) as font:
        return data, frozenset(map(chr, font.getBestCmap()))


def printable(text: str, known: frozenset[str]) -> str:
    """Return the text with a question mark for each character that the font does not have."""
    return "".join(one if one in known or one == "\n" else _REPLACEMENT for one in text)
