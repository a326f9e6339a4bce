"""The face models of `face_recognition` (dlib): HOG detector, 68-point landmarks, 128-d templates.

The only module that imports them. They load on first use (about 100 MB, seconds when cold).
Licence note: the 68-point weights' training data (iBUG 300-W) excludes commercial use; the
landmarker is replaceable for that reason (`interfaces.Landmarker`).
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageFile

from biometrics.face import Box, Landmarks, Template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from biometrics.face import Face
    from biometrics.picture import Picture


@cache
def _models() -> Any:
    """Import the models, and undo what importing them changes for the whole process."""
    tolerant = ImageFile.LOAD_TRUNCATED_IMAGES
    with warnings.catch_warnings():
        # face_recognition_models is unmaintained and finds its files by pkg_resources.
        warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)
        warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=DeprecationWarning)
        api = importlib.import_module("face_recognition.api")
    # face_recognition makes Pillow accept pictures that are cut short; ours are refused.
    ImageFile.LOAD_TRUNCATED_IMAGES = tolerant
    return api


@dataclass(frozen=True, slots=True)
class DlibDetector:
    """HOG detector of frontal faces.

    A picture is searched at `work_side` pixels on its longer side or less, which bounds the time.
    Faces of 80 pixels there are found at once; where none is, a second, doubled pass finds those of
    40, so that a face too small can be told from no face; `doubled` False leaves that pass out, for
    video. Boxes scored below `score_at_least` are
    dropped: over 198 turned, recompressed and re-lit pictures of one face (tilt up to 10 degrees) the
    face scored 0.45 or more, and everything mistaken for one at most 0.39.
    """

    work_side: int = 1600
    score_at_least: float = 0.42
    doubled: bool = True

    @property
    def name(self) -> str:
        """Model and version."""
        return "dlib-hog-frontal"

    def detect(self, picture: Picture) -> Sequence[Box]:
        """Return the faces, best first."""
        pixels, scale = _reduced(picture, self.work_side)
        found = self._search(pixels, scale, 0)
        return found or (self._search(pixels, scale, 1) if self.doubled else [])

    def _search(self, pixels: NDArray[np.uint8], scale: float, doublings: int) -> list[Box]:
        rectangles, scores, _ = _models().face_detector.run(pixels, doublings, 0.0)
        boxes = [
            Box(
                round(found.left() * scale),
                round(found.top() * scale),
                round(found.right() * scale),
                round(found.bottom() * scale),
                float(score),
            )
            for found, score in zip(rectangles, scores, strict=True)
            if score >= self.score_at_least
        ]
        return sorted(boxes, key=lambda box: -box.score)


@dataclass(frozen=True, slots=True)
class DlibLandmarker:
    """68 points in the iBUG order: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67."""

    @property
    def name(self) -> str:
        """Model and version."""
        return "dlib-shape-68"

    def landmarks(self, picture: Picture, box: Box) -> Landmarks:
        """Return the 68 points."""
        api = _models()
        found = api.pose_predictor_68_point(picture.pixels, _rectangle(box))
        return Landmarks(tuple((point.x, point.y) for point in found.parts()))


@dataclass(frozen=True, slots=True)
class DlibEmbedder:
    """The 128-d ResNet template; the face is aligned by dlib's five-point model first."""

    @property
    def name(self) -> str:
        """Model and version."""
        return "dlib-resnet-v1"

    def embed(self, face: Face) -> Template:
        """Return the face's template."""
        api = _models()
        pixels = face.picture.pixels
        aligned = api.pose_predictor_5_point(pixels, _rectangle(face.box))
        vector = np.array(api.face_encoder.compute_face_descriptor(pixels, aligned, 1), dtype=np.float64)
        vector.setflags(write=False)
        return Template(vector)


def _rectangle(box: Box) -> Any:
    dlib = importlib.import_module("dlib")
    return dlib.rectangle(box.left, box.top, box.right, box.bottom)


def _reduced(picture: Picture, work_side: int) -> tuple[NDArray[np.uint8], float]:
    """Return pixels to search in and the factor back to the picture's own."""
    longer = max(picture.width, picture.height)
    if longer <= work_side:
        return picture.pixels, 1.0
    scale = longer / work_side
    size = (max(1, round(picture.width / scale)), max(1, round(picture.height / scale)))
    smaller = Image.fromarray(picture.pixels).resize(size, Image.Resampling.BILINEAR)
    return np.array(smaller, dtype=np.uint8), scale


def video_detector() -> DlibDetector:
    """Return the detector for tracking: frames of 640 pixels, faces of 128 and more, no second pass."""
    return DlibDetector(work_side=400, doubled=False)
