"""A frame of a capture: a picture and the time at which its camera took it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from biometrics.picture import picture_of_pixels

if TYPE_CHECKING:
    import numpy as np
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
