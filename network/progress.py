"""One line on stderr for each part that is done."""

from __future__ import annotations

import sys
import time


class Progress:
    """Tells how long each part took, in seconds."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def done(self, what: str) -> None:
        """Say that a part is complete."""
        now = time.monotonic()
        sys.stderr.write(f"{what}: {now - self._since:.1f} s\n")
        self._since = now
