"""Values of a mapping, asked for in about the order in which it has them: read on, not looked up."""

from __future__ import annotations

from collections.abc import MutableMapping
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from auditor.store import read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Value = TypeVar("Value")
KEPT: Final = 4000
"""Values at most that were read and not asked for."""
_LEAD: Final = 1000


class Alongside(Generic[Value]):
    """Reads a mapping on, beside whoever asks, by as many values as are asked for.

    What is asked for before it was read, or long after, is looked up, so the order changes no answer. As
    often as that happened, as many more are read on the next time: the one who asks has got ahead.
    """

    def __init__(self, mapping: Mapping[str, Value], key: Callable[[Value], str]) -> None:
        """Begin at a mapping's first value; `key` is what its key is."""
        self._mapping = mapping
        self._key = key
        self._rest = iter(mapping.values())
        self._kept: dict[str, Value] = {}
        self._behind = _LEAD

    def get(self, keys: Sequence[str]) -> dict[str, Value]:
        """Return the values that there are."""
        kept = self._kept
        kept.update((self._key(one), one) for one in islice(self._rest, len(keys) + self._behind))
        found = {key: kept[key] for key in keys if key in kept}
        for key in found:
            del kept[key]
        for key in list(islice(kept, max(0, len(kept) - KEPT))):
            del kept[key]
        looked_up = self._look_up([key for key in keys if key not in found])
        self._behind = len(looked_up)
        return found | looked_up

    def _look_up(self, keys: Sequence[str]) -> dict[str, Value]:
        if isinstance(self._mapping, MutableMapping):
            read_ahead(self._mapping, keys)
        found = {key: self._mapping.get(key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}
