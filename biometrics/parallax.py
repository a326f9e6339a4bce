"""Whether the nose stands out when the head turns: pixels followed, not landmarks.

On a sheet bent about its upright axis, the bridge of the nose, its tip and the groove beneath it lie on
one upright line and move alike, however far the sheet is bent; on a face the tip stands out of that line
and moves further. A landmarker trained on faces sees a nose that stands out on either, so the movement is
taken from the pixels: dense optical flow (Kroeger et al., Fast Optical Flow using Dense Inverse Search, 2016)
after the best affine map between the two frames is taken out.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from biometrics.geometry import NOSE_TIP, RIGID, affine_map

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.geometry import Points

_SIDE = 176  # pixels of the square in which the frames are compared
_PUPILS = ((56.0, 56.0), (120.0, 56.0))  # where the pupils lie in it
_DISTANCE = _PUPILS[1][0] - _PUPILS[0][0]
_RADIUS = 5.0  # pixels around a place over which the flow's median is taken
_FACE = [index for index in RIGID if index > 16]  # noqa: PLR2004  the jaw's outline is no fixed point of a head
_BRIDGE, _UNDER_NOSE, _UPPER_LIP = 27, 33, 51


def nose_parallax(before: NDArray[np.uint8], rest: Points, now: NDArray[np.uint8], turned: Points) -> float:
    """Return how far the tip of the nose moved across beyond what lies above and beneath it.

    Over the pupil distance. Above is the bridge, beneath the groove to the lip, which speech moves least.

    `before` and `now` are grey frames, `rest` and `turned` their 68 landmarks. Positive towards the
    person's own left. Not a number where a place lies outside the frame.
    """
    square = _square(rest)
    placed = _mapped(rest, square)
    first: Any = cv2.warpAffine(before, square, (_SIDE, _SIDE))
    second: Any = cv2.warpAffine(now, affine_map(turned[_FACE], placed[_FACE]).T, (_SIDE, _SIDE))
    even: Any = cv2.createCLAHE(2.0, (4, 4))
    across = _flow().calc(even.apply(first), even.apply(second), None)[..., 0] / _DISTANCE
    tip = _at(across, placed[NOSE_TIP])
    above = _at(across, placed[_BRIDGE] - np.array([0.0, 4.0]))
    below = _at(across, (placed[_UNDER_NOSE] + placed[_UPPER_LIP]) / 2)
    return tip - (above + below) / 2


@cache
def _flow() -> Any:
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)


def _square(points: Points) -> NDArray[np.float64]:
    """Return the map (2 x 3) that puts the pupils at their places."""
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    span = right - left
    below = (left + right) / 2 + np.array([-span[1], span[0]])
    middle = ((_PUPILS[0][0] + _PUPILS[1][0]) / 2, _PUPILS[0][1] + _DISTANCE)
    return affine_map(np.stack([left, right, below]), np.array([*_PUPILS, middle])).T


def _mapped(points: Points, affine: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.hstack([points, np.ones((len(points), 1))]) @ affine.T)


def _at(field: NDArray[np.float32], place: NDArray[np.float64]) -> float:
    y, x = np.mgrid[0:_SIDE, 0:_SIDE]
    near = field[(x - place[0]) ** 2 + (y - place[1]) ** 2 < _RADIUS**2]
    return float(np.median(near)) if near.size else float("nan")
