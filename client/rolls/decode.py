"""The text of a register: UTF-8, UTF-8 with a byte-order mark, or GB18030, told apart strictly."""

from __future__ import annotations

import codecs
import contextlib
from typing import Final

from client.rolls.errors import RollError

ENCODINGS: Final = ("auto", "utf-8", "gb18030")


def decode_text(data: bytes, encoding: str = "auto", source: str = "the register") -> str:
    """Return the text of `data`; raise RollError where no allowed encoding fits without doubt.

    `auto` takes UTF-8 if the bytes are valid UTF-8 (Chinese in GB18030 never is, beyond a
    few characters), else GB18030 if at least half of what is not ASCII are characters of
    GB 2312. Never is a byte replaced or passed over.
    """
    if encoding not in ENCODINGS:
        raise RollError(f"{source}: {encoding!r} is none of the encodings {', '.join(ENCODINGS)}")
    for mark, name in ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16")):
        if data.startswith(mark):
            raise RollError(f"{source} is {name}: save it as CSV UTF-8 (or GB18030) and import that")
    if b"\0" in data:
        raise RollError(f"{source} is no CSV text (it has NUL bytes): save the sheet as CSV UTF-8")
    if data.startswith(codecs.BOM_UTF8):
        return _decode_utf8(data.removeprefix(codecs.BOM_UTF8), source)
    if encoding == "utf-8":
        return _decode_utf8(data, source)
    if encoding == "auto":
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("utf-8")
    text = _decode_gb18030(data, source)
    if encoding == "auto":
        _check_plausible(text, source)
    return text


def _decode_utf8(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RollError(f"{source} is not UTF-8: line {line} has other bytes") from error


def _decode_gb18030(data: bytes, source: str) -> str:
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RollError(
            f"{source} is neither UTF-8 nor GB18030 (line {line}): save it as CSV UTF-8 and import that"
        ) from error


def _check_plausible(text: str, source: str) -> None:
    # Text of another encoding often decodes as GB18030, but into characters that are rare
    # or not assigned; in Chinese text nearly all are among GB 2312's.
    foreign = [character for character in text if character > "\x7f"]
    kinds = {character: _is_common(character) for character in set(foreign)}
    common = sum(kinds[character] for character in foreign)
    if 2 * common < len(foreign):
        raise RollError(
            f"{source} is neither UTF-8 nor plausibly GB18030: save it as CSV UTF-8, "
            "or name the encoding if it is GB18030"
        )


def _is_common(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
