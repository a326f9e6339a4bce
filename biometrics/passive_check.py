"""What the passive checks measure on a recorded video with no movement asked for: real people."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from biometrics.aligned import grey_of
from biometrics.capture import frames_of_video
from biometrics.errors import FaceRefused
from biometrics.flatness import TEN_DEGREES, Flatness
from biometrics.geometry import head_angles
from biometrics.liveness import default_models
from biometrics.parallax import nose_parallax
from biometrics.reasons import Reason
from biometrics.repeats import Repeats
from biometrics.signals import baseline_of, compare, measure
from biometrics.texture import Texture
from biometrics.tracking import FaceTracker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from biometrics.frame import Frame
    from biometrics.policy import Policy
    from biometrics.signals import Measures


def measure_video(video: Path, policy: Policy) -> dict[str, Any]:
    """Return the passive measurements over a video, in the units of policy.PassiveLimits.

    The frame that looks most straight into the camera stands for the person at rest. `turns` counts the
    frames in which the head is turned as far as a challenge asks for, `nose_parallax` is their median and
    `nose_parallax_low` the tenth part from below. Raises PictureRefused when the video can't be read and
    FaceRefused (NO_FACE) when no frame shows one face.
    """
    tracker = FaceTracker(*_trackers(), 40)
    repeats, texture, flatness = Repeats(policy.passive), Texture(), Flatness(policy.passive)
    followed: list[tuple[Frame, Measures]] = []
    widths, lost = [], 0
    for frame in frames_of_video(video):
        repeats.add(frame)
        try:
            face = tracker.follow(frame)
        except FaceRefused:
            lost += 1
            continue
        measures = measure(face, frame.at)
        texture.add(frame, measures.points)
        followed.append((frame, measures))
        widths.append(face.box.width)
    if not followed:
        raise FaceRefused(Reason.NO_FACE, str(video), "no frame shows one face")
    parallaxes = sorted(_turns(followed, flatness, policy))
    return {
        "frames": len(followed) + lost,
        "without_one_face": lost,
        "face_width": round(median(widths)),
        "texture_peak": round(1000 * texture.peak()),
        "duplicates": repeats.duplicates,
        "longest_still": repeats.longest_still,
        "longest_loop": repeats.looped,
        "flat_frames": flatness.suspicious,
        "turns": len(parallaxes),
        "nose_parallax": round(1000 * median(parallaxes)) if parallaxes else None,
        "nose_parallax_low": round(1000 * parallaxes[len(parallaxes) // 10]) if parallaxes else None,
        "policy": policy.id,
    }


def _trackers() -> tuple[Any, Any]:
    models = default_models()
    return models.detector, models.landmarker


def _turns(followed: list[tuple[Frame, Measures]], flatness: Flatness, policy: Policy) -> Iterator[float]:
    """Yield the nose's parallax in ten degrees for each frame that is turned far enough."""
    rest, calm = min(followed, key=lambda one: _askew(one[1]))
    baseline, before = baseline_of([calm]), grey_of(rest.picture.pixels)
    for frame, measures in followed:
        signals = compare(baseline, measures)
        flatness.add(signals, None)
        if abs(signals.yaw) >= policy.liveness.turn_at_least:
            now = grey_of(frame.picture.pixels)
            yield TEN_DEGREES * nose_parallax(before, calm.points, now, measures.points) / signals.yaw


def _askew(measures: Measures) -> float:
    angles = head_angles(measures.points)
    return abs(angles.yaw) + abs(angles.pitch)
