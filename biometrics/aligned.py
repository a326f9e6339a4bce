"""Small grey patches cut out of a frame in the face's own axes, so that they compare across frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.geometry import Points

Grey = np.ndarray[tuple[int, int], np.dtype[np.float32]]

FACE_SIDE = 48  # pixels of the aligned face
_EYE_WIDTH, _EYE_HEIGHT = 32, 16
_EYES = ((36, 39), (42, 45))


def grey_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luminance of an RGB frame."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def aligned_face(grey: NDArray[np.uint8], points: Points) -> Grey:
    """Return the face from brows to chin, 48 x 48, the eyes always at the same place."""
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    return _cut(
        grey, left, right, (0.28 * FACE_SIDE, 0.72 * FACE_SIDE, 0.30 * FACE_SIDE), (FACE_SIDE, FACE_SIDE)
    )


def eye_patches(grey: NDArray[np.uint8], points: Points) -> tuple[Grey, Grey]:
    """Return both eyes, 16 x 32 each, between their corners."""
    first, second = (
        _cut(grey, points[a], points[b], (4.0, _EYE_WIDTH - 4.0, _EYE_HEIGHT / 2), (_EYE_WIDTH, _EYE_HEIGHT))
        for a, b in _EYES
    )
    return first, second


def correlation(first: Grey, second: Grey) -> float:
    """Return the normalised correlation of two patches, -1 to 1; 0 when one is uniform."""
    a, b = first - first.mean(), second - second.mean()
    power = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / power if power > 0 else 0.0


def _cut(
    grey: NDArray[np.uint8],
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    at: tuple[float, float, float],
    size: tuple[int, int],
) -> Grey:
    """Return the patch in which `left` and `right` lie at columns at[0], at[1] of row at[2]."""
    step = (right - left) / (at[1] - at[0])
    rotation = np.array([[step[0], -step[1]], [step[1], step[0]]])
    origin = left - rotation @ np.array([at[0], at[2]])
    inverse = np.hstack([rotation, origin[:, None]])
    flags = cv2.INTER_AREA if float(np.hypot(*step)) > 2 else cv2.INTER_LINEAR  # noqa: PLR2004  shrinking
    patch: Any = cv2.warpAffine(
        grey, inverse, size, flags=flags | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(patch, dtype=np.float32)
