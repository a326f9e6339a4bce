"""Find the one face of a picture, or say why there isn't one that can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from biometrics.errors import FaceRefused
from biometrics.face import Face
from biometrics.reasons import Reason

if TYPE_CHECKING:
    from biometrics.face import Box
    from biometrics.interfaces import Detector, Landmarker
    from biometrics.picture import Picture

# The detector's box ends at the brows, so a face may be cut with all landmarks still inside.
_OVERHANG = 0.1


def locate_face(picture: Picture, detector: Detector, landmarker: Landmarker, width_at_least: int) -> Face:
    """Return the picture's face; its box is at least `width_at_least` pixels wide.

    Raises FaceRefused with the first of NO_FACE, SEVERAL_FACES, FACE_CUT_OFF, FACE_TOO_SMALL.
    """
    boxes = detector.detect(picture)
    if not boxes:
        raise FaceRefused(Reason.NO_FACE, picture.source, "no face was found")
    if len(boxes) > 1:
        raise FaceRefused(Reason.SEVERAL_FACES, picture.source, f"{len(boxes)} faces were found")
    return face_in_box(picture, boxes[0], landmarker, width_at_least)


def face_in_box(picture: Picture, box: Box, landmarker: Landmarker, width_at_least: int) -> Face:
    """Return the face in a box that is known; raises FaceRefused (FACE_CUT_OFF, FACE_TOO_SMALL)."""
    landmarks = landmarker.landmarks(picture, box)
    outside = any(not (0 <= x < picture.width and 0 <= y < picture.height) for x, y in landmarks.points)
    if outside or _overhangs(box, picture):
        raise FaceRefused(Reason.FACE_CUT_OFF, picture.source, "the face reaches beyond the edge")
    if box.width < width_at_least:
        detail = f"the face is {box.width} pixels wide, {width_at_least} are needed"
        raise FaceRefused(Reason.FACE_TOO_SMALL, picture.source, detail)
    return Face(picture, box, landmarks)


def _overhangs(box: Box, picture: Picture) -> bool:
    beyond = max(
        -box.left / box.width,
        -box.top / box.height,
        (box.right - picture.width) / box.width,
        (box.bottom - picture.height) / box.height,
    )
    return beyond > _OVERHANG
