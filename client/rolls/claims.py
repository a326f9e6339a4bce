"""The register of claims: rows into holders, all or nothing, every mistake with its line and column.

One row is one claim. The same identity document in several rows is one lender with one
claim a class: rows of the same document in the same class are a mistake (a lender listed
twice), and so are rows of one document under two names, telephone numbers, addresses or exclusions.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import partial
from sys import intern
from typing import TYPE_CHECKING, Final, TypeVar

from client.encodings.ids import MAX_INTEGER, is_hex_hash, is_motion_id, is_name
from client.encodings.leaf import MAX_EXCLUDED, Claim
from client.rolls.bulk import collector_paused
from client.rolls.errors import RollError
from client.rolls.person import (
    MAX_NAME,
    ColumnError,
    Person,
    parse_document,
    parse_email,
    parse_name,
    parse_phone,
)
from client.rolls.tables import read_table
from client.rolls.yuan import parse_yuan

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.rolls.errors import Faults

T = TypeVar("T")

COLUMNS: Final = ("name", "id_type", "id_no", "phone", "email", "class", "claim_yuan")
OPTIONAL: Final = ("decision", "excluded")
"""Columns that may follow, in this order.

`decision` is the SHA-256 (hex) of the decision that fixed a disputed claim's amount for the vote, `excluded`
the motions on which the lender may not vote, apart by spaces or semicolons.
"""

MAX_FIELD: Final = 300
RESERVED: Final = ("all", "each")
"""What rules call every class together, or each of them: no class's name."""

# Controls, formats (such as writing directions), line and paragraph separators, private use.
_CONTROL: Final = ("Cc", "Cf", "Zl", "Zp", "Co", "Cn")
_HEADERS: Final = (COLUMNS, (*COLUMNS, OPTIONAL[0]), (*COLUMNS, OPTIONAL[1]), (*COLUMNS, *OPTIONAL))
_APART = re.compile(r"[ ;]+")


@dataclass(frozen=True, slots=True)
class Holder:
    """One lender with all their claims, sorted by class, one a class, and the motions closed to them."""

    person: Person
    claims: tuple[Claim, ...]
    excluded: tuple[str, ...] = ()


@dataclass(slots=True)
class _Rows:
    """What the rows so far say of one document."""

    first_line: int
    person: Person
    excluded: tuple[str, ...]
    claims: dict[str, tuple[Claim, int]]  # class -> (claim, line)


def read_claims(
    data: bytes, encoding: str = "auto", source: str = "the register", sheet: str | None = None
) -> tuple[Holder, ...]:
    """Return the holders of a register (CSV or XLSX), in the order of their first rows.

    `encoding` is of CSV; `sheet` names the sheet of a workbook that has several. Raise RollError with every
    mistake's line and column (the first 20 of them) if there is any: wrong columns, no rows, unreadable
    text, fields too long or with control characters, amounts that are none, numbers where text is due,
    formulas, wrong check digits, lenders listed twice.
    """
    with collector_paused():
        table = read_table(data, encoding, source, sheet)
        if table.columns not in _HEADERS:
            raise RollError(
                f"{source}: the columns are {','.join(table.columns)[:120]!r}; they have to be "
                f"{','.join(COLUMNS)}, and after these may come {' and '.join(OPTIONAL)}"
            )
        reader = _Reader(table.columns, table.faults)
        for line, row in table.rows:
            reader.read(line, row)
        return reader.holders(source)


def parse_exclusions(text: str) -> tuple[str, ...]:
    """Return the motions that a field names, in ascending order; raise ValueError, saying what is wrong."""
    motions = [name for name in _APART.split(text) if name]
    if not all(is_motion_id(name) for name in motions):
        raise ValueError(f"{text[:40]!r} names no motions: write their ids, such as m1, apart by spaces")
    if len(set(motions)) != len(motions):
        raise ValueError(f"{text[:40]!r} names a motion twice")
    if len(motions) > MAX_EXCLUDED:
        raise ValueError(f"{len(motions)} motions: a meeting has at most {MAX_EXCLUDED}")
    return tuple(sorted(motions))


def parse_decision(text: str) -> str:
    """Return a decision's SHA-256 in lower-case hex; raise ValueError, saying what is wrong."""
    digest = text.lower()
    if digest and not is_hex_hash(digest):
        raise ValueError(f"{text[:40]!r} is not the SHA-256 of the decision: 64 hexadecimal digits")
    return digest


def parse_class(text: str) -> str:
    """Return a class's name; raise ValueError, saying what is wrong."""
    if not is_name(text) or text in RESERVED:
        raise ValueError(
            f"{text[:40]!r} is not 1 to 40 of a-z, 0-9 and -, or is the reserved word all or each"
        )
    return text


