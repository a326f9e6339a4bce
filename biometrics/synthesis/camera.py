"""A webcam: exposure, white balance, lens, sensor noise, and the JPEG that a capture page sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from biometrics.synthesis.portrait import HEIGHT, WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NOISES = 2
_SPARE = 64  # pixels by which the noise fields are larger, so that they can be shifted


@dataclass(slots=True)
class Camera:
    """One camera in one light; `rng` decides which, once, and then the noise of each frame."""

    rng: np.random.Generator
    _curve: NDArray[np.uint8] = field(init=False, repr=False)
    _noise: NDArray[np.int8] = field(init=False, repr=False)
    _blur: float = field(init=False)
    _quality: int = field(init=False)

    def __post_init__(self) -> None:
        rng = self.rng
        levels = np.arange(256, dtype=np.float64)
        gain, gamma = rng.uniform(0.75, 1.15), rng.uniform(0.85, 1.2)
        balance = rng.uniform(0.94, 1.06, size=3)
        curve = np.stack([255 * (levels / 255) ** gamma * gain * channel for channel in balance], axis=-1)
        self._curve = np.clip(curve, 0, 255).astype(np.uint8)[None]
        self._blur = float(rng.uniform(0.3, 0.8))
        self._quality = int(rng.integers(92, 98))
        self._noise = np.rint(_standard_noise() * np.float32(rng.uniform(1.0, 3.0))).astype(np.int8)

    def take(self, scene: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the frame that arrives of a scene (480 x 640 x 3)."""
        picture: Any = cv2.LUT(cv2.GaussianBlur(scene, (0, 0), self._blur), self._curve)
        down, right = (int(offset) for offset in self.rng.integers(0, _SPARE, size=2))
        noise = self._noise[int(self.rng.integers(_NOISES)), down : down + HEIGHT, right : right + WIDTH]
        noisy: Any = cv2.add(picture, noise, dtype=cv2.CV_8U)
        _, encoded = cv2.imencode(".jpg", noisy, (cv2.IMWRITE_JPEG_QUALITY, self._quality))
        return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)


@cache
def _standard_noise() -> NDArray[np.float32]:
    """Return noise fields of unit deviation, the same for every camera: shifted anew for every frame."""
    shape = (_NOISES, HEIGHT + _SPARE, WIDTH + _SPARE, 3)
    return np.clip(np.random.default_rng(1).standard_normal(shape, dtype=np.float32), -6, 6)
