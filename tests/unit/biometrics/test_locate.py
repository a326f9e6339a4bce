from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from biometrics.errors import FaceRefused
from biometrics.face import Box, Landmarks
from biometrics.locate import locate_face
from biometrics.picture import picture_of_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.picture import Picture

PICTURE = picture_of_pixels(np.zeros((200, 300, 3), dtype=np.uint8), "still")


@dataclass(frozen=True)
class Seen:
    """Detector and landmarker that report what a test lays down."""

    boxes: tuple[Box, ...]
    points: tuple[tuple[int, int], ...] = ((150, 100),)
    name: str = "seen"

    def detect(self, picture: Picture) -> Sequence[Box]:
        return self.boxes

    def landmarks(self, picture: Picture, box: Box) -> Landmarks:
        return Landmarks(self.points)


def box(left: int, top: int, right: int, bottom: int) -> Box:
    return Box(left, top, right, bottom, 1.0)


GOOD = box(100, 50, 200, 150)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (Seen(()), "NO_FACE"),
        (Seen((GOOD, box(0, 0, 20, 20))), "SEVERAL_FACES"),
        (Seen((GOOD,), ((-1, 100),)), "FACE_CUT_OFF"),
        (Seen((GOOD,), ((300, 100),)), "FACE_CUT_OFF"),
        (Seen((GOOD,), ((100, 200),)), "FACE_CUT_OFF"),
        (Seen((box(-11, 50, 89, 150),)), "FACE_CUT_OFF"),
        (Seen((box(100, -11, 200, 89),)), "FACE_CUT_OFF"),
        (Seen((box(211, 50, 311, 150),)), "FACE_CUT_OFF"),
        (Seen((box(100, 111, 200, 211),)), "FACE_CUT_OFF"),
        (Seen((box(100, 50, 179, 129),)), "FACE_TOO_SMALL"),
    ],
)
def test_each_fault_has_its_name(seen: Seen, reason: str) -> None:
    with pytest.raises(FaceRefused, match=reason) as caught:
        locate_face(PICTURE, seen, seen, 80)
    assert caught.value.reason == reason
    assert str(caught.value).startswith("still: ")


def test_one_whole_face_is_found() -> None:
    # A box may reach a little over the edge when every landmark is inside.
    for at in (GOOD, box(-9, 50, 91, 150), box(100, 50, 180, 130)):
        face = locate_face(PICTURE, Seen((at,)), Seen((at,)), 80)
        assert (face.picture, face.box) == (PICTURE, at)
