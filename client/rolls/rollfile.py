"""Roll files: JSON lines with every person and leaf, for whoever has to recompute the whole.

The first line has the meeting, the snapshot and the figures; each further line one
lender, in the order of the tree. The file holds personal data: mode 0600.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, Final

from client.encodings import base64url, jcs
from client.encodings.errors import Refused
from client.encodings.leaf import SALT_BYTES, Leaf, claims_json, parse_claims
from client.errors import ConcordatError, Negative
from client.rolls.bulk import collector_paused
from client.rolls.errors import RollError
from client.rolls.person import Person
from client.rolls.roll import Entry, Roll

if TYPE_CHECKING:
    from pathlib import Path

KIND: Final = "concordat-roll"
_PERSON: Final = ("name", "id_type", "id_no", "phone", "email")


def write_roll(roll: Roll, path: Path, *, replace: bool = False) -> None:
    """Write a roll file at once or not at all, readable by its owner only.

    Raise RollError if the file exists (unless `replace`) or can't be written.
    """
    if path.exists() and not replace:
        raise RollError(f"{path} exists already: name another file, or say that it may be replaced")
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, so that nobody can read meanwhile
            file.write(_header(roll))
            file.writelines(_line(entry) for entry in roll.entries)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise RollError(f"{path} can't be written: {error.strerror}") from error


def _header(roll: Roll) -> bytes:
    value = {"v": 1, "kind": KIND, "mtg": roll.mtg, "roll": roll.summary.as_json()}
    return jcs.dumps(value) + b"\n"


def _line(entry: Entry) -> bytes:
    leaf = entry.leaf
    value = {
        "sub": leaf.sub,
        "salt": base64url.encode(leaf.salt),
        "claims": claims_json(leaf.claims),
        "person": entry.person.as_json(),
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_roll(path: Path) -> Roll:
    """Return the roll of a file, everything computed again.

    Raise RollError for a file that is none, Negative for one whose figures don't come out
    as its first line has them.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RollError(f"{path} can't be read: {error.strerror}") from error
    header, *lines = data.split(b"\n")
    if not lines or lines.pop():
        raise RollError(f"{path} is no roll file, or its last line is cut off: import the register again")
    mtg, figures = _read_header(header, path)
    with collector_paused():
        entries = tuple(_read_line(line, number, mtg, path) for number, line in enumerate(lines, 2))
    try:
        roll = Roll(mtg, figures.get("snapshot", ""), entries)
    except RollError as error:
        raise RollError(f"{path}: {error.message}") from error
    for name, computed in roll.summary.as_json().items():
        if figures.get(name) != computed:
            raise Negative(f"{path}: {name} comes out as {computed}, but the file says {figures.get(name)}")
    return roll


def _read_header(header: bytes, path: Path) -> tuple[str, dict[str, Any]]:
    with contextlib.suppress(jcs.JsonError):
        match jcs.loads(header):
            case {"v": 1, "kind": "concordat-roll", "mtg": str(mtg), "roll": dict(figures)}:
                return mtg, figures
    raise RollError(f"{path} is no roll file: make one with `concordat roll import`")


def _read_line(line: bytes, number: int, mtg: str, path: Path) -> Entry:
    try:
        match jcs.loads(line):
            case {"sub": str(sub), "salt": str(salt), "claims": claims, "person": dict(person)}:
                leaf = Leaf(mtg, sub, parse_claims(claims), base64url.decode(salt, SALT_BYTES))
                return Entry(_read_person(person), leaf)
    except (ValueError, Refused) as error:
        reason = error.message if isinstance(error, ConcordatError) else str(error)
        raise RollError(f"{path}: line {number} is no lender's: {reason}") from error
    raise RollError(f"{path}: line {number} is no lender's: a member is missing")


def _read_person(value: dict[str, Any]) -> Person:
    if value.keys() != set(_PERSON) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError("person has other members than a person's")
    return Person(*(value[name] for name in _PERSON))
