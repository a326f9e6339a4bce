"""One lender's line in a roll file: JSON in one form, so that a line can't say two things."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from client.encodings import base64url
from client.encodings.errors import Refused
from client.encodings.leaf import SALT_BYTES, Claim, Leaf, claims_json, parse_claims, parse_excluded
from client.errors import ConcordatError
from client.rolls.person import Person, parse_document
from client.rolls.roll import Entry

_PERSON: Final = ("name", "id_type", "id_no", "phone", "email")
# Made once: a roll has 390,000 lines.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_TEXT: Final = r'"([^"\\\x00-\x1f]*)"'
_CLAIM_FORM: Final = r'\{"class":"[a-z0-9-]+","fen":[1-9][0-9]*(?:,"decision":"[0-9a-f]{64}")?\}'
_CLAIM: Final = re.compile(r'"class":"([^"]+)","fen":([0-9]+)(?:,"decision":"([^"]+)")?')
_PLAIN: Final = re.compile(
    rf'\{{"sub":"([\w-]+)","salt":"([\w-]+)","claims":\[({_CLAIM_FORM}(?:,{_CLAIM_FORM})*)\],'
    r'(?:"excluded":\[("[a-z0-9-]+"(?:,"[a-z0-9-]+")*)\],)?'
    r'"person":\{' + ",".join(f'"{name}":{_TEXT}' for name in _PERSON) + r"\}\}",
    re.ASCII,
)
"""A line whose texts need no escaping."""

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
        match = _PLAIN.fullmatch(line.decode())
        return _escaped(line, mtg) if match is None else _plain(match, mtg)
    except (Refused, RecursionError) as error:
        raise ValueError(error.message if isinstance(error, ConcordatError) else str(error)) from error


def _plain(match: re.Match[str], mtg: str) -> Entry:
    """Return the lender of a line without escapes: its one form is a pattern, so no JSON has to be read.

    Half the time of `_escaped`; a test holds the two together.
    """
    sub, salt, claims, excluded, *person = match.groups()
    held = tuple(Claim(cls, int(fen), decision) for cls, fen, decision in _CLAIM.findall(claims))
    motions = tuple(excluded[1:-1].split('","')) if excluded else ()
    return Entry(_checked(Person(*person)), Leaf(mtg, sub, held, base64url.decode(salt, SALT_BYTES), motions))


def _escaped(line: bytes, mtg: str) -> Entry:
    """Return the lender of any line."""
    entry = _entry(json.loads(line), mtg)
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
    return _checked(Person(*(value[name] for name in _PERSON)))


def _checked(person: Person) -> Person:
    # One document in two spellings would be one person twice on the roll.
    if parse_document(person.id_type, person.id_no) != person.id_no:
        raise ValueError("the document's number is not in its one form")
    return person
