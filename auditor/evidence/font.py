"""The one font of the explanation, first of all cut down to the characters that a text needs."""

from __future__ import annotations

import io
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

if TYPE_CHECKING:
    from collections.abc import Iterable

_REGULAR: Final = 400
_FILE: Final = "fonts/ofl/notosanssc/NotoSansSC[wght].ttf"


def font_for(texts: Iterable[str]) -> bytes:
    """Return a TrueType font of regular weight with the characters of the texts, the same bytes every time.

    The whole font has 17 MB in every weight; cut first, it takes a second and not a minute.
    """
    options = subset.Options(layout_features=[], recalc_timestamp=False, notdef_outline=True)
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted({character for text in texts for character in text})))
    with files("justmytype_intl_cjk").joinpath(_FILE).open("rb") as source:
        font = TTFont(source, recalcTimestamp=False, lazy=True)
        cutter.subset(font)
        instantiateVariableFont(font, {"wght": _REGULAR}, inplace=True)
        data = io.BytesIO()
        font.save(data)
    return data.getvalue()
