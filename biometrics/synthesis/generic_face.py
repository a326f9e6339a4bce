"""A generic adult face: depth of the 68 iBUG points, and the points that hold for a rigid head.

Depths are rounded anthropometric means in millimetres towards the camera, zero in the plane of the
pupils (Farkas, Anthropometry of the Head and Face, 1994, for the main distances). They are no person's.
"""

from __future__ import annotations

import numpy as np

PUPIL_DISTANCE = 63.0  # millimetres
PIVOT_DEPTH = -80.0  # the neck's axis, behind the pupils

_JAW_HALF = (-75, -72, -68, -60, -45, -25, -8, 5)
_BROW = (-12, -2, 5, 10, 12)
_BRIDGE = (8, 18, 27, 34)
_NOSTRILS = (12, 17, 20, 17, 12)
_EYE_OUTER_FIRST = (-12, -4, -3, -4, -5, -6)
_EYE_INNER_FIRST = (-4, -3, -4, -12, -6, -5)
_LIPS_OUTER = (2, 12, 18, 19, 18, 12, 2, 11, 16, 17, 16, 11)
_LIPS_INNER = (4, 15, 16, 15, 4, 14, 15, 14)

DEPTHS = np.array(
    (
        *_JAW_HALF,
        10,
        *reversed(_JAW_HALF),
        *_BROW,
        *reversed(_BROW),
        *_BRIDGE,
        *_NOSTRILS,
        *_EYE_OUTER_FIRST,
        *_EYE_INNER_FIRST,
        *_LIPS_OUTER,
        *_LIPS_INNER,
    ),
    dtype=np.float64,
)
DEPTHS.setflags(write=False)
