"""Look for the grid of a screen or the dots of a print: sharp peaks in the spectrum of the face.

Skin has a smooth spectrum. A display's pixels, a halftone's dots and the moire between either and the
camera's own grid are periodic. Spectra are averaged over frames, so that noise evens out and what is
periodic stays. What the camera doesn't resolve leaves no peak: a fine screen passes this check.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from biometrics.geometry import pupil_distance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.frame import Frame
    from biometrics.geometry import Points

_SIDE = 128  # pixels of the window, at the frame's own resolution
_LOWEST = 0.09  # cycles a pixel: below lies the face itself
_BLOCK = 8  # JPEG's own grid
_NEIGHBOURHOOD = 15  # bins over which a peak's surroundings are taken
_PLANES = 3


@dataclass(slots=True)
class Texture:
    """Averages spectra of the face over frames."""

    frames: int = field(default=0, init=False)
    _power: NDArray[np.float64] = field(
        default_factory=lambda: np.zeros((_PLANES, _SIDE, _SIDE // 2 + 1)), init=False, repr=False
    )

    def add(self, frame: Frame, points: Points) -> None:
        """Add a frame; one whose face lies at the edge is left out."""
        window = _window(frame.picture.pixels, points)
        if window is None:
            return
        planes: Any = cv2.cvtColor(window, cv2.COLOR_RGB2YCrCb).astype(np.float32)
        for index in range(_PLANES):
            plane = planes[..., index]
            detail = plane - cv2.GaussianBlur(plane, (0, 0), 3)
            spread = float(detail.std())
            if spread > 0:
                self._power[index] += np.abs(np.fft.rfft2(detail / spread * _TAPER)) ** 2
        self.frames += 1

    def peak(self) -> float:
        """Return the highest peak over its surroundings, over all planes; 0 before the first frame."""
        if not self.frames:
            return 0.0
        return max(_highest(self._power[index]) for index in range(_PLANES))


_TAPER = np.outer(np.hanning(_SIDE), np.hanning(_SIDE)).astype(np.float32)


def _searched() -> NDArray[np.bool_]:
    """Return which bins of the half spectrum are searched."""
    across = np.arange(_SIDE // 2 + 1)[None, :]
    along = np.minimum(np.arange(_SIDE), _SIDE - np.arange(_SIDE))[:, None]
    radius = np.hypot(across, along) / _SIDE
    step = _SIDE // _BLOCK
    off_blocks = [np.minimum(bins % step, step - bins % step) > 1 for bins in (across, along)]
    on_axes = (across <= 1) | (along <= 1)
    on_lattice = ~off_blocks[0] & ~off_blocks[1]
    return np.asarray((radius >= _LOWEST) & ~on_lattice & ~(on_axes & (~off_blocks[0] | ~off_blocks[1])))


_SEARCHED = _searched()


def _highest(power: NDArray[np.float64]) -> float:
    logarithm = np.log(power + 1e-9).astype(np.float32)
    surroundings = cv2.blur(logarithm, (_NEIGHBOURHOOD, _NEIGHBOURHOOD), borderType=cv2.BORDER_REFLECT_101)
    return float(np.exp(np.max((logarithm - surroundings)[_SEARCHED])))


def _window(pixels: NDArray[np.uint8], points: Points) -> NDArray[np.uint8] | None:
    """Return the window around the middle of the face, from the eyes to the chin."""
    middle = points[30] + np.array([0.0, 0.1 * pupil_distance(points)])
    top, left = round(middle[1]) - _SIDE // 2, round(middle[0]) - _SIDE // 2
    inside = 0 <= top <= pixels.shape[0] - _SIDE and 0 <= left <= pixels.shape[1] - _SIDE
    return pixels[top : top + _SIDE, left : left + _SIDE] if inside else None
