"""Identity documents: the check digits of GB 11643 and GB 32100."""

from __future__ import annotations

import pytest

from client.rolls.person import check_contact, credit_check_character, parse_id_no, resident_check_digit


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


@pytest.mark.parametrize(
    ("phone", "email"), [("12", ""), ("phone", ""), ("", "a@b@c"), ("", "nobody"), ("", "a b@c")]
)
def test_contacts_have_to_be_plausible(phone: str, email: str) -> None:
    with pytest.raises(ValueError, match=r"phone|email"):
        check_contact(phone, email)
    check_contact("", "")
    check_contact("+86 100-0000-0001", "li@example.org")
