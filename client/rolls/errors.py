"""What is wrong with a register or a roll file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN: Final = 20


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One mistake: the line or row of the file (1 is the header), its column, and what to correct there.

    `column` is empty where the mistake is the whole row's.
    """

    line: int
    column: str
    text: str
    place: str = "line"

    def __str__(self) -> str:
        """Return the mistake with its place."""
        column = f", column {self.column}" if self.column else ""
        return f"{self.place} {self.line}{column}: {self.text}"


class RollError(UserError):
    """A register or roll file can't be used, and nothing was changed.

    `faults` has the first 20 mistakes in the order of lines, `total` how many there are.
    """

    def __init__(self, message: str, faults: Sequence[Fault] = (), total: int = 0) -> None:
        super().__init__(message)
        self.faults = tuple(faults)
        self.total = total


class Faults:
    """Collects mistakes while a file is read, so that one run shows them all."""

    def __init__(self, place: str = "line") -> None:
        """Start without any; `place` is what the file counts in: `line` or `row`."""
        self._found: list[Fault] = []
        self.place = place
        self.total = 0

    def add(self, line: int, column: str, text: str) -> None:
        """Note a mistake."""
        self.total += 1
        if len(self._found) < SHOWN:
            self._found.append(Fault(line, column, text, self.place))

    def check(self, source: str, done: str = "imported") -> None:
        """Raise RollError if there are any; `done` is what wasn't done for their sake."""
        if not self.total:
            return
        count = "1 mistake" if self.total == 1 else f"{self.total} mistakes"
        more = f"; and {self.total - len(self._found)} more" if self.total > len(self._found) else ""
        listed = "; ".join(str(fault) for fault in self._found)
        raise RollError(f"{source}: {count}, nothing was {done}: {listed}{more}", self._found, self.total)
