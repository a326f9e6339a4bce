"""Follow the one face through a capture: detect now and then, carry the box along in between."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from biometrics.errors import FaceRefused
from biometrics.face import Box, Face
from biometrics.geometry import points_of
from biometrics.locate import face_in_box
from biometrics.reasons import Reason

if TYPE_CHECKING:
    from biometrics.frame import Frame
    from biometrics.geometry import Points
    from biometrics.interfaces import Detector, Landmarker


@dataclass(slots=True)
class FaceTracker:
    """Follows one face. The detector runs on every `detect_every`-th frame and after the face was lost.

    Between, the box keeps its place relative to nose and eyes, so the landmarker always starts alike.
    """

    detector: Detector
    landmarker: Landmarker
    width_at_least: int
    detect_every: int = 6
    _since: int = field(default=0, init=False)
    _box: Box | None = field(default=None, init=False)

    def follow(self, frame: Frame) -> Face:
        """Return the frame's face; raises FaceRefused, after which the next frame is searched anew."""
        box = self._box
        if box is None or self._since >= self.detect_every:
            box = self._detected(frame)
            self._since = 0
        self._since += 1
        self._box = None  # unless the face stands up to the checks
        face = face_in_box(frame.picture, box, self.landmarker, self.width_at_least)
        self._box = self._carried(box, points_of(face.landmarks))
        return face

    def _detected(self, frame: Frame) -> Box:
        boxes = self.detector.detect(frame.picture)
        if not boxes:
            self._box = None
            raise FaceRefused(Reason.NO_FACE, frame.picture.source, "no face was found")
        if len(boxes) > 1:
            self._box = None
            raise FaceRefused(Reason.SEVERAL_FACES, frame.picture.source, f"{len(boxes)} faces were found")
        return boxes[0]

    @staticmethod
    def _carried(box: Box, points: Points) -> Box:
        """Return the box for the next frame: as large as the face is now, where nose and eyes are now.

        A detector's box of a frontal face is 2.3 pupil distances wide, centred 0.45 of one below the
        eyes: medians over rendered and photographed faces.
        """
        eyes = (points[36:42].mean(axis=0) + points[42:48].mean(axis=0)) / 2
        across = points[42:48].mean(axis=0) - points[36:42].mean(axis=0)
        # The larger of two scales, because a turn shortens one of them only.
        span = max(float(np.hypot(*across)), 1.25 * float(np.hypot(*(points[27] - points[33]))))
        centre = eyes + 0.45 * span * np.array([0.0, 1.0])
        half = 2.3 * span / 2
        mixed = 0.5 * half + 0.5 * box.width / 2  # steadier than the landmarks alone
        left, top = round(centre[0] - mixed), round(centre[1] - mixed)
        return Box(left, top, left + round(2 * mixed), top + round(2 * mixed), box.score)
