"""Whether what turned was a sheet: foreshortened like one, or with none of a face's relief."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

from biometrics.challenge import Step

if TYPE_CHECKING:
    from biometrics.limits import PassiveLimits
    from biometrics.signals import Signals

TURNS = (Step.TURN_LEFT, Step.TURN_RIGHT)
_MOVES = (*TURNS, Step.NOD)
TEN_DEGREES = 10.0


@dataclass(slots=True)
class Flatness:
    """Watches the head's movements against the baseline."""

    limits: PassiveLimits
    suspicious: int = field(default=0, init=False)
    shallowest: float | None = field(default=None, init=False)  # off-plane movement in a turn, its least
    parallax: tuple[float, ...] = field(default=(), init=False)  # of the nose, in ten degrees, for each turn

    def add(self, signals: Signals, done: Step | None) -> None:
        """Take a frame's signals; `done` is the step that was completed with this frame, if one was."""
        relief = max(abs(signals.yaw), abs(signals.pitch))
        foreshortened = signals.foreshortening >= self.limits.flat_angle_at_least
        if foreshortened and relief * 1000 < self.limits.relief_at_least * signals.foreshortening:
            self.suspicious += 1
        if done in _MOVES:
            depth = signals.off_plane
            self.shallowest = depth if self.shallowest is None else min(self.shallowest, depth)

    def turned(self, yaw: float, parallax: float) -> None:
        """Take the frame that completed a turn: its angle (degrees) and the parallax of the nose.

        A parallax that could not be measured, or of the other direction, counts as none.
        """
        self.parallax = (*self.parallax, TEN_DEGREES * parallax / yaw if yaw and isfinite(parallax) else 0.0)

    @property
    def flat(self) -> bool:
        """Whether a sheet moved before the camera, plane or bent about its upright axis."""
        shallow = self.shallowest is not None and self.shallowest * 1000 < self.limits.depth_at_least
        low, high = self.limits.parallax_at_least, self.limits.parallax_at_most
        bent = not all(low <= 1000 * shown <= high for shown in self.parallax)
        return shallow or bent or self.suspicious >= self.limits.flat_frames
