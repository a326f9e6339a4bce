"""Render one frame of a portrait: eyes closed so far, mouth open so far, head turned, camera swaying."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, radians, sin
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from biometrics.synthesis.portrait import HEIGHT, WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.synthesis.portrait import Portrait

_CAMERA_DISTANCE = 520.0  # millimetres
_COARSE = 4  # displacements are computed on every fourth pixel
_ROUNDS = 4  # of the fixed point that inverts the displacement


@dataclass(frozen=True, slots=True)
class Expression:
    """What the face does: degrees, fractions, pixels.

    `yaw` is positive towards the person's own left (image right), `pitch` positive downwards, `roll`
    clockwise in the image; `eyes` 0 open to 1 closed; `mouth` the opening over the pupil distance;
    `shift` moves the whole picture, `zoom` scales it.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    eyes: float = 0.0
    mouth: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0


@dataclass(slots=True)
class Renderer:
    """Renders expressions of one portrait. Holds what doesn't change between frames."""

    portrait: Portrait
    _x: NDArray[np.float32] = field(init=False, repr=False)
    _y: NDArray[np.float32] = field(init=False, repr=False)
    _depth: NDArray[np.float32] = field(init=False, repr=False)
    _weight: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        step = _COARSE
        y, x = np.mgrid[0:HEIGHT:step, 0:WIDTH:step].astype(np.float32)
        self._x, self._y = x, y
        self._depth = np.ascontiguousarray(self.portrait.depth[::step, ::step])
        self._weight = np.ascontiguousarray(self.portrait.weight[::step, ::step])

    def render(self, expression: Expression) -> NDArray[np.uint8]:
        """Return the frame (480 x 640 x 3, uint8, RGB)."""
        texture = self.portrait.pixels
        if expression.eyes > 0:
            texture = _with_eyes_closed(self.portrait, texture, expression.eyes)
        if expression.mouth > 0:
            texture = _with_mouth_open(self.portrait, texture, expression.mouth)
        x, y = self._inverse(expression)
        return np.asarray(
            cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8
        )

    def _inverse(self, expression: Expression) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return, for each pixel of the frame, where in the portrait it comes from."""
        moved_x, moved_y = self._displacement(expression)
        back_x, back_y = moved_x, moved_y
        for _ in range(_ROUNDS):
            at_x = np.asarray((self._x - back_x) / _COARSE, dtype=np.float32)
            at_y = np.asarray((self._y - back_y) / _COARSE, dtype=np.float32)
            back_x = np.asarray(cv2.remap(moved_x, at_x, at_y, cv2.INTER_LINEAR), dtype=np.float32)
            back_y = np.asarray(cv2.remap(moved_y, at_x, at_y, cv2.INTER_LINEAR), dtype=np.float32)
        centre = (float(self.portrait.centre[0]), float(self.portrait.centre[1]))
        sway: Any = cv2.getRotationMatrix2D(centre, -expression.roll, expression.zoom)
        sway[:, 2] += expression.shift
        undo: Any = cv2.invertAffineTransform(sway).astype(np.float32)
        swayed_x = undo[0, 0] * self._x + undo[0, 1] * self._y + undo[0, 2]
        swayed_y = undo[1, 0] * self._x + undo[1, 1] * self._y + undo[1, 2]
        at_x, at_y = (np.asarray(at / _COARSE, dtype=np.float32) for at in (swayed_x, swayed_y))
        from_x: Any = swayed_x - cv2.remap(back_x, at_x, at_y, cv2.INTER_LINEAR)
        from_y: Any = swayed_y - cv2.remap(back_y, at_x, at_y, cv2.INTER_LINEAR)
        return _enlarged(from_x), _enlarged(from_y)

    def _displacement(self, expression: Expression) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return how far each point of the portrait moves (pixels), by rotation and perspective."""
        face = self.portrait
        scale = face.pixels_per_mm
        offset_x, offset_y = self._x - face.centre[0], self._y - face.centre[1]
        across = (offset_x * face.right[0] + offset_y * face.right[1]) / scale
        along = (offset_x * face.down[0] + offset_y * face.down[1]) / scale
        yaw, pitch = radians(expression.yaw), radians(expression.pitch)
        turned = across * cos(yaw) + self._depth * sin(yaw)
        forward = self._depth * cos(yaw) - across * sin(yaw)
        tilted = along * cos(pitch) + forward * sin(pitch)
        nearer = (forward * cos(pitch) - along * sin(pitch)) - self._depth
        perspective = _CAMERA_DISTANCE / (_CAMERA_DISTANCE - nearer)
        move_across = (turned * perspective - across) * scale * self._weight
        move_along = (tilted * perspective - along) * scale * self._weight
        return (
            np.asarray(move_across * face.right[0] + move_along * face.down[0], dtype=np.float32),
            np.asarray(move_across * face.right[1] + move_along * face.down[1], dtype=np.float32),
        )


