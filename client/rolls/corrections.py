"""The log of a roll's corrections before it is frozen: append-only, each entry naming the one before.

One JCS object a line: `v`, `no` (from 1), `at`, `mtg`, `sub`, `line` (in the roll file), `column`, `class`,
`old`, `new`, `reason`, `who`, `source_sha256`, and `before`: the SHA-256 (hex) of the line before, or 64
zeros. The roll file's header has the number of entries and the SHA-256 of all their bytes, so that neither
can be changed without the other. The log holds personal data, as the roll file does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from client.encodings import jcs, times
from client.encodings.ids import MAX_INTEGER, is_count, is_hex_hash
from client.errors import Negative
from client.rolls.changes import OF_A_CLAIM, Change, corrected, normal, value_of
from client.rolls.errors import Faults
from client.rolls.provenance import LogHead
from client.rolls.roll import Roll

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOTHING_BEFORE: Final = "0" * 64
_FIRST_LINE: Final = 2
_TEXTS: Final = ("sub", "column", "class", "old", "new", "reason", "who", "source_sha256")
_MEMBERS: Final = frozenset([*_TEXTS, "v", "no", "at", "mtg", "line", "before"])


@dataclass(frozen=True, slots=True)
class Correction:
    """An entry of the log: the change, its number, its time, and the lender's line in the roll file."""

    no: int
    at: str
    line: int
    change: Change
    before: str

    def encode(self, mtg: str) -> bytes:
        """Return the entry's line, without the line feed."""
        change = self.change
        return jcs.dumps(
            {
                "v": 1,
                "no": self.no,
                "at": self.at,
                "mtg": mtg,
                "sub": change.sub,
                "line": self.line,
                "column": change.column,
                "class": change.cls,
                "old": change.old,
                "new": change.new,
                "reason": change.reason,
                "who": change.who,
                "source_sha256": change.source,
                "before": self.before,
            }
        )


def log_path(roll_file: Path) -> Path:
    """Return where the log of a roll file's corrections stands."""
    return roll_file.with_name(f"{roll_file.stem}.corrections.jsonl")


def correct(roll: Roll, log: bytes, changes: Sequence[Change], at: str, source: str) -> tuple[Roll, bytes]:
    """Return the roll with every change made, in order, and its log with them appended; all or nothing.

    `log` is what was logged of this roll before, empty for nothing. Raise RollError, with the number of each
    change that can't be made (as its line: 2 is the first), Negative for a log that isn't the roll's.
    """
    log = followed(roll, log)
    known = log.split(b"\n")[:-1]
    faults = Faults()
    entries = list(roll.entries)
    lines: list[bytes] = []
    before = hashlib.sha256(known[-1]).hexdigest() if known else NOTHING_BEFORE
    for number, change in enumerate(changes, _FIRST_LINE):
        index = roll.place(change.sub)
        if index is None:
            faults.add(number, "sub", f"the pseudonym {change.sub} is not on the roll")
            continue
        try:
            entries[index] = corrected(entries[index], change)
            shown = replace(
                change,
                old=normal(change.column, change.old) if change.old else "",
                new=normal(change.column, change.new),
            )
        except ValueError as error:
            faults.add(number, change.column, str(error))
            continue
        no = len(known) + len(lines) + 1
        line = Correction(no, at, index + _FIRST_LINE, shown, before).encode(roll.mtg)
        lines.append(line)
        before = hashlib.sha256(line).hexdigest()
    _check_whole(roll, entries, faults)
    faults.check(source, "corrected")
    log += b"".join(line + b"\n" for line in lines)
    head = LogHead(len(known) + len(lines), hashlib.sha256(log).hexdigest())
    return Roll(roll.mtg, roll.snapshot, tuple(entries), replace(roll.provenance, corrections=head)), log


def _check_whole(roll: Roll, entries: Sequence[Any], faults: Faults) -> None:
    seen: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(entries):
        other = seen.setdefault(entry.person.document, index)
        if other != index:
            there = f"lines {other + _FIRST_LINE} and {index + _FIRST_LINE} of the roll of {roll.mtg}"
            faults.add(1, "document", f"one identity document would be twice on the roll: {there}")
    if sum(entry.leaf.fen for entry in entries) > MAX_INTEGER:
        faults.add(1, "claim_yuan", "all claims together would exceed 90 trillion yuan: check the unit")


