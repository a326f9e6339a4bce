"""Text of others in lines of ours: nothing in it starts a line, moves a cursor or turns the direction."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text with a space for every character that has no shape of its own."""
    return "".join(character if character.isprintable() else " " for character in text)
