"""Whether the times that a client claims fit the times at which its frames arrive.

A capture's clock starts anywhere, so what counts is the offset: arrival on the server's clock minus the
time claimed for a chunk's last frame. A constant delay leaves it constant. It may not shrink below the
first one (time claimed that hasn't passed), and no frame of a chunk, the first one included, may come later
than the promptest came (frames held back), but for what the policy allows. Both hold over the whole check, so
allowances don't add up from chunk to chunk.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from biometrics.terms.errors import ServiceRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.terms.policy import ServicePolicy


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of a capture's clock. Milliseconds; `opened` on the server's clock.

    `last` is the time claimed for the last frame taken. There are no offsets before the first chunk.
    """

    opened: int
    last: int = -1
    first_offset: int = 0
    least_offset: int = 0

    def after(self, times: Sequence[int], arrived: int, policy: ServicePolicy) -> Pace:
        """Return the pace after a chunk; raises ServiceRefused (FRAMES_TIMES, CHECK_PACE)."""
        if times[0] <= self.last:
            raise ServiceRefused("FRAMES_TIMES", "the chunk begins before the last one's end")
        offset = arrived - times[-1]
        if self.last < 0:
            # When the camera was started is not known, but it was not before the check was opened.
            if times[-1] - times[0] > arrived - self.opened + policy.ahead_ms_at_most:
                raise ServiceRefused("CHECK_PACE", "the frames span more time than has passed")
            if times[-1] - times[0] > policy.lag_ms_at_most:
                raise ServiceRefused("CHECK_PACE", "the frames arrive too long after they were taken")
            return replace(self, last=times[-1], first_offset=offset, least_offset=offset)
        if offset < self.first_offset - policy.ahead_ms_at_most:
            raise ServiceRefused("CHECK_PACE", "the frames span more time than has passed")
        if arrived - times[0] > self.least_offset + policy.lag_ms_at_most:
            raise ServiceRefused("CHECK_PACE", "the frames arrive too long after they were taken")
        return replace(self, last=times[-1], least_offset=min(self.least_offset, offset))

    def captured_from(self, moment: int) -> int:
        """Return the claimed time before which a frame was taken before `moment` of the server's clock."""
        return moment - self.least_offset
