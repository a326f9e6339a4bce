"""Prepare a photo for rendering: crop to a camera's frame, landmarks, a depth for every pixel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from biometrics.errors import FaceRefused
from biometrics.locate import locate_face
from biometrics.picture import picture_of_pixels
from biometrics.reasons import Reason
from biometrics.synthesis.generic_face import DEPTHS, PIVOT_DEPTH, PUPIL_DISTANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.interfaces import Detector, Landmarker
    from biometrics.picture import Picture

WIDTH, HEIGHT = 640, 480  # pixels of a rendered frame
_FACE_WIDTH = 190.0  # pixels of the detector's box in it
_MARGIN = 700  # pixels of repeated edge, for photos cropped tightly
_NO_SMALLER = 60  # pixels of the photo's own face: below, enlarging would invent it


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A photo as the surface of a generic head.

    `pixels` is 480 x 640 x 3 (uint8, RGB); `points` the 68 landmarks in it; `depth` millimetres in front
    of the neck's axis and `weight` how much a pixel belongs to the head (0 to 1), both 480 x 640 float32.
    `right` and `down` are the face's unit axes in the picture, `centre` the point between the pupils,
    `pixels_per_mm` its scale.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    points: NDArray[np.float64] = field(repr=False)
    depth: NDArray[np.float32] = field(repr=False)
    weight: NDArray[np.float32] = field(repr=False)
    centre: NDArray[np.float64]
    right: NDArray[np.float64]
    down: NDArray[np.float64]
    pixels_per_mm: float

    def along(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (n x 2, pixels) in the face's own axes, pixels from the centre."""
        offset = xy - self.centre
        return np.stack([offset @ self.right, offset @ self.down], axis=-1)


def prepare_portrait(photo: Picture, detector: Detector, landmarker: Landmarker) -> Portrait:
    """Return the portrait of the photo's one face; raises FaceRefused when it has none that will do."""
    face = locate_face(photo, detector, landmarker, _NO_SMALLER)
    scale = _FACE_WIDTH / face.box.width
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    enlarged: Any = cv2.resize(photo.pixels, None, fx=scale, fy=scale, interpolation=method)
    padded: Any = cv2.copyMakeBorder(enlarged, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REPLICATE)
    middle_x = round((face.box.left + face.box.right) / 2 * scale) + _MARGIN
    middle_y = round((face.box.top + face.box.bottom) / 2 * scale) + _MARGIN
    top, left = middle_y - HEIGHT // 2 - 10, middle_x - WIDTH // 2
    frame = np.ascontiguousarray(padded[top : top + HEIGHT, left : left + WIDTH])
    if frame.shape != (HEIGHT, WIDTH, 3):
        raise FaceRefused(Reason.FACE_CUT_OFF, photo.source, "the face is too near the photo's edge")
    shown = locate_face(picture_of_pixels(frame, photo.source), detector, landmarker, _NO_SMALLER)
    return _portrait(frame, np.array(shown.landmarks.points, dtype=np.float64))


def _portrait(pixels: NDArray[np.uint8], points: NDArray[np.float64]) -> Portrait:
    left_eye, right_eye = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    span = right_eye - left_eye
    distance = float(np.hypot(*span))
    right = span / distance
    down = np.array([-right[1], right[0]])
    centre = (left_eye + right_eye) / 2
    chin = float((points[8] - centre) @ down)
    rough = Portrait(
        pixels,
        points,
        np.zeros((1, 1), np.float32),
        np.zeros((1, 1), np.float32),
        centre,
        right,
        down,
        distance / PUPIL_DISTANCE,
    )
    pixels_at: Any = np.stack(np.meshgrid(np.arange(0, WIDTH, 8), np.arange(0, HEIGHT, 8)), axis=-1)
    at = rough.along(pixels_at.reshape(-1, 2).astype(np.float64))
    anchors, depths = _anchors(rough, chin)
    coarse = _thin_plate(anchors / distance, depths, at / distance)
    height, width = HEIGHT // 8, WIDTH // 8
    ellipse = np.hypot(at[:, 0] / (1.45 * distance), (at[:, 1] - 0.05 * chin) / (1.35 * chin))
    fade = np.clip((1.55 - ellipse) / 0.75, 0, 1)
    depth = _enlarged(np.clip(coarse, -62, 40).reshape(height, width) - PIVOT_DEPTH)
    weight = _enlarged((fade * fade * (3 - 2 * fade)).reshape(height, width))
    depth = np.asarray(cv2.GaussianBlur(depth, (0, 0), 0.05 * distance), dtype=np.float32)
    return Portrait(pixels, points, depth, weight, centre, right, down, distance / PUPIL_DISTANCE)


def _anchors(face: Portrait, chin: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points with known depth (pixels in the face's axes, millimetres): landmarks and skull."""
    landmarks = face.along(face.points)
    half = float(np.abs(landmarks[[0, 16], 0]).mean())
    skull = [
        (x * half, y * chin, z)
        for x, y, z in (
            (0.0, -0.55, 8.0), (-0.5, -0.55, -8.0), (0.5, -0.55, -8.0),
            (0.0, -0.85, -12.0), (-0.6, -0.85, -40.0), (0.6, -0.85, -40.0),
            (0.0, -1.2, -70.0), (-1.25, -0.5, -85.0), (1.25, -0.5, -85.0),
            (-1.3, 0.1, -85.0), (1.3, 0.1, -85.0),
            (-0.7, 1.2, -60.0), (0.7, 1.2, -60.0), (0.0, 1.35, -40.0),
        )
    ]  # fmt: skip
    extra = np.array(skull)
    return np.concatenate([landmarks, extra[:, :2]]), np.concatenate([DEPTHS, extra[:, 2]])


def _thin_plate(
    anchors: NDArray[np.float64], values: NDArray[np.float64], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the smoothed thin-plate spline through the anchors (n x 2), evaluated at points (m x 2)."""

    def kernel(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        squared = ((first[:, None] - second[None]) ** 2).sum(axis=-1)
        return np.asarray(squared * np.log(squared + 1e-9))

    count = len(anchors)
    plane = np.hstack([np.ones((count, 1)), anchors])
    system = np.block([[kernel(anchors, anchors) + 1e-3 * np.eye(count), plane], [plane.T, np.zeros((3, 3))]])
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros(3)]))
    return np.asarray(
        kernel(at, anchors) @ weights[:count] + np.hstack([np.ones((len(at), 1)), at]) @ weights[count:]
    )


def _enlarged(coarse: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(
        cv2.resize(coarse.astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR),
        dtype=np.float32,
    )
