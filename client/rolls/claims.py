"""The register of claims: CSV rows into holders, all or nothing, every mistake with its line.

One row is one claim. The same identity document in several rows is one lender with one
claim a class: rows of the same document in the same class are a mistake (a lender listed
twice), and so are rows of one document under two names, telephone numbers or addresses.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.encodings.ids import MAX_INTEGER, is_name
from client.encodings.leaf import Claim
from client.rolls.bulk import collector_paused
from client.rolls.decode import decode_text
from client.rolls.errors import Faults, RollError
from client.rolls.person import ID_TYPES, MAX_NAME, Person, check_contact, parse_id_no
from client.rolls.yuan import parse_yuan

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS: Final = ("name", "id_type", "id_no", "phone", "email", "class", "claim_yuan")
MAX_FIELD: Final = 300

# Controls, formats (such as writing directions), line and paragraph separators, private use.
_CONTROL: Final = ("Cc", "Cf", "Zl", "Zp", "Co", "Cn")


@dataclass(frozen=True, slots=True)
class Holder:
    """One lender with all their claims, sorted by class, one a class."""

    person: Person
    claims: tuple[Claim, ...]


@dataclass(slots=True)
class _Rows:
    """What the rows so far say of one document."""

    first_line: int
    person: Person
    claims: dict[str, tuple[int, int]]  # class -> (fen, line)


def read_claims(data: bytes, encoding: str = "auto", source: str = "the register") -> tuple[Holder, ...]:
    """Return the holders of a CSV register, in the order of their first rows.

    Raise RollError with every mistake's line (the first 20 of them) if there is any:
    wrong columns, no rows, unreadable text, fields too long or with control characters,
    amounts that are none, wrong check digits, lenders listed twice.
    """
    text = decode_text(data, encoding, source)
    faults = Faults()
    people: dict[tuple[str, str], _Rows] = {}
    with collector_paused():
        for line, row in _rows(text, source, faults):
            _read_row(line, row, people, faults)
    if not people and not faults.total:
        raise RollError(f"{source} has no claims: at least one row has to follow the header")
    total = sum(fen for rows in people.values() for fen, _ in rows.claims.values())
    if total > MAX_INTEGER:
        faults.add(1, "all claims together exceed 90 trillion yuan: check the unit")
    faults.check(source)
    return tuple(
        Holder(rows.person, tuple(Claim(name, fen) for name, (fen, _) in sorted(rows.claims.items())))
        for rows in people.values()
    )


def _rows(text: str, source: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if tuple(name.strip() for name in header) != COLUMNS:
            raise RollError(
                f"{source}: the columns are {','.join(header)[:120]!r}; they have to be {','.join(COLUMNS)}"
            )
        for row in reader:
            if row:  # an empty line is no row
                yield reader.line_num, row
    except csv.Error as error:
        # A broken quotation swallows what follows, so reading on would only invent mistakes.
        faults.add(reader.line_num, f"this is no CSV ({error}): check its quotation marks")


def _read_row(line: int, row: list[str], people: dict[tuple[str, str], _Rows], faults: Faults) -> None:
    if len(row) != len(COLUMNS):
        faults.add(line, f"{len(row)} fields where {len(COLUMNS)} are due")
        return
    fields = [field.strip(" \t\u3000") for field in row]
    # Looked at character by character only if the whole row looks suspicious: rolls are long.
    if max(map(len, fields)) > MAX_NAME or not "".join(fields).isprintable():
        before = faults.total
        _check_characters(line, fields, faults)
        if faults.total > before:
            return
    _read_fields(line, fields, people, faults)


def _check_characters(line: int, fields: list[str], faults: Faults) -> None:
    for name, field in zip(COLUMNS, fields, strict=True):
        if len(field) > (MAX_NAME if name == "name" else MAX_FIELD):
            faults.add(line, f"{name} has {len(field)} characters: that is too long")
        elif any(unicodedata.category(character) in _CONTROL for character in field):
            faults.add(line, f"{name} has a control character: type it again")


def _read_fields(line: int, fields: list[str], people: dict[tuple[str, str], _Rows], faults: Faults) -> None:
    name, id_type, id_no, phone, email, cls, amount = fields
    before, fen = faults.total, 0
    if not name:
        faults.add(line, "name is missing")
    if not is_name(cls) or cls == "all":
        faults.add(line, f"class {cls[:40]!r} is not 1 to 40 of a-z, 0-9 and -, or is the reserved word all")
    try:
        fen = parse_yuan(amount)
    except ValueError as error:
        faults.add(line, f"claim_yuan {error}")
    try:
        check_contact(phone, email)
    except ValueError as error:
        faults.add(line, str(error))
    if id_type not in ID_TYPES:
        faults.add(line, f"id_type {id_type[:40]!r} is none of {', '.join(ID_TYPES)}")
    else:
        try:
            id_no = parse_id_no(id_type, id_no)
        except ValueError as error:
            faults.add(line, f"id_no: {error}")
    if faults.total == before:
        person = Person(unicodedata.normalize("NFC", name), id_type, id_no, phone, email)
        _add_claim(line, person, Claim(cls, fen), people, faults)


def _add_claim(
    line: int,
    person: Person,
    claim: Claim,
    people: dict[tuple[str, str], _Rows],
    faults: Faults,
) -> None:
    cls = claim.cls
    rows = people.get(person.document)
    if rows is None:
        people[person.document] = _Rows(line, person, {cls: (claim.fen, line)})
        return
    if cls in rows.claims:
        faults.add(line, f"the same lender is in line {rows.claims[cls][1]} with a claim of the same class")
        return
    known = rows.person
    for name in ("name", "phone", "email"):
        one, two = getattr(known, name), getattr(person, name)
        if one and two and one != two:
            faults.add(line, f"the same identity document is in line {rows.first_line} with another {name}")
            return
    rows.person = Person(
        known.name, known.id_type, known.id_no, known.phone or person.phone, known.email or person.email
    )
    rows.claims[cls] = (claim.fen, line)
