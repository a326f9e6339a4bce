"""Identity documents: the check digits of GB 11643 and GB 32100."""

from __future__ import annotations

import pytest

from client.rolls.person import (
    ColumnError,
    credit_check_character,
    parse_document,
    parse_email,
    parse_id_no,
    parse_name,
    parse_phone,
    resident_check_digit,
)


def test_the_standards_own_examples() -> None:
    # GB 11643-1999, appendix; GB 32100-2015 as published for a registry office.
    assert resident_check_digit("11010519491231002") == "X"
    assert resident_check_digit("44052418800101001") == "4"
    assert credit_check_character("91350100M000100Y4") == "3"


def test_a_small_x_is_the_same_number() -> None:
    assert parse_id_no("resident-id", "11010519491231002x") == "11010519491231002X"


@pytest.mark.parametrize("place", range(17))
def test_any_single_digit_mistyped_is_found(place: int) -> None:
    good = "440524188001010014"
    digit = str((int(good[place]) + 1) % 10)
    with pytest.raises(ValueError, match="resident-id"):
        parse_id_no("resident-id", good[:place] + digit + good[place + 1 :])


@pytest.mark.parametrize(
    ("id_type", "text"),
    [
        ("resident-id", "44052418800101001"),
        ("resident-id", "440524188013010014"),
        ("resident-id", "\uff1440524188001010014"),
        ("resident-id", ""),
        ("credit-code", "91350100M000100Y44"),
        ("credit-code", "91350100M000100I43"),
        ("passport", "G1"),
        ("passport", "护照12345"),
        ("other", "A" * 41),
    ],
)
def test_what_is_no_document_is_refused_without_repeating_it(id_type: str, text: str) -> None:
    with pytest.raises(ValueError, match=id_type if id_type != "credit-code" else "credit code") as error:
        parse_id_no(id_type, text)
    assert not text or text not in str(error.value)


@pytest.mark.parametrize("text", ["12", "phone", "1" * 21, "\uff11\uff12\uff13\uff14\uff15"])
def test_a_telephone_number_can_be_dialled(text: str) -> None:
    with pytest.raises(ValueError, match="telephone"):
        parse_phone(text)
    assert parse_phone("+86 100-0000-0001") == "+86 100-0000-0001"
    assert not parse_phone("")


@pytest.mark.parametrize("text", ["a@b@c", "nobody", "a b@c", f"a@{'b' * 254}"])
def test_an_address_can_be_written_to(text: str) -> None:
    with pytest.raises(ValueError, match="e-mail"):
        parse_email(text)
    assert parse_email("li@example.org") == "li@example.org"
    assert not parse_email("")


def test_a_name_is_in_the_composed_form() -> None:
    assert parse_name("Mu\u0308ller") == "M\u00fcller"
    with pytest.raises(ValueError, match="missing"):
        parse_name("")


def test_a_document_is_of_a_known_kind() -> None:
    assert parse_document("passport", "e1234567") == "E1234567"
    with pytest.raises(ColumnError, match="none of resident-id") as error:
        parse_document("idcard", "E1234567")
    assert error.value.column == "id_type"
