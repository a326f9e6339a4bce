"""A frame of a capture: a picture and the time at which its camera took it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from biometrics.picture import picture_of_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.picture import Picture


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a capture; `at` is milliseconds on the capture's own clock."""

    picture: Picture
    at: int


def frame_of_pixels(pixels: NDArray[np.uint8], at: int) -> Frame:
    """Wrap pixels (height x width x 3, uint8, RGB), which are copied; raises PictureRefused."""
    return Frame(picture_of_pixels(pixels, f"frame at {at} ms"), at)


LONGER_SIDE = 640  # pixels: what the passive limits were set on


def reduced(frame: Frame) -> Frame:
    """Return the frame with its longer side at most 640 pixels.

    Enlarging a frame spreads the grid of a screen over more pixels and out of the band that is searched
    for it, so no frame is judged at a larger size than the one that the limits hold for.
    """
    picture = frame.picture
    longer = max(picture.pixels.shape[:2])
    if longer <= LONGER_SIDE:
        return frame
    scale = LONGER_SIDE / longer
    pixels: Any = cv2.resize(picture.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return Frame(picture_of_pixels(np.asarray(pixels, dtype=np.uint8), picture.source), frame.at)
