"""A font for Chinese and English, cut down to the characters of one report."""

from __future__ import annotations

import io
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from fontTools import subset
from fontTools.varLib import instancer

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_FONT = "fonts/ofl/notosanssc/NotoSansSC[wght].ttf"
_REPLACEMENT = "?"


def cut(characters: AbstractSet[str]) -> tuple[bytes, frozenset[str]]:
    """Return the font (TrueType) with these characters alone, and those of them that it has.

    The same characters give the same bytes: the font's own time stamp stays.
    """
    options = subset.Options(layout_features=[], hinting=False, recalc_timestamp=False, notdef_outline=True)
    with as_file(files("justmytype_intl_cjk") / _FONT) as path:
        font = subset.load_font(str(path), options)
        known = frozenset(one for one in characters | {_REPLACEMENT} if ord(one) in font.getBestCmap())
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=sorted(map(ord, known)))
        cutter.subset(font)
        written = io.BytesIO()
        instancer.instantiateVariableFont(font, {"wght": 400}, inplace=True)
        font.save(written)
        font.close()
    return written.getvalue(), known


def printable(text: str, known: frozenset[str]) -> str:
    """Return the text with a question mark for each character that the font does not have."""
    return "".join(one if one in known or one == "\n" else _REPLACEMENT for one in text)
