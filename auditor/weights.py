"""Weights: lenders and their claims, by scope."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from client.encodings.leaf import Claim
    from client.encodings.meeting import Meeting

EVERYBODY: Final = "*"


@dataclass(slots=True)
class Weights:
    """Heads and fen, over everybody (`*`) and per class; a lender counts once in each of its classes."""

    scopes: dict[str, list[int]] = field(default_factory=dict)

    def add(self, claims: Iterable[Claim], sign: int = 1, *, head: bool = True) -> None:
        """Count a lender's claims (`sign` -1: no longer); without `head` as no head of everybody's."""
        everybody = self.scopes.setdefault(EVERYBODY, [0, 0])
        everybody[0] += sign if head else 0
        for claim in claims:
            scope = self.scopes.setdefault(claim.cls, [0, 0])
            scope[0] += sign
            scope[1] += sign * claim.fen
            everybody[1] += sign * claim.fen

    def merge(self, other: Weights) -> None:
        """Count what others count, too."""
        for name, (heads, fen) in other.scopes.items():
            self.add_line(name, heads, fen)

    def add_line(self, scope: str, heads: int, fen: int, sign: int = 1) -> None:
        """Add figures to one scope."""
        cell = self.scopes.setdefault(scope, [0, 0])
        cell[0] += sign * heads
        cell[1] += sign * fen

    def of(self, scope: str, unit: str) -> int:
        """Return the heads or fen of a rule's scope (`all` or a class)."""
        heads, fen = self.scopes.get(EVERYBODY if scope == "all" else scope, (0, 0))
        return heads if unit == "heads" else fen

    def full(self, meeting: Meeting) -> dict[str, list[int]]:
        """Return every scope of the meeting, zeros included."""
        names = (EVERYBODY, *(entry.cls for entry in meeting.roll.classes))
        return {name: list(self.scopes.get(name, (0, 0))) for name in names}

    def changed(self) -> dict[str, list[int]]:
        """Return the scopes that are not zero."""
        return {name: weight for name, weight in self.scopes.items() if weight != [0, 0]}
