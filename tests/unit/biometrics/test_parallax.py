"""The nose's parallax on turned faces and on turned sheets, all rendered from a photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from biometrics.aligned import grey_of
from biometrics.attacks.instruments import sheet_of
from biometrics.dlib_models import DlibDetector, DlibLandmarker, video_detector
from biometrics.flatness import TEN_DEGREES, Flatness
from biometrics.frame import frame_of_pixels
from biometrics.geometry import motion_between
from biometrics.parallax import nose_parallax
from biometrics.policy import default_policy
from biometrics.sample_face import sample_face
from biometrics.signals import measure
from biometrics.synthesis.portrait import prepare_portrait
from biometrics.synthesis.render import Expression, Renderer
from biometrics.tracking import FaceTracker

if TYPE_CHECKING:
    import numpy as np

    from biometrics.geometry import Points
    from biometrics.synthesis.portrait import Portrait

LIMITS = default_policy().passive
TURN = default_policy().liveness.turn_at_least


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return prepare_portrait(sample_face(), DlibDetector(), DlibLandmarker())


def turned(portrait: Portrait, yaw: float) -> tuple[float, float]:
    """Return the angle by relief and the parallax in ten degrees after turning step by step."""
    renderer, tracker = Renderer(portrait), FaceTracker(video_detector(), DlibLandmarker(), 80)
    seen: list[tuple[np.ndarray[tuple[int, int], np.dtype[np.uint8]], Points]] = []
    for part in (0.0, 0.3, 0.6, 1.0):
        frame = frame_of_pixels(renderer.render(Expression(yaw=part * yaw)), len(seen))
        grey = grey_of(frame.picture.pixels)
        seen.append((grey, measure(tracker.follow(frame), frame.at).points))
    (before, rest), (now, points) = seen[0], seen[-1]
    angle = motion_between(rest, points).yaw
    return angle, TEN_DEGREES * nose_parallax(before, rest, now, points) / angle


@pytest.mark.parametrize("yaw", [12.0, -12.0, 17.0, -17.0])
def test_a_nose_stands_out(portrait: Portrait, yaw: float) -> None:
    angle, shown = turned(portrait, yaw)
    assert abs(angle) >= TURN
    assert angle * yaw > 0
    assert LIMITS.parallax_at_least < 1000 * shown < LIMITS.parallax_at_most


@pytest.mark.parametrize("radius", [None, 90.0, 150.0, 300.0])
@pytest.mark.parametrize("yaw", [20.0, -20.0])
def test_on_a_sheet_it_does_not_however_the_sheet_is_bent(
    portrait: Portrait, radius: float | None, yaw: float
) -> None:
    _, shown = turned(sheet_of(portrait, radius), yaw)
    assert 1000 * shown < LIMITS.parallax_at_least


@pytest.mark.parametrize(
    ("parallax", "flat"),
    [(0.03, False), (-0.03, True), (0.0, True), (float("nan"), True), (0.2, True)],
)
def test_what_no_nose_shows_is_flat(parallax: float, flat: bool) -> None:
    for side in (1.0, -1.0):
        flatness = Flatness(LIMITS)
        flatness.turned(12.0 * side, parallax * side)
        assert flatness.flat is flat


def test_every_turn_has_to_show_it() -> None:
    flatness = Flatness(LIMITS)
    flatness.turned(12.0, 0.03)
    flatness.turned(-12.0, 0.0)
    assert flatness.flat
