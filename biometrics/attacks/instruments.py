"""What an attacker holds before the camera: a print, a screen, a mask cut out of a print."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from biometrics.synthesis.generic_face import PIVOT_DEPTH
from biometrics.synthesis.portrait import HEIGHT, WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.synthesis.portrait import Portrait

_HALF = 0.5
_INVISIBLE = 0.002  # of the brightness: below half a level


def sheet_of(portrait: Portrait, radius: float | None) -> Portrait:
    """Return the portrait on a sheet: flat, or bent about its upright axis with a radius in millimetres."""
    across = (np.arange(WIDTH, dtype=np.float64) - portrait.centre[0]) / portrait.pixels_per_mm
    depth = np.zeros(WIDTH)
    if radius is not None:
        inside = np.minimum(np.abs(across), 0.9 * radius)
        depth = np.sqrt(radius**2 - inside**2) - radius
    sheet = np.broadcast_to((depth - PIVOT_DEPTH).astype(np.float32), (HEIGHT, WIDTH))
    return replace(portrait, depth=sheet, weight=np.ones((HEIGHT, WIDTH), np.float32))


def printed(portrait: Portrait, rng: np.random.Generator) -> Portrait:
    """Return the portrait as printed: raised black, less colour, and on half of the prints halftone dots."""
    levels = portrait.pixels.astype(np.float64)
    grey = levels.mean(axis=-1, keepdims=True)
    colour = grey + (levels - grey) * rng.uniform(0.6, 0.95)
    black, white = rng.uniform(15, 45), rng.uniform(200, 240)
    ink = black + colour * (white - black) / 255
    if rng.random() < _HALF:
        pitch, angle = rng.uniform(1.8, 4.0), rng.uniform(0, np.pi / 2)
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        across = (x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / pitch
        along = (y * np.cos(angle) - x * np.sin(angle)) * 2 * np.pi / pitch
        dots = (np.cos(across) + np.cos(along)) / 2
        ink += (dots * rng.uniform(6, 22))[..., None]
    return replace(portrait, pixels=np.clip(ink, 0, 255).astype(np.uint8))


def cut_out(portrait: Portrait) -> Portrait:
    """Return the portrait with the edges of holes cut around eyes and mouth, as shadows on the paper."""
    pixels = portrait.pixels.copy()
    for first, last, grow in ((36, 42, 1.35), (42, 48, 1.35), (48, 60, 1.2)):
        points = portrait.points[first:last]
        middle = points.mean(axis=0)
        outline = ((points - middle) * np.array([grow, grow * 1.3]) + middle).round().astype(np.int32)
        hull: Any = cv2.convexHull(outline)
        cv2.polylines(pixels, [hull], isClosed=True, color=(60, 48, 44), thickness=2, lineType=cv2.LINE_AA)
    return replace(portrait, pixels=pixels)


@dataclass(slots=True)
class Screen:
    """A display that shows a recording: its pixel grid as the camera resolves it, glow, glare and flicker.

    The grid's pitch is between 0.9 and 3.2 of the camera's pixels. Finer ones, a phone of high density at
    arm's length for instance, leave no grid in the picture; none of those is among these attacks.
    """

    rng: np.random.Generator
    pitch: float = field(init=False)
    _waves: list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]] = field(
        default_factory=list, init=False, repr=False
    )
    _glare: NDArray[np.float32] = field(init=False, repr=False)
    _tone: tuple[float, float] = field(init=False)
    _tint: NDArray[np.float32] = field(init=False, repr=False)
    _flicker: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        rng = self.rng
        self.pitch = float(np.exp(rng.uniform(np.log(0.9), np.log(3.2))))
        lens, fill, angle = rng.uniform(0.25, 0.45), rng.uniform(0.7, 0.95), rng.uniform(-0.12, 0.12)
        depth = rng.uniform(0.5, 0.9)
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        for turned, thirds in ((angle, (0.0, 1 / 3, 2 / 3)), (angle + np.pi / 2, (0.0, 0.0, 0.0))):
            for harmonic in (1, 2):
                frequency = harmonic / self.pitch
                passed = np.exp(-2 * (np.pi * lens * frequency) ** 2) * abs(np.sinc(0.85 * frequency))
                strength = depth * abs(np.sinc(harmonic * fill)) * 2 * passed
                if strength < _INVISIBLE:
                    continue
                phase = 2 * np.pi * frequency * (x * np.cos(turned) + y * np.sin(turned))
                shifts = 2 * np.pi * harmonic * np.array(thirds)
                self._waves.append(
                    (
                        (strength * np.cos(phase)).astype(np.float32),
                        (strength * np.sin(phase)).astype(np.float32),
                        shifts,
                    )
                )
        spot = np.exp(-(((x - rng.uniform(0, WIDTH)) / 60) ** 2 + ((y - rng.uniform(0, HEIGHT)) / 45) ** 2))
        self._glare = (rng.uniform(0, 60) * spot).astype(np.float32)[..., None]
        self._tone = (float(rng.uniform(8, 30)), float(rng.uniform(0.75, 1.0)))
        self._tint = np.array([rng.uniform(0.88, 1.0), 1.0, rng.uniform(1.0, 1.12)], dtype=np.float32)
        self._flicker = (float(rng.uniform(0, 0.05)), float(rng.uniform(0.2, 2.0)))

    def show(self, picture: NDArray[np.uint8], at: int) -> NDArray[np.uint8]:
        """Return what the camera sees of a picture shown at a time (milliseconds)."""
        black, gain = self._tone
        shown = (picture.astype(np.float32) * gain + black) * self._tint
        drift = float(self.rng.uniform(0, 2 * np.pi))
        grid = np.ones((HEIGHT, WIDTH, 3), np.float32)
        for even, odd, shifts in self._waves:
            for channel in range(3):
                phase = drift + float(shifts[channel])
                grid[..., channel] += even * np.float32(np.cos(phase)) - odd * np.float32(np.sin(phase))
        depth, speed = self._flicker
        rows = np.arange(HEIGHT) / HEIGHT * 2 * np.pi
        band = (1 + depth * np.sin(rows + speed * at / 1000 * 2 * np.pi)).astype(np.float32)[:, None, None]
        return np.asarray(np.clip(shown * grid * band + self._glare, 0, 255), dtype=np.uint8)
