"""The movements asked for: chosen by the server, at random, once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique
from itertools import permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometrics.limits import LivenessLimits

STEPS = 3


@unique
class Step(StrEnum):
    """A movement. Left and right are the person's own; frames are not mirrored."""

    BLINK = "blink"
    TURN_LEFT = "turn-left"
    TURN_RIGHT = "turn-right"
    OPEN_MOUTH = "open-mouth"
    NOD = "nod"


SEQUENCES = tuple(permutations(Step, STEPS))  # 60
_SHORT = {"left": Step.TURN_LEFT, "right": Step.TURN_RIGHT, "mouth": Step.OPEN_MOUTH}


@dataclass(frozen=True, slots=True)
class Challenge:
    """Steps in order, and before each a pause (milliseconds) that nobody knows before it is over."""

    steps: tuple[Step, ...]
    pauses: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.steps or len(self.steps) != len(self.pauses) or len(set(self.steps)) != len(self.steps):
            raise ValueError("a challenge has one pause a step, and no step twice")


def draw_challenge(limits: LivenessLimits, random_bytes: Callable[[int], bytes]) -> Challenge:
    """Draw one of the 60 sequences and its pauses, each equally likely."""
    steps = SEQUENCES[_below(len(SEQUENCES), random_bytes)]
    span = limits.pause_at_most - limits.pause_at_least + 1
    return Challenge(steps, tuple(limits.pause_at_least + _below(span, random_bytes) for _ in steps))


def parse_challenge(text: str) -> Challenge:
    """Parse a list such as `blink,left,open-mouth`, without pauses; raises ValueError.

    `left`, `right` and `mouth` are short for `turn-left`, `turn-right` and `open-mouth`.
    """
    names = [_SHORT.get(name.strip(), name.strip()) for name in text.split(",")]
    unknown = sorted(set(names) - set(Step))
    if unknown:
        raise ValueError(f"there is no movement {unknown[0]!r}; there are {', '.join(Step)}")
    return Challenge(tuple(Step(name) for name in names), (0,) * len(names))


def _below(bound: int, random_bytes: Callable[[int], bytes]) -> int:
    """Return a number from 0 to bound - 1, each equally likely (what would favour some is drawn again)."""
    span = 1 << 32
    while True:
        drawn = int.from_bytes(random_bytes(4), "big")
        if drawn < span - span % bound:
            return drawn % bound