def followed(roll: Roll, log: bytes) -> bytes:
    """Return the log as far as the roll follows it; raise Negative for a log that isn't this roll's.

    A longer log was being appended to when the power went: what the roll doesn't follow never took effect.
    """
    head = roll.provenance.corrections
    if head is None:
        return b""
    part = b"".join(line + b"\n" for line in log.split(b"\n")[: head.count])
    if hashlib.sha256(part).hexdigest() != head.sha256:
        raise Negative(
            f"the log of corrections is not the one of the roll of {roll.mtg!r}: "
            f"its first {head.count} entries have another hash than the roll file says"
        )
    return part


def verify_log(roll: Roll, log: bytes) -> tuple[Correction, ...]:
    """Return the corrections of a log, every one of them found in the roll.

    Raise Negative, saying where, for a log that is not this roll's, whose entries don't follow each other,
    or whose last word on a value is not what the roll has.
    """
    # 1. The log is the one that the roll's header names, with nothing after it.
    if followed(roll, log) != log:
        raise Negative(f"the log of {roll.mtg!r} has entries that the roll doesn't follow")
    lines = log.split(b"\n")[:-1]
    # 2. Entries are numbered from 1, each names the one before, and none is of another meeting.
    entries = tuple(_parse(line, number, roll.mtg) for number, line in enumerate(lines, 1))
    if entries and entries[0].before != NOTHING_BEFORE:
        raise Negative("the log's first entry names one before it")
    for (line, _), (_, after) in pairwise(zip(lines, entries, strict=True)):
        if after.before != hashlib.sha256(line).hexdigest():
            raise Negative(f"entry {after.no} of the log doesn't follow the one before it")
    # 3. What was last said of a value is what the roll has.
    last = {(entry.change.sub, entry.change.column, entry.change.cls): entry for entry in entries}
    moved = _moved(entries)
    for entry in last.values():
        change = entry.change
        if change.column in OF_A_CLAIM and moved.get((change.sub, change.cls), 0) > entry.no:
            continue  # the claim was moved, taken away or made anew since: that entry is judged
        _check_holds(roll, entry)
    return entries


def _moved(entries: Sequence[Correction]) -> dict[tuple[str, str], int]:
    """Return by lender and class the last entry that made or ended the claim there."""
    moved = {}
    for entry in entries:
        change = entry.change
        if change.column == "class":
            moved[change.sub, change.cls] = moved[change.sub, change.new] = entry.no
        elif change.column == "claim_yuan" and not (change.old and change.new):
            moved[change.sub, change.cls] = entry.no
    return moved


def _check_holds(roll: Roll, entry: Correction) -> None:
    change = entry.change
    index = roll.place(change.sub)
    if index is None:
        raise Negative(f"entry {entry.no} of the log corrects {change.sub}, who is not on the roll")
    # A claim that went to another class is found there.
    cls = change.new if change.column == "class" else change.cls
    found = value_of(roll.entries[index], change.column, cls)
    if found != change.new:
        raise Negative(
            f"entry {entry.no} of the log says that {change.column} of {change.sub} is {change.new!r}, "
            f"the roll has {found!r}"
        )


def _parse(line: bytes, number: int, mtg: str) -> Correction:
    try:
        value = jcs.loads_canonical(line)
        _check_form(value, number, mtg)
        change = Change(*(value[name] for name in _TEXTS))
    except ValueError as error:
        raise Negative(f"entry {number} of the log is none of {mtg!r}: {error}") from error
    return Correction(number, value["at"], value["line"], change, value["before"])


def _check_form(value: Any, number: int, mtg: str) -> None:
    if not isinstance(value, dict) or value.keys() != _MEMBERS or value["v"] != 1:
        raise ValueError("other members than a correction's, or another version")
    if value["mtg"] != mtg or value["no"] != number:
        raise ValueError(f"it is number {value['no']} of {value['mtg']!r}")
    if not all(isinstance(value[name], str) for name in _TEXTS) or not is_count(value["line"]):
        raise ValueError("a member is of another kind")
    if not times.is_time(value["at"]) or not is_hex_hash(value["before"]):
        raise ValueError("at is no time, or before no hash")
