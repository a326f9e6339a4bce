"""A face for measurements that need no files: scikit-image's astronaut, a public-domain photo by NASA."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from biometrics.picture import picture_of_pixels

if TYPE_CHECKING:
    from biometrics.picture import Picture


def sample_face() -> Picture:
    """Return the picture (512 x 512)."""
    from skimage.data import astronaut  # noqa: PLC0415  seconds to import, for measurements only

    pixels = np.asarray(astronaut(), dtype=np.uint8)  # type: ignore[no-untyped-call]
    return picture_of_pixels(pixels, "astronaut")
