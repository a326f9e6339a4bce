"""Amounts in yuan as text, read into whole fen without ever becoming a float."""

from __future__ import annotations

import re

from client.encodings.ids import MAX_INTEGER

_PLAIN = re.compile(r"(0|[1-9][0-9]{0,14})(?:\.([0-9]{1,2}))?", re.ASCII)
_NUMBER = re.compile(r"([+-]?)[0-9]+(?:\.([0-9]*))?", re.ASCII)


def parse_yuan(text: str) -> int:
    """Return the fen of an amount such as `1234.5`; raise ValueError, saying what to correct.

    Digits with at most two decimals and nothing else; more than zero; at most 2^53-1 fen.
    """
    match = _PLAIN.fullmatch(text)
    if match is None:
        raise ValueError(_what_is_wrong(text))
    fen = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if fen == 0:
        raise ValueError(f"{text!r} is no claim: the amount has to be more than zero")
    if fen > MAX_INTEGER:
        raise ValueError(f"{text!r} is more than 90 trillion yuan: check the unit")
    return fen


def format_yuan(fen: int) -> str:
    """Return fen as yuan with two decimals."""
    return f"{fen // 100}.{fen % 100:02d}"


def _what_is_wrong(text: str) -> str:
    shown = repr(text[:30])
    if not text:
        return "the amount is missing"
    match = _NUMBER.fullmatch(text)
    if match is None:
        return f"{shown} is no amount: write digits and at most two decimals, such as 1234.50"
    if match[1] == "-":
        return f"{shown} is negative: a claim has to be more than zero"
    if match[1] == "+":
        return f"{shown} has a sign: write digits only"
    if len(match[2] or "") > 2:  # noqa: PLR2004  fen are hundredths
        return f"{shown} has more than two decimals: a fen is the smallest amount"
    return f"{shown} is no amount: no leading zeros, at most 15 digits, and decimals after the point"
