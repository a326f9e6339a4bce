"""A person (or firm) as a register names them, and the check digits of identity documents."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from operator import mul
from typing import Final

ID_TYPES: Final = ("resident-id", "credit-code", "passport", "travel-permit", "other")
"""`resident-id` is checked by GB 11643, `credit-code` (firms) by GB 32100."""

MAX_NAME: Final = 100
MAX_ID: Final = 40
MAX_EMAIL: Final = 254

_LONGEST: Final = {"name": MAX_NAME, "id_type": MAX_ID, "id_no": MAX_ID, "phone": MAX_ID, "email": MAX_EMAIL}

_RESIDENT = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_RESIDENT_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECK: Final = "10X98765432"

_CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT = re.compile(rf"[{_CREDIT_ALPHABET}]{{18}}", re.ASCII)
_CREDIT_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))

_DOCUMENT = re.compile(r"[0-9A-Z()/-]{4,40}", re.ASCII)
_PHONE = re.compile(r"\+?[0-9][0-9 -]{3,18}[0-9]", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")


@dataclass(frozen=True, slots=True)
class Person:
    """A lender as the register names them; the identity document alone says who it is."""

    name: str
    id_type: str
    id_no: str
    phone: str = ""
    email: str = ""

    @property
    def document(self) -> tuple[str, str]:
        """What every claim of the same person has in common."""
        return (self.id_type, self.id_no)

    def as_json(self) -> dict[str, str]:
        """Return the person as JSON."""
        return {
            "name": self.name,
            "id_type": self.id_type,
            "id_no": self.id_no,
            "phone": self.phone,
            "email": self.email,
        }


def resident_check_digit(first17: str) -> str:
    """Return the check character of a resident identity number (GB 11643-1999, ISO 7064 MOD 11-2)."""
    # map and mul and not a generator: a national roll has 400,000 of these.
    total = sum(map(mul, map(int, first17), _RESIDENT_WEIGHTS))
    return _RESIDENT_CHECK[total % 11]


def credit_check_character(first17: str) -> str:
    """Return the check character of a unified social credit code (GB 32100-2015)."""
    total = sum(
        _CREDIT_ALPHABET.index(character) * weight
        for character, weight in zip(first17, _CREDIT_WEIGHTS, strict=True)
    )
    return _CREDIT_ALPHABET[-total % 31]


def parse_id_no(id_type: str, text: str) -> str:
    """Return an identity document's number in its one form (capitals); raise ValueError, saying why not.

    The number itself is not repeated in the error: it is personal.
    """
    number = text.upper()
    if id_type == "resident-id":
        _check_resident(number)
    elif id_type == "credit-code":
        if _CREDIT.fullmatch(number) is None:
            raise ValueError("the credit code has not 18 of the characters that GB 32100 allows")
        if credit_check_character(number[:17]) != number[17]:
            raise ValueError("the credit code's check character is wrong: a character was mistyped")
    elif _DOCUMENT.fullmatch(number) is None:
        raise ValueError(f"the {id_type} number has not 4 to {MAX_ID} letters and digits")
    return number


class ColumnError(ValueError):
    """A mistake in another column than the one that is parsed: `column` names it."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def parse_document(id_type: str, text: str) -> str:
    """Return what `parse_id_no` does; raise ColumnError for a type that is none."""
    if id_type not in ID_TYPES:
        raise ColumnError("id_type", f"{id_type[:40]!r} is none of {', '.join(ID_TYPES)}")
    return parse_id_no(id_type, text)


def parse_person(value: object) -> Person:
    """Return the person of parsed JSON: `name`, `id_type`, `id_no`, perhaps `phone` and `email`.

    Raises ValueError, naming the member that is wrong.
    """
    needed, optional = {"name", "id_type", "id_no"}, {"phone", "email"}
    if not isinstance(value, dict) or value.keys() - optional != needed:
        raise ValueError("a person is name, id_type and id_no, perhaps phone and email")
    for member, text in value.items():
        if not isinstance(text, str) or len(text) > _LONGEST[member]:
            raise ValueError(f"{member} is no text of at most {_LONGEST[member]} characters")
    return Person(
        parse_name(value["name"]),
        value["id_type"],
        parse_document(value["id_type"], value["id_no"]),
        parse_phone(value.get("phone", "")),
        parse_email(value.get("email", "")),
    )


def parse_name(text: str) -> str:
    """Return a name in Unicode's composed form; raise ValueError for none."""
    if not text:
        raise ValueError("the name is missing")
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def parse_phone(text: str) -> str:
    """Return a telephone number as it is, or nothing; raise ValueError for one that can't be dialled."""
    if text and _PHONE.fullmatch(text) is None:
        raise ValueError("this is no telephone number: digits, spaces and hyphens, 5 to 20 characters")
    return text


def parse_email(text: str) -> str:
    """Return an e-mail address as it is, or nothing; raise ValueError for one that can't be written to."""
    if text and (len(text) > MAX_EMAIL or _EMAIL.fullmatch(text) is None):
        raise ValueError("this is no e-mail address")
    return text


def _check_resident(number: str) -> None:
    if _RESIDENT.fullmatch(number) is None:
        raise ValueError("the resident-id has not 17 digits and a digit or X")
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise ValueError("the resident-id has no date of birth in its 7th to 14th digit") from error
    if resident_check_digit(number[:17]) != number[17]:
        raise ValueError("the resident-id's check digit is wrong: a digit was mistyped")
