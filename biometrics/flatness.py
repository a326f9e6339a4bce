"""Whether what turned was flat: foreshortened like a turned sheet, with none of a face's relief."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from biometrics.challenge import Step

if TYPE_CHECKING:
    from biometrics.limits import PassiveLimits
    from biometrics.signals import Signals

_TURNS = (Step.TURN_LEFT, Step.TURN_RIGHT, Step.NOD)


@dataclass(slots=True)
class Flatness:
    """Watches the head's movements against the baseline."""

    limits: PassiveLimits
    suspicious: int = field(default=0, init=False)
    shallowest: float | None = field(default=None, init=False)  # off-plane movement in a turn, its least

    def add(self, signals: Signals, done: Step | None) -> None:
        """Take a frame's signals; `done` is the step that was completed with this frame, if one was."""
        relief = max(abs(signals.yaw), abs(signals.pitch))
        foreshortened = signals.foreshortening >= self.limits.flat_angle_at_least
        if foreshortened and relief * 1000 < self.limits.relief_at_least * signals.foreshortening:
            self.suspicious += 1
        if done in _TURNS:
            depth = signals.off_plane
            self.shallowest = depth if self.shallowest is None else min(self.shallowest, depth)

    @property
    def flat(self) -> bool:
        """Whether a flat thing moved before the camera."""
        shallow = self.shallowest is not None and self.shallowest * 1000 < self.limits.depth_at_least
        return shallow or self.suspicious >= self.limits.flat_frames