def _enlarged(coarse: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a map given on every _COARSE-th pixel on all of them."""
    step = np.array([[_COARSE, 0, 0], [0, _COARSE, 0]], dtype=np.float32)
    return np.asarray(
        cv2.warpAffine(coarse, step, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE), dtype=np.float32
    )


def _window(points: NDArray[np.float64], margin: float) -> tuple[slice, slice]:
    low = np.maximum(np.floor(points.min(axis=0) - margin).astype(int), 0)
    high = np.ceil(points.max(axis=0) + margin).astype(int)
    return slice(int(low[1]), min(int(high[1]), HEIGHT)), slice(int(low[0]), min(int(high[0]), WIDTH))


def _grid(face: Portrait, window: tuple[slice, slice]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the window's pixels in the face's axes (pixels from the centre)."""
    y, x = np.mgrid[window[0], window[1]].astype(np.float64)
    offset_x, offset_y = x - face.centre[0], y - face.centre[1]
    return offset_x * face.right[0] + offset_y * face.right[1], offset_x * face.down[
        0
    ] + offset_y * face.down[1]


def _sampled(
    face: Portrait, texture: NDArray[np.uint8], across: NDArray[np.float64], along: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the texture at points given in the face's axes."""
    x = face.centre[0] + across * face.right[0] + along * face.down[0]
    y = face.centre[1] + across * face.right[1] + along * face.down[1]
    return np.asarray(
        cv2.remap(texture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR), dtype=np.float64
    )


def _with_eyes_closed(face: Portrait, texture: NDArray[np.uint8], closed: float) -> NDArray[np.uint8]:
    """Draw the lids down: skin from above the eye covers it from the top, with a darker edge of lashes."""
    painted = texture.copy()
    for first in (36, 42):
        eye = face.points[first : first + 6]
        lid = face.along(eye)
        order = np.argsort(lid[:, 0])
        width = float(lid[order[-1], 0] - lid[order[0], 0])
        window = _window(eye, 0.6 * width)
        across, along = _grid(face, window)
        upper = _curve(across, lid[[0, 1, 2, 3]])
        lower = _curve(across, lid[[0, 5, 4, 3]])
        edge = upper + 0.97 * closed * (lower - upper)
        # The skin between brow and lashes stretches down to the lid's edge and takes the lashes with it.
        above, lash_line = upper - 0.42 * width, upper - 0.10 * width
        stretch = (lash_line - above) / np.maximum(edge - above, 1e-6)
        skin = _sampled(face, texture, across, above + (along - above) * stretch)
        lashes = np.exp(-(((along - edge) / (0.05 * width)) ** 2)) * 0.75 * min(1.0, 2 * closed)
        skin *= (1 - lashes)[..., None]
        covered = np.clip((edge + 0.04 * width - along) / 2.0 + 0.5, 0, 1) * (along > above)
        position = (across - (lid[order[0], 0] + lid[order[-1], 0]) / 2) / (0.62 * width)
        alpha = (covered * np.clip((1 - np.abs(position)) / 0.12, 0, 1))[..., None]
        painted[window] = np.clip(skin * alpha + painted[window] * (1 - alpha), 0, 255).astype(np.uint8)
    return painted


def _curve(at: NDArray[np.float64], through: NDArray[np.float64]) -> NDArray[np.float64]:
    coefficients = np.polyfit(through[:, 0], through[:, 1], 2)
    return np.asarray(np.polyval(coefficients, at))


def _with_mouth_open(face: Portrait, texture: NDArray[np.uint8], opening: float) -> NDArray[np.uint8]:
    """Lower the jaw: what lies under the lips' line moves down, and the gap shows the mouth's dark."""
    mouth = face.along(face.points[48:68])
    upper, lower = mouth[[12, 13, 14, 15, 16]], mouth[[12, 19, 18, 17, 16]]
    middle = (upper + lower) / 2
    half = (middle[-1, 0] - middle[0, 0]) / 2
    centre = (middle[-1, 0] + middle[0, 0]) / 2
    chin = float(face.along(face.points[8:9])[0, 1])
    drop = opening * face.pixels_per_mm * 63.0
    window = _window(face.points[[*range(2, 15), *range(48, 68)]], 1.2 * drop + 0.35 * half)
    across, along = _grid(face, window)
    line = _curve(np.clip(across, middle[0, 0], middle[-1, 0]), middle)
    below = along - line
    reach = chin - float(middle[:, 1].mean())
    position = (across - centre) / half
    lips = np.sqrt(np.clip(1 - position**2, 0, 1))
    jaw = np.exp(-((position / 1.5) ** 2))

    def lowered(depth: NDArray[np.float64]) -> NDArray[np.float64]:
        mixed = np.clip(depth / (0.5 * reach), 0, 1)
        fading = np.clip((1.75 * reach - depth) / (0.75 * reach), 0, 1)
        return np.asarray(drop * (lips * (1 - mixed) + jaw * mixed) * fading)

    source = below.copy()
    for _ in range(6):
        source = np.maximum(below - lowered(np.maximum(source, 0)), 0)
    gap = (below > 0) & (below < lowered(np.zeros_like(below))) & (np.abs(position) < 1)
    moved = _sampled(face, texture, across, np.where(below > 0, line + source, along))
    softened: Any = cv2.GaussianBlur(gap.astype(np.float64), (0, 0), 1.0)
    alpha = softened[..., None]
    painted = texture.copy()
    painted[window] = np.clip(moved * (1 - alpha) + np.array([48.0, 22.0, 22.0]) * alpha, 0, 255).astype(
        np.uint8
    )
    return painted
