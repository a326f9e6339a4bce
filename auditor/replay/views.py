"""Views over what the replay keeps: read as they are asked for, never all at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, ValuesView
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from auditor.view import ChainSession

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.replay.people import People, Session

_CHUNK: Final = 1000
_values = attrgetter(*ChainSession.__slots__)


class SessionsOf(Mapping[str, ChainSession]):
    """One meeting's identity checks, by id, in the chain's order."""

    def __init__(self, mtg: str, people: People) -> None:
        self._mtg = mtg
        self._people = people

    def __getitem__(self, ses: str) -> ChainSession:
        """Return a check; KeyError for one that is not there or of another meeting."""
        session: Session = self._people.sessions[ses]
        if session.mtg != self._mtg:
            raise KeyError(ses)
        return ChainSession(*_values(session))

    def __iter__(self) -> Iterator[str]:
        """Yield the ids."""
        return (ses for ses, session in self._people.sessions.items() if session.mtg == self._mtg)

    def values(self) -> ValuesView[ChainSession]:
        """Return the checks, read in one go in the chain's order."""
        return _Values(self)

    def checks(self) -> Iterator[ChainSession]:
        """Yield the checks; nothing may be recorded meanwhile."""
        sessions = self._people.sessions.values()
        return (ChainSession(*_values(one)) for one in sessions if one.mtg == self._mtg)

    def missing(self, ids: Iterable[str]) -> set[str]:
        """Return those of many ids that are none of the meeting's checks."""
        rest, found = iter(ids), set[str]()
        while chunk := list(islice(rest, _CHUNK)):
            self._people.read_ahead((), chunk)
            found.update(one for one in chunk if one not in self)
        return found

    def __len__(self) -> int:
        """Count them."""
        return self._people.counts.get(self._mtg, 0)


class _Values(ValuesView[ChainSession]):
    _mapping: SessionsOf

    def __iter__(self) -> Iterator[ChainSession]:
        return self._mapping.checks()


class NumbersOf(Mapping[str, Iterable[int]]):
    """Acknowledgement numbers by door, from texts "door number"."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self._numbers = numbers

    def __getitem__(self, door: str) -> Iterable[int]:
        """Return a door's numbers."""
        split = (text.split(" ") for text in self._numbers)
        return (int(number) for name, number in split if name == door)

    def __iter__(self) -> Iterator[str]:
        """Yield the doors."""
        return iter({text.split(" ")[0] for text in self._numbers})

    def __len__(self) -> int:
        """Count the doors."""
        return sum(1 for _ in self)
