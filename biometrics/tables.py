"""Read a TOML table into frozen values: every member used, every number in its range, or PolicyError."""

from __future__ import annotations

from dataclasses import field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from biometrics.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping

_Limits = TypeVar("_Limits")


def limit(least: int, most: int) -> Any:
    """Declare an integer member of a table and the range that is allowed for it."""
    return field(metadata={"least": least, "most": most})


class Table:
    """A TOML table that must be used up: a member nobody asked for is a mistake in the file."""

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        self._name = name
        self._rest = dict(data)

    def _take(self, key: str, kind: type) -> Any:
        value = self._rest.pop(key, None)
        if type(value) is not kind:
            raise PolicyError(f"{self._name}.{key} is missing or is no {kind.__name__}")
        return value

    def number(self, key: str, least: int, most: int) -> int:
        """Take an integer from `least` to `most`."""
        value: int = self._take(key, int)
        if not least <= value <= most:
            raise PolicyError(f"{self._name}.{key} is {value}, it must be from {least} to {most}")
        return value

    def text(self, key: str) -> str:
        """Take a text that is not empty."""
        value: str = self._take(key, str)
        if not value:
            raise PolicyError(f"{self._name}.{key} is empty")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts."""
        values: list[Any] = self._take(key, list)
        if any(type(value) is not str for value in values):
            raise PolicyError(f"{self._name}.{key} must hold texts only")
        return tuple(values)

    def table(self, key: str) -> Table:
        """Take a table inside this one."""
        return Table(f"{self._name}.{key}", self._take(key, dict))

    def limits(self, key: str, kind: type[_Limits]) -> _Limits:
        """Take a table whose members are exactly the fields of `kind`, declared with `limit`."""
        inner = self.table(key)
        numbers = {
            member.name: inner.number(member.name, member.metadata["least"], member.metadata["most"])
            for member in fields(kind)  # type: ignore[arg-type]
        }
        inner.finish()
        return kind(**numbers)

    def finish(self) -> None:
        """Raise when something is left."""
        if self._rest:
            raise PolicyError(f"{self._name} has an unknown member {min(self._rest)}")
