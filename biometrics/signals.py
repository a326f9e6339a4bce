"""What the liveness checks know of one frame, and the person's own baseline it is measured against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from biometrics.aligned import aligned_face, correlation, eye_patches, grey_of
from biometrics.geometry import (
    eye_openness,
    head_angles,
    motion_between,
    mouth_opening,
    points_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.aligned import Grey
    from biometrics.face import Face
    from biometrics.geometry import HeadAngles, Points


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """One frame's face in numbers: nothing here compares with another frame yet."""

    at: int
    points: Points = field(repr=False)
    angles: HeadAngles
    openness: float
    mouth: float
    thumbnail: Grey = field(repr=False)
    eyes: tuple[Grey, Grey] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """The person at rest: medians over neutral frames."""

    points: Points = field(repr=False)
    openness: float
    mouth: float
    eyes: tuple[Grey, Grey] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signals:
    """One frame against the person's own baseline.

    `yaw` and `pitch` in degrees (see geometry.Motion), `eyes` the aspect ratio over that of the own open
    eyes, `eyes_likeness` the correlation with them, `mouth` the opening beyond the own closed mouth over
    the pupil distance, `foreshortening` in degrees, `off_plane` over the pupil distance.
    """

    at: int
    yaw: float
    pitch: float
    eyes: float
    eyes_likeness: float
    mouth: float
    foreshortening: float
    off_plane: float


def measure(face: Face, at: int) -> Measures:
    """Measure one frame's face; `at` is the frame's time in milliseconds."""
    points = points_of(face.landmarks)
    grey = grey_of(face.picture.pixels)
    return Measures(
        at=at,
        points=points,
        angles=head_angles(points),
        openness=eye_openness(points),
        mouth=mouth_opening(points),
        thumbnail=aligned_face(grey, points),
        eyes=eye_patches(grey, points),
    )


def baseline_of(measures: Sequence[Measures]) -> Baseline:
    """Return the medians of a calm stretch of frames."""
    origin = measures[-1].points[[27, 30, 33]].mean(axis=0)
    centred = np.array([one.points - one.points[[27, 30, 33]].mean(axis=0) for one in measures])
    first, second = (
        np.asarray(np.median([one.eyes[side] for one in measures], axis=0), dtype=np.float32)
        for side in (0, 1)
    )
    return Baseline(
        points=np.asarray(np.median(centred, axis=0) + origin),
        openness=float(np.median([one.openness for one in measures])),
        mouth=float(np.median([one.mouth for one in measures])),
        eyes=(first, second),
    )


def compare(baseline: Baseline, measures: Measures) -> Signals:
    """Return one frame's signals."""
    motion = motion_between(baseline.points, measures.points)
    likeness = [correlation(now, own) for now, own in zip(measures.eyes, baseline.eyes, strict=True)]
    return Signals(
        at=measures.at,
        yaw=motion.yaw,
        pitch=motion.pitch,
        eyes=measures.openness / baseline.openness,
        eyes_likeness=sum(likeness) / len(likeness),
        mouth=measures.mouth - baseline.mouth,
        foreshortening=motion.foreshortening,
        off_plane=motion.off_plane,
    )
