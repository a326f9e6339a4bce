"""Where a roll comes from: the register's hash and rows, and the log of what was corrected since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from client.encodings.ids import is_count, is_hex_hash


@dataclass(frozen=True, slots=True)
class Source:
    """The register that was imported: SHA-256 of the file (hex), and its rows without the header."""

    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class LogHead:
    """The log of corrections as far as the roll follows it: entries, and SHA-256 of their bytes (hex)."""

    count: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a roll file says of its origin; both are missing where a roll was made of something else."""

    source: Source | None = None
    corrections: LogHead | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that a roll file's header has for it."""
        source, log = self.source, self.corrections
        return {
            "source": None if source is None else {"sha256": source.sha256, "rows": source.rows},
            "corrections": None if log is None else {"count": log.count, "sha256": log.sha256},
        }


UNKNOWN: Final = Provenance()
"""Of a roll that was made of no file."""


def parse_provenance(source: Any, corrections: Any) -> Provenance:
    """Return the provenance of a header's parsed members; raise ValueError for another form."""
    counted = _counted(source, "rows"), _counted(corrections, "count")
    return Provenance(
        None if counted[0] is None else Source(*counted[0]),
        None if counted[1] is None else LogHead(counted[1][1], counted[1][0]),
    )


def _counted(value: Any, count: str) -> tuple[str, int] | None:
    if value is None:
        return None
    if (
        not isinstance(value, dict)
        or value.keys() != {"sha256", count}
        or not is_hex_hash(value["sha256"])
        or not is_count(value[count])
        or value[count] < 1
    ):
        raise ValueError(f"a member is not null or a SHA-256 and {count}")
    return value["sha256"], value[count]
