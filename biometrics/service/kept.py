"""Frames held for a possible review: few, and spread over the whole check, whatever its length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST: Final = 8  # enough to see a person, few enough to look at


@dataclass(slots=True)
class KeptFrames:
    """At most `MOST` frames, in order, every n-th from the first; n doubles when there are too many.

    `dropped` says that some part of the check was not kept: what is left then shows what its lender chose.
    """

    frames: list[bytes] = field(default_factory=list, repr=False)
    dropped: bool = False
    _every: int = 1
    _seen: int = 0

    def take(self, frames: Iterable[bytes]) -> None:
        """Look at more frames and keep some of them."""
        for data in frames:
            if self._seen % self._every == 0:
                if len(self.frames) == MOST:
                    del self.frames[1::2]
                    self._every *= 2
                if self._seen % self._every == 0:
                    self.frames.append(data)
            self._seen += 1

    def drop(self) -> None:
        """Forget what was kept."""
        self.frames.clear()
        self.dropped = True
