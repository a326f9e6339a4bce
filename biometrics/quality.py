"""Whether a frame is good enough to be matched: each failure a named reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from biometrics.aligned import FACE_SIDE, aligned_face, grey_of
from biometrics.geometry import head_angles, points_of, pupil_distance
from biometrics.reasons import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.face import Face
    from biometrics.geometry import HeadAngles, Points
    from biometrics.limits import QualityLimits

_REFERENCE_SPAN = 60.0  # pupil distance, pixels, at which sharpness is measured


@dataclass(frozen=True, slots=True)
class Quality:
    """A face in a frame as a camera would be judged by it.

    `width` pixels; `sharpness` the variance of the Laplacian over the variance of the face, in
    thousandths, at a pupil distance of 60 pixels; `level`, `contrast`, `halves` 0 to 255; `covered`
    how far one patch of skin has another hue than the rest (0 to 255); `eye_light` the light of the darker
    eye over that of the darker cheek, in thousandths.
    """

    width: int
    angles: HeadAngles
    sharpness: int
    level: int
    contrast: int
    halves: int
    covered: int
    eye_light: int


def assess(face: Face) -> Quality:
    """Measure the quality of a face."""
    points = points_of(face.landmarks)
    grey = grey_of(face.picture.pixels)
    small = aligned_face(grey, points)
    colours = _patches(face.picture.pixels, points)
    low, level, high = np.percentile(small, (5, 50, 95))
    left, right = float(np.median(small[:, : FACE_SIDE // 2])), float(np.median(small[:, FACE_SIDE // 2 :]))
    return Quality(
        width=face.box.width,
        angles=head_angles(points),
        sharpness=_sharpness(grey, points),
        level=int(level),
        contrast=int(high - low),
        halves=round(abs(left - right)),
        covered=_covered(colours),
        eye_light=_eye_light(colours),
    )


def shortcomings(limits: QualityLimits, quality: Quality) -> tuple[Reason, ...]:
    """Return why the frame is not good enough, most telling first; nothing when it is."""
    angles = quality.angles
    found = {
        Reason.FACE_TOO_SMALL: quality.width < limits.width_at_least,
        Reason.TOO_DARK: quality.level < limits.level_at_least,
        Reason.TOO_BRIGHT: quality.level > limits.level_at_most,
        Reason.HEAD_TILTED: abs(angles.roll) > limits.roll_at_most,
        Reason.HEAD_TURNED: abs(angles.yaw) > limits.yaw_at_most,
        Reason.HEAD_LIFTED: abs(angles.pitch) > limits.pitch_at_most,
        Reason.UNEVEN_LIGHT: quality.halves > limits.halves_differ_at_most
        or quality.contrast < limits.contrast_at_least,
        Reason.BLURRED: quality.sharpness < limits.sharpness_at_least,
        Reason.OCCLUDED: quality.covered > limits.covered_at_most
        or quality.eye_light < limits.eye_light_at_least,
    }
    return tuple(reason for reason, failed in found.items() if failed)


def _sharpness(grey: NDArray[np.uint8], points: Points) -> int:
    low = np.maximum(points.min(axis=0).astype(int), 0)
    high = points.max(axis=0).astype(int)
    crop = grey[low[1] : high[1], low[0] : high[0]]
    scale = min(1.0, _REFERENCE_SPAN / max(pupil_distance(points), 1.0))
    if crop.size == 0:
        return 0
    reduced: Any = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    edges: Any = cv2.Laplacian(cv2.GaussianBlur(reduced, (0, 0), 0.8), cv2.CV_32F)
    return round(1000 * float(edges.var()) / (float(reduced.astype(np.float32).var()) + 1.0))


def _patches(pixels: NDArray[np.uint8], points: Points) -> dict[str, tuple[float, float, float]]:
    """Return the median colour (Y, Cr, Cb) of small squares on the skin, and of the eyes."""
    span = pupil_distance(points)
    down = np.array([0.0, 1.0])
    eyes = (points[36:42].mean(axis=0), points[42:48].mean(axis=0))
    places = {
        "brow": (points[21] + points[22]) / 2 - 0.22 * span * down,
        "nose": points[29],
        "left cheek": (eyes[0] + points[48]) / 2,
        "right cheek": (eyes[1] + points[54]) / 2,
        "chin": (points[57] + points[8]) / 2,
        "left eye": eyes[0],
        "right eye": eyes[1],
    }
    half = max(2, round(0.12 * span))
    colours: dict[str, tuple[float, float, float]] = {}
    for name, place in places.items():
        x, y = int(place[0]), int(place[1])
        square = pixels[max(y - half, 0) : y + half, max(x - half, 0) : x + half]
        if square.size:
            converted: Any = cv2.cvtColor(np.ascontiguousarray(square), cv2.COLOR_RGB2YCrCb)
            colours[name] = tuple(np.median(converted.reshape(-1, 3), axis=0).tolist())
    return colours


def _covered(colours: dict[str, tuple[float, float, float]]) -> int:
    """Return how far, at most, one patch of skin has another hue than the rest (levels of Cr and Cb)."""
    skin = np.array([colour for name, colour in colours.items() if not name.endswith("eye")])
    return round(float(np.abs(skin[:, 1:] - np.median(skin[:, 1:], axis=0)).max())) if len(skin) else 0


def _eye_light(colours: dict[str, tuple[float, float, float]]) -> int:
    """Return how light the eyes are over the cheeks, in thousandths: dark glasses make it small."""
    eyes = [colour[0] for name, colour in colours.items() if name.endswith("eye")]
    cheeks = [colour[0] for name, colour in colours.items() if name.endswith("cheek")]
    return round(1000 * min(eyes) / max(min(cheeks), 1.0)) if eyes and cheeks else 0
