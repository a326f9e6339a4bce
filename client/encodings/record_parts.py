"""Small readers that the parts of a meeting's record share; each raises ValueError, saying where."""

from __future__ import annotations

from typing import Any, Final

MAX_TEXT: Final = 200


def text(value: Any, where: str) -> str:
    """Return a title or name for people: 1 to 200 characters, no control characters."""
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= MAX_TEXT
        or any(character < " " or character == "\x7f" for character in value)
    ):
        raise ValueError(f"{where} is not a text of 1 to {MAX_TEXT} characters without control characters")
    return value


def listed(value: Any, where: str, least: int, most: int) -> list[Any]:
    """Return a list of `least` to `most` items."""
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise ValueError(f"{where} is not a list of {least} to {most}")
    return value


def unique(values: list[str], where: str) -> None:
    """Raise ValueError where one is given twice."""
    if len(set(values)) != len(values):
        raise ValueError(f"{where}: one is given twice")
