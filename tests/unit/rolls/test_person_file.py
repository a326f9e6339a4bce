from __future__ import annotations

import pytest

from client.rolls.person import Person, parse_person

GOOD = {"name": "张律师", "id_type": "passport", "id_no": "e1234567"}


def test_a_person_of_a_file_is_as_a_register_has_it() -> None:
    assert parse_person(GOOD) == Person("张律师", "passport", "E1234567")
    more = GOOD | {"phone": "0755 1234567", "email": "law@example.org"}
    assert parse_person(more) == Person("张律师", "passport", "E1234567", "0755 1234567", "law@example.org")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "a person is"),
        ({"name": "张律师"}, "a person is"),
        (GOOD | {"claims": []}, "a person is"),
        (GOOD | {"name": 7}, "name"),
        (GOOD | {"name": ""}, "name"),
        (GOOD | {"name": "x" * 101}, "name"),
        (GOOD | {"id_type": "badge"}, "badge"),
        (GOOD | {"id_no": "?"}, "number"),
        (GOOD | {"phone": "call me"}, "telephone"),
        (GOOD | {"email": "nowhere"}, "e-mail"),
    ],
)
def test_what_is_no_person_is_refused_with_what_is_wrong(value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_person(value)
