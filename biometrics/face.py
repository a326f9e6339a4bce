"""The values that pass between the stages: box, landmarks, face, template."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.picture import Picture


@dataclass(frozen=True, slots=True)
class Box:
    """Where a detector saw a face, in pixels; may reach beyond the picture's edges.

    `score` is the detector's own confidence, comparable only within one detector.
    """

    left: int
    top: int
    right: int
    bottom: int
    score: float

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Named points of one face, in pixels (x, y), in the landmarker's own fixed order."""

    points: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """The one face of a picture."""

    picture: Picture
    box: Box
    landmarks: Landmarks


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A face as a vector: read-only float64 of shape (n,). Biometric data: it never leaves memory."""

    vector: NDArray[np.float64] = field(repr=False)

    def distance(self, other: Template) -> float:
        """Return the Euclidean distance to another template of the same embedder."""
        return float(np.linalg.norm(self.vector - other.vector))
