"""Processes that verify ahead while there is much to catch up with, and are gone afterwards."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from auditor.ahead import Alone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from auditor.ahead import HelperProcesses
    from auditor.facts import Fact, Facts

MUCH: Final = 8
"""Blocks for which it pays to start processes."""

_Item = TypeVar("_Item")


class Hired(Alone):
    """Helpers that are there inside `working` alone; without `make` nobody is ever hired."""

    def __init__(self, make: Callable[[], HelperProcesses] | None = None) -> None:
        self._make = make
        self._pool: HelperProcesses | None = None

    def ahead(
        self, items: Iterable[_Item], ask: Callable[[_Item], Sequence[Fact]], facts: Facts
    ) -> Iterator[_Item]:
        """Yield the items, verified ahead if anybody is there."""
        if self._pool is None:
            return super().ahead(items, ask, facts)
        return self._pool.ahead(items, ask, facts)

    @contextmanager
    def working(self, blocks: int) -> Iterator[None]:
        """Have helpers for that many blocks, if they are many."""
        if self._make is None or blocks < MUCH:
            yield
            return
        with self._make() as pool:
            self._pool = pool
            try:
                yield
            finally:
                self._pool = None
