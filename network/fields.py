"""Reading one TOML table strictly: each field taken once, by type, and nothing left over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from network.errors import TopologyError

if TYPE_CHECKING:
    import re


class Fields:
    """Takes the fields of one TOML table one by one; what is left over is an error."""

    def __init__(self, table: object, where: str) -> None:
        if not isinstance(table, dict):
            raise TopologyError(f"{where} must be a table")
        self._left = dict(table)
        self._where = f"{where} ({table['name']})" if isinstance(table.get("name"), str) else where

    def _take(self, name: str) -> object:
        if name not in self._left:
            raise TopologyError(f"{self._where} has no {name!r}")
        return self._left.pop(name)

    def string(self, name: str, pattern: re.Pattern[str] | None = None) -> str:
        """Take a text that is not empty, and matches the pattern whole."""
        value = self._take(name)
        if not isinstance(value, str) or not value:
            raise TopologyError(f"{self._where}: {name} must be a text")
        if pattern is not None and not pattern.fullmatch(value):
            raise TopologyError(f"{self._where}: {name} {value!r} must match {pattern.pattern}")
        return value

    def optional_string(self, name: str) -> str | None:
        """Take a text, or None where there is none."""
        return self.string(name) if name in self._left else None

    def strings(self, name: str) -> tuple[str, ...]:
        """Take a list of texts."""
        value = self._take(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise TopologyError(f"{self._where}: {name} must be a list of texts")
        return tuple(value)

    def integer(self, name: str, least: int, most: int) -> int:
        """Take a whole number between two bounds, both included."""
        value = self._take(name)
        if type(value) is not int or not least <= value <= most:
            raise TopologyError(f"{self._where}: {name} must be a whole number from {least} to {most}")
        return value

    def boolean(self, name: str) -> bool:
        """Take true or false; false where there is none."""
        value = self._left.pop(name, False)
        if not isinstance(value, bool):
            raise TopologyError(f"{self._where}: {name} must be true or false")
        return value

    def table(self, name: str) -> object:
        """Take whatever is there, to be read as a table."""
        return self._take(name)

    def tables(self, name: str) -> list[object]:
        """Take a list with at least one entry."""
        value = self._take(name)
        if not isinstance(value, list) or not value:
            raise TopologyError(f"{self._where}: {name} must be a list with at least one entry")
        return value

    def done(self) -> None:
        """Raise `TopologyError` if anything was not taken."""
        if self._left:
            raise TopologyError(f"{self._where}: {min(self._left)!r} is not understood")
