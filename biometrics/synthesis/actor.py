"""Somebody who does what is asked: reacts after a while, moves smoothly, sways and blinks in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import pi, sin
from typing import TYPE_CHECKING, Protocol

from biometrics.challenge import Step
from biometrics.synthesis.render import Expression

if TYPE_CHECKING:
    import numpy as np


class Performer(Protocol):
    """Whoever or whatever is before the camera."""

    def perform(self, at: int, asked: Step | None, index: int) -> Expression:
        """Return what is seen at a time (milliseconds), `asked` being shown as step `index` just now."""
        ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody moves: ranges to draw from, milliseconds, degrees and fractions."""

    reaction: tuple[int, int] = (350, 1400)
    turn: tuple[float, float] = (12.0, 18.0)
    nod: tuple[float, float] = (10.0, 14.0)
    mouth: tuple[float, float] = (0.20, 0.36)
    turn_time: tuple[int, int] = (1100, 2000)
    nod_time: tuple[int, int] = (900, 1500)
    mouth_time: tuple[int, int] = (900, 1700)
    blink_time: tuple[int, int] = (450, 900)
    closed: tuple[float, float] = (0.72, 0.86)
    sway: float = 5.0  # pixels
    blinks_apart: tuple[int, int] = (2500, 6000)
    eyes: bool = True  # whether the eyes can be closed
    lips: bool = True  # whether the mouth can be opened


@dataclass(frozen=True, slots=True)
class _Act:
    step: Step
    begins: int
    lasts: int
    size: float


@dataclass(slots=True)
class Actor:
    """Performs the steps asked for; the same seed performs alike."""

    rng: np.random.Generator
    manner: Manner = field(default_factory=Manner)
    _acts: list[_Act] = field(default_factory=list, init=False)
    _answered: int = field(default=-1, init=False)
    _next_blink: int = field(default=0, init=False)
    _phases: tuple[float, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        self._phases = tuple(float(phase) for phase in self.rng.uniform(0, 2 * pi, size=6))
        self._next_blink = int(self.rng.integers(*self.manner.blinks_apart))

    def perform(self, at: int, asked: Step | None, index: int) -> Expression:
        """Return what is seen at a time."""
        if asked is not None and index > self._answered:
            self._answered = index
            self._acts.append(self._act(asked, at + int(self.rng.integers(*self.manner.reaction))))
            self._next_blink = max(self._next_blink, at + 2500)
        if at >= self._next_blink:
            if self.manner.eyes and all(act.begins + act.lasts < at for act in self._acts):
                self._acts.append(_Act(Step.BLINK, at, 250, 0.8))
            self._next_blink = at + int(self.rng.integers(*self.manner.blinks_apart))
        return self._seen(at)

    def _act(self, step: Step, begins: int) -> _Act:
        manner = self.manner
        size, lasts = {
            Step.BLINK: (manner.closed, manner.blink_time),
            Step.TURN_LEFT: (manner.turn, manner.turn_time),
            Step.TURN_RIGHT: (manner.turn, manner.turn_time),
            Step.OPEN_MOUTH: (manner.mouth, manner.mouth_time),
            Step.NOD: (manner.nod, manner.nod_time),
        }[step]
        return _Act(step, begins, int(self.rng.integers(*lasts)), float(self.rng.uniform(*size)))

    def _seen(self, at: int) -> Expression:
        made = dict.fromkeys(Step, 0.0)
        for act in self._acts:
            made[act.step] = max(made[act.step], act.size * _envelope((at - act.begins) / act.lasts))
        sway, phases, seconds = self.manner.sway, self._phases, at / 1000
        return Expression(
            yaw=made[Step.TURN_LEFT] - made[Step.TURN_RIGHT] + 1.2 * sin(0.9 * seconds + phases[0]),
            pitch=made[Step.NOD] + 0.8 * sin(1.1 * seconds + phases[1]),
            roll=1.5 * sin(0.7 * seconds + phases[2]),
            eyes=made[Step.BLINK] if self.manner.eyes else 0.0,
            mouth=made[Step.OPEN_MOUTH] if self.manner.lips else 0.0,
            shift=(sway * sin(0.8 * seconds + phases[3]), 0.6 * sway * sin(1.3 * seconds + phases[4])),
            zoom=1 + 0.012 * sin(0.6 * seconds + phases[5]),
        )


def _envelope(position: float) -> float:
    """Rise over the first third, hold, and fall over the last: 0 to 1 and back."""
    if not 0 < position < 1:
        return 0.0
    edge = min(position, 1 - position) * 3
    return 1.0 if edge >= 1 else 0.5 - 0.5 * _cosine(edge)


def _cosine(edge: float) -> float:
    return sin(pi / 2 - pi * edge)
