"""Canonical JSON: RFC 8785 out, and a reader that takes only what has one meaning.

The profile is narrower than JSON's: integers 0 to 2^53-1 and no other number, no name
twice in an object, Unicode without lone surrogates, no byte-order mark, at most 16
levels. RFC 8785 itself leaves duplicate names to the parser, and Python's keeps the last.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

import rfc8785

from client.encodings.ids import MAX_INTEGER

MAX_DEPTH: Final = 16

_PLAIN: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")
)
_TEXT: Final = frozenset((str,))
_DIGITS: Final = len(str(MAX_INTEGER))
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


class JsonError(ValueError):
    """The bytes are not JSON of the profile."""


class DuplicateMember(JsonError):  # noqa: N818  names what was found
    """An object names a member twice."""


@dataclass(frozen=True, slots=True)
class OddNumber:
    """A number outside the profile: nothing takes it for an integer, and `dumps` won't write it."""

    literal: str


def dumps(value: Any) -> bytes:
    """Return the RFC 8785 form of `value`; raise JsonError for what the profile excludes.

    The standard library writes ASCII text, integers in range, and arrays and objects of them as RFC 8785
    asks, which it does many times faster: both escape the same characters in the same way, and order the
    same names alike. A property test holds the one to the other.
    """
    if _is_plain(value):
        text = _PLAIN.encode(value)
        if text.isascii():
            return text.encode("ascii")
    try:
        data = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise JsonError(str(error)) from error
    return data


def _is_plain(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Say whether there is nothing in `value` but texts, integers in range, arrays and objects of them."""
    kind = type(value)
    if kind is dict:
        if not set(map(type, value)) <= _TEXT:
            return False
        value = value.values()
    elif kind is not list and kind is not tuple:
        return kind is str or (kind is int and -MAX_INTEGER <= value <= MAX_INTEGER)
    for one in value:
        kind = type(one)
        if kind is int:
            if not -MAX_INTEGER <= one <= MAX_INTEGER:
                return False
        elif kind is not str and not (depth and _is_plain(one, depth - 1)):
            return False
    return True


def loads(data: bytes, *, tolerant: bool = False) -> Any:
    """Return the value of JSON bytes of the profile.

    Raise DuplicateMember for a name given twice (in otherwise good JSON), JsonError for
    everything else that the profile excludes. With `tolerant` a number outside the
    profile becomes an `OddNumber` and lone surrogates are let through, for a caller that
    has a more telling name for the mistake; `dumps` refuses both.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonError("not UTF-8") from error
    _check_depth(text)
    reader = _Reader()
    try:
        value = json.loads(
            text,
            object_pairs_hook=reader.members,
            parse_float=reader.number,
            parse_int=reader.integer,
            parse_constant=_refuse,
        )
    except ValueError as error:
        raise JsonError(str(error)) from error
    if not tolerant:
        if reader.odd:
            raise JsonError(f"the number {reader.odd[0]} is not an integer from 0 to 2^53-1")
        if "\\u" in text:  # only an escape can smuggle a lone surrogate into UTF-8
            _check_surrogates(value)
    # Told last, so that bytes which are no JSON at all are never called a duplicate.
    if reader.duplicates:
        raise DuplicateMember(f"the member {reader.duplicates[0]!r} is given twice")
    return value


def loads_canonical(data: bytes) -> Any:
    """Return the value of bytes that are their own RFC 8785 form; raise JsonError otherwise."""
    value = loads(data)
    if dumps(value) != data:
        raise JsonError("not in the canonical form of RFC 8785")
    return value


class _Reader:
    """The hooks of one reading, and what they noticed."""

    def __init__(self) -> None:
        self.duplicates: list[str] = []
        self.odd: list[str] = []

    def members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            names = [name for name, _ in pairs]
            self.duplicates.append(next(name for name in names if names.count(name) > 1)[:40])
        return value

    def integer(self, literal: str) -> Any:
        # The length first: converting a huge literal costs time quadratic in its length.
        if literal.startswith("-") or len(literal) > _DIGITS or int(literal) > MAX_INTEGER:
            return self.number(literal)
        return int(literal)

    def number(self, literal: str) -> Any:
        self.odd.append(literal[:40])
        return OddNumber(literal)


def _refuse(literal: str) -> Any:
    raise JsonError(f"{literal} is not JSON")


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False, default=repr).encode()
    except UnicodeEncodeError as error:
        raise JsonError("a lone surrogate") from error


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise JsonError(f"nested deeper than {MAX_DEPTH} levels")
        elif character in "]}":
            depth -= 1
