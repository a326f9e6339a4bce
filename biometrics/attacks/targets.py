"""Whom presentations impersonate: made from a photo, or from the best frame of a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from biometrics.attacks.campaign import Target
from biometrics.attacks.species import somebody_else
from biometrics.dlib_models import DlibDetector
from biometrics.errors import FaceRefused
from biometrics.geometry import head_angles, points_of
from biometrics.locate import locate_face
from biometrics.picture import picture_of_pixels
from biometrics.reasons import Reason
from biometrics.synthesis.portrait import prepare_portrait
from biometrics.synthesis.render import Renderer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from biometrics.frame import Frame
    from biometrics.liveness import Models
    from biometrics.picture import Picture

_EVERY = 10  # frames of a video between those that are looked at
_SMALLEST = 80  # pixels


def target_of(models: Models, photo: Picture, *, reference: Picture | None, other: Picture | None) -> Target:
    """Return the target that a photo makes.

    Without a reference the photo itself is what is on record, which favours the attacker; without
    somebody else's photo a changed copy stands in. Raises FaceRefused.
    """
    detector = DlibDetector()  # photos have faces of any size
    portrait = prepare_portrait(photo, detector, models.landmarker)
    second = other or picture_of_pixels(somebody_else(portrait), "somebody else")
    known = locate_face(reference or photo, detector, models.landmarker, _SMALLEST)
    return Target(
        name=photo.source,
        victim=Renderer(portrait),
        other=Renderer(prepare_portrait(second, detector, models.landmarker)),
        reference=models.embedder.embed(known),
    )


def best_frame(models: Models, frames: Iterable[Frame]) -> Picture:
    """Return the frame that looks most straight into the camera; raises FaceRefused when there is none."""
    best: tuple[float, Picture] | None = None
    detector = DlibDetector()
    for number, frame in enumerate(frames):
        if number % _EVERY:
            continue
        try:
            face = locate_face(frame.picture, detector, models.landmarker, _SMALLEST)
        except FaceRefused:
            continue
        angles = head_angles(points_of(face.landmarks))
        score = abs(angles.yaw) + abs(angles.pitch) - 0.1 * face.box.width
        if best is None or score < best[0]:
            best = (score, frame.picture)
    if best is None:
        raise FaceRefused(Reason.NO_FACE, "video", "no frame shows one face that is large enough")
    return best[1]
