from __future__ import annotations

import numpy as np

from biometrics.frame import Frame, frame_of_pixels
from biometrics.policy import default_policy
from biometrics.repeats import Repeats, SeenFrames

LIMITS = default_policy().passive
RNG = np.random.default_rng(5)
FIELD = RNG.integers(0, 255, (60, 80, 3)).astype(np.uint8).repeat(12, axis=0).repeat(12, axis=1)


def moved(shift: int, at: int, *, noise: int = 0) -> Frame:
    pixels = np.ascontiguousarray(FIELD[100:340, 100 + shift : 420 + shift]).astype(np.int16)
    pixels += RNG.integers(-noise, noise + 1, pixels.shape, dtype=np.int16)
    return frame_of_pixels(np.clip(pixels, 0, 255).astype(np.uint8), at)


def test_a_movement_that_never_repeats_is_neither_frozen_nor_looped() -> None:
    repeats = Repeats(LIMITS)
    for index in range(60):
        repeats.add(moved(3 * index, 100 * index, noise=3))
    assert (repeats.frozen, repeats.looped, repeats.duplicates) == (False, 0, 0)


def test_a_standing_picture_with_noise_is_frozen() -> None:
    repeats = Repeats(LIMITS)
    for index in range(30):
        repeats.add(moved(0, 100 * index, noise=3))
    assert repeats.frozen


def test_a_loop_is_found_through_noise() -> None:
    repeats = Repeats(LIMITS)
    for index in range(60):
        repeats.add(moved(4 * (index % 25), 100 * index, noise=3))
    assert repeats.looped >= LIMITS.loop_frames
    assert repeats.duplicates == 0


def test_only_frames_apart_count_as_duplicates() -> None:
    repeats = Repeats(LIMITS)
    for index, shift in enumerate((0, 0, 5, 9, 0, 5)):
        repeats.add(moved(shift, 100 * index))
    assert repeats.duplicates == 2


def test_frames_of_another_session_are_known_again() -> None:
    seen = SeenFrames(b"secret", capacity=3)
    first = moved(0, 0)
    assert not seen.seen_elsewhere(first, "one")
    assert not seen.seen_elsewhere(first, "one")
    assert seen.seen_elsewhere(first, "two")
    for index in range(1, 5):
        seen.seen_elsewhere(moved(index, 0), "one")
    assert not seen.seen_elsewhere(first, "three")  # forgotten: memory is bounded
