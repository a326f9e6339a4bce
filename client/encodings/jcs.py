"""Canonical JSON: RFC 8785 out, and a reader that takes only what has one meaning.

The profile is narrower than JSON's: integers 0 to 2^53-1 and no other number, no name
twice in an object, Unicode without lone surrogates, no byte-order mark, at most 16
levels. RFC 8785 itself leaves duplicate names to the parser, and Python's keeps the last.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import rfc8785

from client.encodings.ids import MAX_INTEGER

MAX_DEPTH: Final = 16

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


class JsonError(ValueError):
    """The bytes are not JSON of the profile."""


class DuplicateMember(JsonError):  # noqa: N818  names what was found
    """An object names a member twice."""


def dumps(value: Any) -> bytes:
    """Return the RFC 8785 form of `value`; raise JsonError for what the profile excludes."""
    try:
        data = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise JsonError(str(error)) from error
    return data


def loads(data: bytes) -> Any:
    """Return the value of JSON bytes of the profile.

    Raise DuplicateMember for a name given twice (in otherwise good JSON), JsonError for
    everything else that the profile excludes.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonError("not UTF-8") from error
    _check_depth(text)
    duplicates: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            names = [name for name, _ in pairs]
            duplicates.append(next(name for name in names if names.count(name) > 1))
        return value

    try:
        value = json.loads(
            text,
            object_pairs_hook=members,
            parse_float=_no_float,
            parse_int=_integer,
            parse_constant=_no_float,
        )
    except JsonError:
        raise
    except ValueError as error:
        raise JsonError(str(error)) from error
    if "\\u" in text:  # only an escape can smuggle a lone surrogate into UTF-8
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise JsonError("a lone surrogate") from error
    # Told last, so that bytes which are no JSON at all are never called a duplicate.
    if duplicates:
        raise DuplicateMember(f"the member {duplicates[0][:40]!r} is given twice")
    return value


def loads_canonical(data: bytes) -> Any:
    """Return the value of bytes that are their own RFC 8785 form; raise JsonError otherwise."""
    value = loads(data)
    if dumps(value) != data:
        raise JsonError("not in the canonical form of RFC 8785")
    return value


def _integer(literal: str) -> int:
    # The length first: converting a huge literal costs time quadratic in its length.
    if literal.startswith("-") or len(literal) > len(str(MAX_INTEGER)) or int(literal) > MAX_INTEGER:
        raise JsonError(f"the number {literal[:40]} is not an integer from 0 to 2^53-1")
    return int(literal)


def _no_float(literal: str) -> Any:
    raise JsonError(f"the number {literal[:40]} is not an integer")


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
