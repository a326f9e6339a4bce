"""One tampering: what was done, what the coverage map says of it, and what was found."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`expected` names what the map predicts, any one of them; `found` what the verifier named.

    Nothing expected: the map says that nothing holds what was changed.
    """

    surface: str
    what: str
    expected: frozenset[str]
    found: frozenset[str]

    @property
    def named(self) -> bool:
        """Say whether it was found, and by a name that the map predicts."""
        return bool(self.expected & self.found)


def drawing(seed: int) -> random.Random:
    """Return the lot of one case: the seed alone decides it."""
    return random.Random(f"tampering {seed}")  # noqa: S311  a sample that every run repeats


def flipped(data: bytes, draw: random.Random, start: int = 0, stop: int | None = None) -> tuple[bytes, str]:
    """Return the bytes with one bit flipped between two places, and which."""
    place, bit = draw.randrange(start, len(data) if stop is None else stop), draw.randrange(8)
    return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :], f"byte {place} bit {bit}"
