"""Roll files: JSON lines with every person and leaf, for whoever has to recompute the whole.

The first line has the meeting, the snapshot, the figures and where they come from; each further line one
lender, in the order of the tree. The file holds personal data: mode 0600. Beside it stands an index, from
which a proof takes no time (`client.rolls.rollindex`).
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from client.encodings import jcs
from client.errors import Negative
from client.rolls.bulk import collector_paused
from client.rolls.entryline import decode_entry, encode_entry
from client.rolls.errors import RollError
from client.rolls.provenance import Provenance, parse_provenance
from client.rolls.roll import Roll
from client.rolls.rollindex import encode_index, index_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from client.rolls.roll import Entry

KIND: Final = "concordat-roll"
VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class Header:
    """A roll file's first line: the meeting, its figures as the file claims them, and their origin."""

    mtg: str
    figures: dict[str, Any]
    provenance: Provenance


def write_roll(roll: Roll, path: Path, *, replace: bool = False) -> None:
    """Write a roll file and its index at once or not at all, readable by their owner only.

    Raise RollError if the file exists (unless `replace`) or can't be written.
    """
    if path.exists() and not replace:
        raise RollError(f"{path} exists already: name another file, or say that it may be replaced")
    lines = [_header(roll), *(encode_entry(entry) + b"\n" for entry in roll.entries)]
    # The index first: one that doesn't fit the roll file is passed over, a missing one only costs time.
    write_private(index_path(path), encode_index(roll, [len(line) for line in lines]))
    write_private(path, lines)


def write_private(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file with personal data as a whole or not at all, mode 0600; raise RollError."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, so that nobody can read meanwhile
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise RollError(f"{path} can't be written: {error.strerror}") from error


def _header(roll: Roll) -> bytes:
    value = {"v": VERSION, "kind": KIND, "mtg": roll.mtg, "roll": roll.summary.as_json()}
    return jcs.dumps(value | roll.provenance.as_json()) + b"\n"


def read_roll(path: Path) -> Roll:
    """Return the roll of a file, everything computed again.

    Raise RollError for a file that is none, Negative for one whose figures don't come out
    as its first line has them.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RollError(f"{path} can't be read: {error.strerror}") from error
    first, *lines = data.split(b"\n")
    if not lines or lines.pop():
        raise RollError(f"{path} is no roll file, or its last line is cut off: import the register again")
    header = parse_header(first, path)
    del data
    with collector_paused():
        entries = tuple(read_entry(line, number, header.mtg, path) for number, line in enumerate(lines, 2))
        del lines
        try:
            roll = Roll(header.mtg, header.figures.get("snapshot", ""), entries, header.provenance)
        except RollError as error:
            raise RollError(f"{path}: {error.message}") from error
        for name, computed in roll.summary.as_json().items():
            if header.figures.get(name) != computed:
                claimed = header.figures.get(name)
                raise Negative(f"{path}: {name} comes out as {computed}, but the file says {claimed}")
    return roll


def read_header(path: Path) -> Header:
    """Return what a roll file says of itself, nothing computed again; raise RollError for no roll file."""
    try:
        with path.open("rb") as file:
            return parse_header(file.readline().removesuffix(b"\n"), path)
    except OSError as error:
        raise RollError(f"{path} can't be read: {error.strerror}") from error


def parse_header(line: bytes, path: Path) -> Header:
    """Return what a roll file's first line says; raise RollError for another line."""
    with contextlib.suppress(ValueError):
        match jcs.loads(line):
            case {
                "v": 2,
                "kind": "concordat-roll",
                "mtg": str(mtg),
                "roll": dict(figures),
                "source": source,
                "corrections": corrections,
            }:
                return Header(mtg, figures, parse_provenance(source, corrections))
    raise RollError(f"{path} is no roll file of version {VERSION}: make one with `concordat roll import`")


def read_entry(line: bytes, number: int, mtg: str, path: Path) -> Entry:
    """Return the lender of a roll file's line; raise RollError, with the line, for another one."""
    try:
        return decode_entry(line, mtg)
    except ValueError as error:
        raise RollError(f"{path}: line {number} is no lender's: {error}") from error
