"""Verdict lists: what a batch function must answer, one verdict an entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from client.encodings import jcs


@dataclass(slots=True)
class Verdicts:
    """Collects verdicts by entry index, in rising order; entries not listed were accepted."""

    accepted: int = 0
    held: list[int] = field(default_factory=list)
    pending: list[tuple[int, str]] = field(default_factory=list)
    refused: list[tuple[int, str, int]] = field(default_factory=list)

    def encode(self) -> bytes:
        """Return the canonical JSON response."""
        value: dict[str, Any] = {
            "v": 1,
            "accepted": self.accepted,
            "held": self.held,
            "pending": [list(one) for one in self.pending],
            "refused": [list(one) for one in self.refused],
        }
        return jcs.dumps(value)
