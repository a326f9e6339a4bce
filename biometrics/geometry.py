"""What 68 landmarks (iBUG order) tell about a face: how open eyes and mouth are, how the head is held.

The head's angles come from relief. The tip of the nose stands out of the plane of the eyes' and the
mouth's corners; when the head turns it moves against that plane, and no affine map of a flat picture
moves it so. The angle by which a flat thing would have to turn to look as foreshortened as it does is
measured apart; where that one is large and the first is not, what turned was flat.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, asin, degrees
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.face import Box, Landmarks

Points = np.ndarray[tuple[int, int], np.dtype[np.float64]]

PLANE = (36, 39, 42, 45, 48, 54)  # corners of the eyes and of the mouth
NOSE_TIP = 30
RIGID = (*range(36), *range(36, 48, 3), 48, 54)  # what speech and blinking leave in place, nearly
_EYES = ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47))
_INNER_LIPS = ((61, 67), (62, 66), (63, 65))
# How far the tip moves per sine of the angle, over the distance of the eyes' outer corners: measured on
# rendered turns of 12 and 22 degrees, between 0.44 and 0.52; nods 0.41 to 0.43.
_RELIEF_PER_SINE = (0.47, 0.42)
_TIP_OF_A_FRONTAL_FACE = (0.0, 0.60)  # across and along, from the eyes (0) to the mouth's corners (1)


@dataclass(frozen=True, slots=True)
class HeadAngles:
    """Degrees. `yaw` grows towards the person's own left, `pitch` downwards, `roll` clockwise as seen."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True)
class Motion:
    """How a face has moved since its baseline.

    `yaw` and `pitch` are degrees by relief, `foreshortening` the degrees by which a flat thing would have
    turned, `off_plane` how far the landmarks are from any flat motion, over the pupil distance.
    """

    yaw: float
    pitch: float
    foreshortening: float
    off_plane: float


def points_of(landmarks: Landmarks) -> Points:
    """Return the landmarks as an array of 68 x 2 (pixels)."""
    return np.array(landmarks.points, dtype=np.float64)


def pupil_distance(points: Points) -> float:
    """Return the distance of the eyes' centres, in pixels."""
    return float(np.hypot(*(points[42:48].mean(axis=0) - points[36:42].mean(axis=0))))


def eye_openness(points: Points) -> float:
    """Return the eyes' mean aspect ratio (Soukupova and Cech, Real-Time Eye Blink Detection, 2016)."""

    def ratio(eye: tuple[int, ...]) -> float:
        outer, upper, upper_too, inner, lower, lower_too = points[list(eye)]
        height = np.hypot(*(upper - lower_too)) + np.hypot(*(upper_too - lower))
        return float(height / (2 * np.hypot(*(outer - inner))))

    return (ratio(_EYES[0]) + ratio(_EYES[1])) / 2


def mouth_opening(points: Points) -> float:
    """Return the gap between the lips over the pupil distance."""
    gaps = [float(np.hypot(*(points[upper] - points[lower]))) for upper, lower in _INNER_LIPS]
    return sum(gaps) / len(gaps) / pupil_distance(points)


def head_angles(points: Points) -> HeadAngles:
    """Return the angles at which a face of average proportions would look like this one."""
    right_of_face = points[45] - points[36]
    width = float(np.hypot(*right_of_face))
    across = right_of_face / width
    along = np.array([-across[1], across[0]])
    eyes, mouth = points[list(PLANE[:4])].mean(axis=0), points[list(PLANE[4:])].mean(axis=0)
    height = float((mouth - eyes) @ along)
    expected = eyes + _TIP_OF_A_FRONTAL_FACE[1] * height * along
    tip = (points[NOSE_TIP] - expected) / width
    # Where mouth and eyes are shifted against each other the head leans; the line between them is the axis.
    lean = float((mouth - eyes) @ across) / width * _TIP_OF_A_FRONTAL_FACE[1]
    return HeadAngles(
        yaw=_angle(float(tip @ across) - lean, _RELIEF_PER_SINE[0]),
        pitch=_angle(float(tip @ along), _RELIEF_PER_SINE[1]),
        roll=degrees(float(np.arctan2(across[1], across[0]))),
    )


def motion_between(baseline: Points, points: Points) -> Motion:
    """Return how the face moved from `baseline` to `points`."""
    plane = list(PLANE)
    affine = affine_map(baseline[plane], points[plane])
    expected = np.append(baseline[NOSE_TIP], 1.0) @ affine
    right_of_face = points[45] - points[36]
    width = float(np.hypot(*right_of_face))
    across = right_of_face / width
    along = np.array([-across[1], across[0]])
    tip = (points[NOSE_TIP] - expected) / width
    stretches = np.linalg.svd(affine[:2], compute_uv=False)
    return Motion(
        yaw=_angle(float(tip @ across), _RELIEF_PER_SINE[0]),
        pitch=_angle(float(tip @ along), _RELIEF_PER_SINE[1]),
        foreshortening=degrees(acos(min(1.0, float(stretches[1] / stretches[0])))),
        off_plane=_off_plane(baseline, points),
    )


def overlap(first: Box, second: Box) -> float:
    """Return the boxes' intersection over their union, 0 to 1."""
    width = min(first.right, second.right) - max(first.left, second.left)
    height = min(first.bottom, second.bottom) - max(first.top, second.top)
    shared = max(width, 0) * max(height, 0)
    return shared / (first.width * first.height + second.width * second.height - shared)


def _angle(shift: float, per_sine: float) -> float:
    return degrees(asin(max(-1.0, min(1.0, shift / per_sine))))


def affine_map(source: Points, target: Points) -> NDArray[np.float64]:
    """Return the 3 x 2 map that takes (x, y, 1) of the source to the target, by least squares."""
    system = np.hstack([source, np.ones((len(source), 1))])
    return np.asarray(np.linalg.lstsq(system, target, rcond=None)[0])


def _off_plane(baseline: Points, points: Points) -> float:
    """Return the residual of the best plane-to-plane map (direct linear transform) of the rigid points."""
    chosen = list(RIGID)
    scale = pupil_distance(points)
    start = (baseline[chosen] - baseline[chosen].mean(axis=0)) / pupil_distance(baseline)
    end = (points[chosen] - points[chosen].mean(axis=0)) / scale
    one, zero = np.ones(len(chosen)), np.zeros(len(chosen))
    x, y, u, v = start[:, 0], start[:, 1], end[:, 0], end[:, 1]
    # u (h6 x + h7 y + 1) = h0 x + h1 y + h2, and likewise v: linear in the eight unknowns.
    rows_u = np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=1)
    rows_v = np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=1)
    solution = np.linalg.lstsq(np.vstack([rows_u, rows_v]), np.concatenate([u, v]), rcond=None)[0]
    bottom = solution[6] * x + solution[7] * y + 1
    mapped_u = (solution[0] * x + solution[1] * y + solution[2]) / bottom
    mapped_v = (solution[3] * x + solution[4] * y + solution[5]) / bottom
    return float(np.sqrt(np.mean((mapped_u - u) ** 2 + (mapped_v - v) ** 2)))
