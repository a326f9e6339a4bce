"""Whom presentations impersonate: made from a photo, or from the best frame of a video."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import cv2
import numpy as np

from biometrics.attacks.campaign import Target
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

    from numpy.typing import NDArray

    from biometrics.frame import Frame
    from biometrics.liveness import Models
    from biometrics.picture import Picture
    from biometrics.synthesis.portrait import Portrait

_EVERY = 10  # frames of a video between those that are looked at
_SMALLEST = 80  # pixels
_CHANGES = (
    (0.30, 28.0),
    (0.28, 24.0),
    (0.35, 20.0),
)  # narrower by, features apart by (pixels); strongest first


def target_of(models: Models, photo: Picture, *, reference: Picture | None, other: Picture | None) -> Target:
    """Return the target that a photo makes.

    Without a reference the photo itself is what is on record, which favours the attacker; without
    somebody else's photo a changed copy stands in. Raises FaceRefused.
    """
    detector = DlibDetector()  # photos have faces of any size
    portrait = prepare_portrait(photo, detector, models.landmarker)
    second = (
        somebody_else(models, portrait)
        if other is None
        else prepare_portrait(other, detector, models.landmarker)
    )
    known = locate_face(reference or photo, detector, models.landmarker, _SMALLEST)
    return Target(
        name=photo.source,
        victim=Renderer(portrait),
        other=Renderer(second),
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


def somebody_else(models: Models, portrait: Portrait) -> Portrait:
    """Return a face that isn't the portrait's, for when no second photo is at hand.

    Mirrored, narrower towards the chin, its features moved apart, and darker: with the packaged embedder
    0.63 to 0.82 from the portrait's own on five photos. A stand-in; a real second person is the better
    test. Raises FaceRefused when no change leaves a face that is found.
    """
    detector = DlibDetector()
    for narrower, apart in _CHANGES:
        changed = picture_of_pixels(_changed(portrait, narrower, apart), "somebody else")
        with suppress(FaceRefused):
            return prepare_portrait(changed, detector, models.landmarker)
    raise FaceRefused(Reason.NO_FACE, "somebody else", "name a photo of a second person")


def _changed(portrait: Portrait, narrower: float, apart: float) -> NDArray[np.uint8]:
    height, width = portrait.pixels.shape[:2]
    middle = width - float(portrait.centre[0])
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    downwards = np.clip((y - float(portrait.centre[1]) + 40) / 150, 0, 1)
    from_x = (middle + (x - middle) / (1 - narrower * downwards)).astype(np.float32)
    bulge = np.sin(np.pi * np.clip((y - float(portrait.centre[1]) + 20) / 150, 0, 1))
    from_y = (y - apart * bulge).astype(np.float32)
    mirrored = np.ascontiguousarray(portrait.pixels[:, ::-1])
    moved = cv2.remap(mirrored, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved * 0.7, dtype=np.uint8)
