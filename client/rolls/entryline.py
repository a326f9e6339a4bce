"""One lender's line in a roll file: JSON in one form, so that a line can't say two things."""

from __future__ import annotations

import json
from typing import Any, Final

from client.encodings import base64url
from client.encodings.errors import Refused
from client.encodings.leaf import SALT_BYTES, Leaf, claims_json, parse_claims, parse_excluded
from client.errors import ConcordatError
from client.rolls.person import Person, parse_document
from client.rolls.roll import Entry

_PERSON: Final = ("name", "id_type", "id_no", "phone", "email")
# Made once: a roll has 390,000 lines.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

SUB_START: Final = len('{"sub":"')
SUB_END: Final = SUB_START + 22
"""Where in a line the pseudonym stands, so that a line can be found without reading it."""


def encode_entry(entry: Entry) -> bytes:
    """Return the lender's line, without the line feed."""
    leaf = entry.leaf
    value: dict[str, Any] = {"sub": leaf.sub, "salt": base64url.encode(leaf.salt)}
    value["claims"] = claims_json(leaf.claims)
    if leaf.excluded:
        value["excluded"] = list(leaf.excluded)
    value["person"] = entry.person.as_json()
    return _encode(value).encode()


def decode_entry(line: bytes, mtg: str) -> Entry:
    """Return the lender of a line; raise ValueError for anything but the one form of it."""
    try:
        value = json.loads(line)
        entry = _entry(value, mtg)
    except (Refused, RecursionError) as error:
        raise ValueError(error.message if isinstance(error, ConcordatError) else str(error)) from error
    # Cheaper than looking for names given twice, odd numbers, spaces and escapes, and as strict.
    if encode_entry(entry) != line:
        raise ValueError("it is not in the form that `concordat roll import` writes")
    return entry


def _entry(value: Any, mtg: str) -> Entry:
    match value:
        case {"sub": str(sub), "salt": str(salt), "claims": claims, "person": dict(person)}:
            excluded = parse_excluded(value["excluded"]) if "excluded" in value else ()
            leaf = Leaf(mtg, sub, parse_claims(claims), base64url.decode(salt, SALT_BYTES), excluded)
            return Entry(_person(person), leaf)
    raise ValueError("a member is missing")


def _person(value: dict[str, Any]) -> Person:
    if value.keys() != set(_PERSON) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError("person has other members than a person's")
    person = Person(*(value[name] for name in _PERSON))
    # One document in two spellings would be one person twice on the roll.
    if parse_document(person.id_type, person.id_no) != person.id_no:
        raise ValueError("the document's number is not in its one form")
    return person
