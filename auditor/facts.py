"""What was verified already and held, under all that it depends on. Of what doesn't hold nothing is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from client.encodings.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence


class Fact(Protocol):
    """A question whose answer depends on its own values alone, such as whether a signature holds."""

    def verify(self) -> None:
        """Refuse what doesn't hold."""
        ...

    def __hash__(self) -> int:
        """Be looked up by its values."""
        ...


class Facts:
    """Facts that are known to hold, at one moment those of one block."""

    def __init__(self) -> None:
        self._held: frozenset[Hashable] = frozenset()
        self.known = 0
        """How often nothing was left to verify."""

    def renew(self, held: Iterable[Fact]) -> None:
        """Know these, and no longer those before."""
        self._held = frozenset(held)

    def knows(self, fact: Fact) -> bool:
        """Say whether a fact is known to hold."""
        known = fact in self._held
        self.known += known
        return known

    def verify(self, fact: Fact) -> None:
        """Refuse a fact that doesn't hold, without looking again at one that is known to."""
        if not self.knows(fact):
            fact.verify()


def that_hold(facts: Sequence[Fact]) -> list[bool]:
    """Say of each fact whether it holds."""
    return [_holds(one) for one in facts]


def _holds(one: Fact) -> bool:
    try:
        one.verify()
    except Refused:
        return False
    return True
