"""Corrections asked for: which value of which lender is wrong, what is right, why, and who says so."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from client.encodings.errors import Refused
from client.encodings.ids import is_hex_hash, is_random_id
from client.encodings.leaf import Claim
from client.rolls.claims import parse_class, parse_decision, parse_exclusions
from client.rolls.errors import RollError
from client.rolls.person import parse_document, parse_email, parse_name, parse_phone
from client.rolls.tables import read_table
from client.rolls.yuan import format_yuan, parse_yuan

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.rolls.roll import Entry

COLUMNS: Final = ("sub", "column", "class", "old", "new", "reason", "who", "source_sha256")
"""What a table of corrections has."""

CORRECTABLE: Final = (
    "name",
    "document",
    "phone",
    "email",
    "class",
    "claim_yuan",
    "decision",
    "excluded",
)
"""What of a lender can be corrected; `document` is the type and the number, apart by a space."""

OF_A_CLAIM: Final = ("class", "claim_yuan", "decision")
MAX_TEXT: Final = 500


@dataclass(frozen=True, slots=True)
class Change:
    """One correction: the lender's pseudonym, what is changed from what to what, and on what grounds.

    `cls` names the claim where the column is a claim's, and is empty otherwise. `claim_yuan` without `old`
    adds a claim, without `new` takes it away. `source` is the SHA-256 (hex) of the document that shows it.
    """

    sub: str
    column: str
    cls: str
    old: str
    new: str
    reason: str
    who: str
    source: str

    def __post_init__(self) -> None:
        """Raise ValueError, saying what to correct, for a change that can't be one."""
        if not is_random_id(self.sub):
            raise ValueError("sub is no pseudonym: take it from the roll file")
        if self.column not in CORRECTABLE:
            raise ValueError(f"column {self.column[:40]!r} is none of {', '.join(CORRECTABLE)}")
        if bool(self.cls) != (self.column in OF_A_CLAIM):
            raise ValueError(f"class has to be named for {', '.join(OF_A_CLAIM)}, and only for these")
        if self.old == self.new:
            raise ValueError("old and new are the same")
        for name in ("reason", "who"):
            text = getattr(self, name)
            if not 1 <= len(text) <= MAX_TEXT or any(unicodedata.category(one) == "Cc" for one in text):
                raise ValueError(f"{name} is not 1 to {MAX_TEXT} printable characters")
        if not is_hex_hash(self.source):
            raise ValueError("source_sha256 is not the SHA-256 of the document that shows it, in hex")


def read_changes(data: bytes, encoding: str, source: str) -> tuple[Change, ...]:
    """Return the corrections of a table (CSV or XLSX); raise RollError with every mistake's line."""
    table = read_table(data, encoding, source)
    if table.columns != COLUMNS:
        raise RollError(f"{source}: the columns have to be {','.join(COLUMNS)}")
    changes = []
    for line, row in table.rows:
        if len(row) != len(COLUMNS):
            table.faults.add(line, "", f"{len(row)} fields where {len(COLUMNS)} are due")
            continue
        try:
            changes.append(Change(*(field.strip() for field in row)))
        except ValueError as error:
            table.faults.add(line, "", str(error))
    table.faults.check(source, "corrected")
    if not changes:
        raise RollError(f"{source} has no corrections: at least one row has to follow the header")
    return tuple(changes)


def value_of(entry: Entry, column: str, cls: str) -> str:
    """Return what a lender has in a column, as text; nothing where they have no such claim."""
    if column == "document":
        return " ".join(entry.person.document)
    if column == "excluded":
        return " ".join(entry.leaf.excluded)
    if column not in OF_A_CLAIM:
        return str(getattr(entry.person, column))
    claim = next((claim for claim in entry.leaf.claims if claim.cls == cls), None)
    if claim is None:
        return ""
    return {"class": claim.cls, "claim_yuan": format_yuan(claim.fen), "decision": claim.decision}[column]


def normal(column: str, text: str) -> str:
    """Return a value in its one form, such as 5.00 for 5; raise ValueError, saying why it is none."""
    return _NORMAL[column](text)


def _normal_document(text: str) -> str:
    id_type, _, id_no = text.partition(" ")
    return f"{id_type} {parse_document(id_type, id_no)}"


_NORMAL: Final[dict[str, Callable[[str], str]]] = {
    "name": parse_name,
    "document": _normal_document,
    "phone": parse_phone,
    "email": parse_email,
    "class": parse_class,
    "claim_yuan": lambda text: format_yuan(parse_yuan(text)) if text else "",
    "decision": parse_decision,
    "excluded": lambda text: " ".join(parse_exclusions(text)),
}


def corrected(entry: Entry, change: Change) -> Entry:
    """Return the lender as corrected; raise ValueError where `old` isn't theirs, or `new` is no value."""
    column, cls = change.column, change.cls
    found = value_of(entry, column, cls)
    if normal(column, change.old) != found if change.old else found:
        raise ValueError(f"{column} is {found!r} on the roll, not {change.old[:80]!r}")
    new = normal(column, change.new)
    if column == "document":
        id_type, _, id_no = new.partition(" ")
        return replace(entry, person=replace(entry.person, id_type=id_type, id_no=id_no))
    if column not in (*OF_A_CLAIM, "excluded"):
        fields: dict[str, Any] = {column: new}
        return replace(entry, person=replace(entry.person, **fields))
    try:
        if column == "excluded":
            return replace(entry, leaf=replace(entry.leaf, excluded=parse_exclusions(new)))
        return replace(entry, leaf=replace(entry.leaf, claims=_claims(entry, change, new)))
    except Refused as error:
        raise ValueError(f"the lender would be no leaf of a roll: {error.message}") from error


def _claims(entry: Entry, change: Change, new: str) -> tuple[Claim, ...]:
    claims = {claim.cls: claim for claim in entry.leaf.claims}
    if change.column == "claim_yuan" and not change.old:
        claims[change.cls] = Claim(parse_class(change.cls), parse_yuan(new))
    elif change.cls not in claims:
        raise ValueError(f"the lender has no claim in the class {change.cls[:40]!r}")
    elif change.column == "claim_yuan" and new:
        claims[change.cls] = replace(claims[change.cls], fen=parse_yuan(new))
    elif change.column == "claim_yuan":
        del claims[change.cls]
    elif change.column == "decision":
        claims[change.cls] = replace(claims[change.cls], decision=new)
    elif new in claims:
        raise ValueError(f"the lender has a claim in the class {new!r} already")
    else:
        claims[new] = replace(claims.pop(change.cls), cls=new)
    return tuple(claims[name] for name in sorted(claims))