class _Reader:
    """Reads a register's rows into people, and notes their mistakes."""

    def __init__(self, columns: tuple[str, ...], faults: Faults) -> None:
        self._columns = columns
        self._optional = columns[len(COLUMNS) :]
        self._people: dict[tuple[str, str], _Rows] = {}
        self._faults = faults

    def holders(self, source: str) -> tuple[Holder, ...]:
        """Return the people of all rows; raise RollError if there was any mistake, or no row."""
        if not self._people and not self._faults.total:
            raise RollError(f"{source} has no claims: at least one row has to follow the header")
        total = sum(claim.fen for rows in self._people.values() for claim, _ in rows.claims.values())
        if total > MAX_INTEGER:
            self._faults.add(1, "claim_yuan", "all claims together exceed 90 trillion yuan: check the unit")
        self._faults.check(source)
        return tuple(
            Holder(rows.person, tuple(rows.claims[name][0] for name in sorted(rows.claims)), rows.excluded)
            for rows in self._people.values()
        )

    def read(self, line: int, row: list[str]) -> None:
        """Take a row's claim to its lender, or note what is wrong with it."""
        if len(row) != len(self._columns):
            self._faults.add(line, "", f"{len(row)} fields where {len(self._columns)} are due")
            return
        fields = [field.strip(" \t\u3000") for field in row]
        # Looked at character by character only if the whole row looks suspicious: rolls are long.
        if max(map(len, fields)) > MAX_NAME or not "".join(fields).isprintable():
            before = self._faults.total
            self._check_characters(line, fields)
            if self._faults.total > before:
                return
        self._read_fields(line, fields)

    def _check_characters(self, line: int, fields: list[str]) -> None:
        for name, field in zip(self._columns, fields, strict=True):
            if len(field) > (MAX_NAME if name == "name" else MAX_FIELD):
                self._faults.add(line, name, f"{len(field)} characters are too many")
            elif any(unicodedata.category(character) in _CONTROL for character in field):
                self._faults.add(line, name, "there is a control character in it: type it again")

    def _read_fields(self, line: int, fields: list[str]) -> None:
        name, id_type, id_no, phone, email, cls, amount = fields[:7]
        before = self._faults.total
        decision = ""
        excluded: tuple[str, ...] = ()
        name = self._parsed(line, "name", parse_name, name, "")
        number = self._parsed(line, "id_no", partial(parse_document, id_type), id_no, "")
        phone = self._parsed(line, "phone", parse_phone, phone, "")
        email = self._parsed(line, "email", parse_email, email, "")
        cls = self._parsed(line, "class", parse_class, cls, "")
        fen = self._parsed(line, "claim_yuan", parse_yuan, amount, 0)
        if self._optional:
            further = dict(zip(self._optional, fields[7:], strict=True))
            decision = self._parsed(line, "decision", parse_decision, further.get("decision", ""), "")
            excluded = self._parsed(line, "excluded", parse_exclusions, further.get("excluded", ""), excluded)
        if self._faults.total == before:
            # Interned: a national roll has these two words 400,000 times.
            person = Person(name, intern(id_type), number, phone, email)
            cls = intern(cls)
            self._add_claim(line, person, Claim(cls, fen, decision), excluded)

    def _parsed(self, line: int, column: str, parse: Callable[[str], T], text: str, otherwise: T) -> T:
        try:
            return parse(text)
        except ColumnError as error:
            self._faults.add(line, error.column, str(error))
        except ValueError as error:
            self._faults.add(line, column, str(error))
        return otherwise

    def _add_claim(self, line: int, person: Person, claim: Claim, excluded: tuple[str, ...]) -> None:
        rows = self._people.get(person.document)
        if rows is None:
            self._people[person.document] = _Rows(line, person, excluded, {claim.cls: (claim, line)})
            return
        if claim.cls in rows.claims:
            there = f"{self._faults.place} {rows.claims[claim.cls][1]}"
            self._faults.add(
                line, "id_no", f"the same lender is in {there} with a claim of the same class: leave one"
            )
            return
        known = rows.person
        pairs = [(name, getattr(known, name), getattr(person, name)) for name in ("name", "phone", "email")]
        for name, one, two in (*pairs, ("excluded", rows.excluded, excluded)):
            if one and two and one != two:
                there = f"{self._faults.place} {rows.first_line}"
                self._faults.add(line, name, f"the same identity document is in {there} with another {name}")
                return
        rows.person = Person(
            known.name, known.id_type, known.id_no, known.phone or person.phone, known.email or person.email
        )
        rows.excluded = rows.excluded or excluded
        rows.claims[claim.cls] = (claim, line)
