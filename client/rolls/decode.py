"""The text of a register: UTF-8, UTF-8 with a byte-order mark, or GB18030, told apart strictly."""

from __future__ import annotations

import codecs
import unicodedata
from typing import Final

from client.rolls.errors import RollError

ENCODINGS: Final = ("auto", "utf-8", "gb18030")


def decode_text(data: bytes, encoding: str = "auto", source: str = "the register") -> str:
    """Return the text of `data`; raise RollError where no allowed encoding fits without doubt.

    `auto` takes UTF-8 if the bytes are valid UTF-8 (Chinese in GB18030 never is, beyond a
    few characters), GB18030 otherwise. Never is a byte replaced or passed over.
    """
    if encoding not in ENCODINGS:
        raise RollError(f"{source}: {encoding!r} is none of the encodings {', '.join(ENCODINGS)}")
    for mark, name in ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16")):
        if data.startswith(mark):
            raise RollError(f"{source} is {name}: save it as CSV UTF-8 (or GB18030) and import that")
    if b"\0" in data:
        raise RollError(f"{source} is no CSV text (it has NUL bytes): save the sheet as CSV UTF-8")
    if encoding != "gb18030" or data.startswith(codecs.BOM_UTF8):
        try:
            return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
        except UnicodeDecodeError as error:
            if encoding == "utf-8" or data.startswith(codecs.BOM_UTF8):
                line = data.count(b"\n", 0, error.start) + 1
                raise RollError(f"{source} is not UTF-8: line {line} has other bytes") from error
    return _decode_gb18030(data, source)


def _decode_gb18030(data: bytes, source: str) -> str:
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RollError(
            f"{source} is neither UTF-8 nor GB18030 (line {line}): save it as CSV UTF-8 and import that"
        ) from error
    # Other encodings, read as GB18030, betray themselves by characters that no name has.
    strange = {character for character in set(text) if unicodedata.category(character) in ("Co", "Cn", "Cs")}
    if strange:
        first = next(place for place, character in enumerate(text) if character in strange)
        line = text.count("\n", 0, first) + 1
        raise RollError(
            f"{source} is neither UTF-8 nor GB18030 (line {line} makes no sense in either): "
            "save it as CSV UTF-8 and import that"
        )
    return text
