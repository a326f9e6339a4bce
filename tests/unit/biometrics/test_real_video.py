"""The passive checks on a real person who speaks and turns the head: what is no attack raises no alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from biometrics.passive_check import measure_video
from biometrics.policy import default_policy

if TYPE_CHECKING:
    from pathlib import Path

POLICY = default_policy()


@pytest.mark.faces
def test_a_real_video_has_no_screen_no_repeats_and_a_nose(faces: Path) -> None:
    found = measure_video(faces / "talking.mp4", POLICY)
    limits = POLICY.passive
    assert found["texture_peak"] < limits.texture_at_most
    assert found["duplicates"] <= limits.duplicates_at_most
    assert found["longest_still"] < limits.still_within
    assert found["longest_loop"] < limits.loop_frames
    assert found["turns"] >= 20
    assert limits.parallax_at_least < found["nose_parallax_low"] <= found["nose_parallax"]
    assert found["nose_parallax"] < limits.parallax_at_most
