"""The register of lenders takes up a whole roll at once, or nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from client.encodings import jcs
from client.errors import UserError
from client.meetings import lenders
from client.meetings.lenders import LenderRegister
from client.platform import Database, Vault
from client.platform.models import Lender
from client.rolls import Person, generate_csv, read_claims
from tests.unit.platform.scene import INSTITUTION

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def register(database: Database, tmp_path: Path) -> LenderRegister:
    return LenderRegister(database, Vault.open(tmp_path / "platform.key"))


def rows(database: Database) -> list[Lender]:
    with database.read() as session:
        return list(session.scalars(select(Lender)))


def test_a_roll_is_taken_up_in_pieces_with_nobody_lost(
    register: LenderRegister, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lenders, "_ROWS", 7)
    persons = [holder.person for holder in read_claims(generate_csv(30, 3))]
    subs = register.pseudonyms(INSTITUTION, persons)
    register.adopt(INSTITUTION, zip(persons[:10], subs[:10], strict=True))
    register.adopt(INSTITUTION, zip(persons, subs, strict=True))
    assert {row.sub for row in rows(database)} == set(subs)
    assert register.pseudonyms(INSTITUTION, persons) == subs
    for person, sub in zip(persons, subs, strict=True):
        assert register.person(INSTITUTION, sub) == person.as_json()


def test_a_foreign_pseudonym_refuses_the_whole_roll(register: LenderRegister, database: Database) -> None:
    persons = [holder.person for holder in read_claims(generate_csv(5, 3))]
    subs = register.pseudonyms(INSTITUTION, persons)
    register.adopt(INSTITUTION, [(persons[4], subs[4])])
    with pytest.raises(UserError, match="known as"):
        register.adopt(INSTITUTION, zip(persons, [*subs[:4], "A" * 22], strict=True))
    assert len(rows(database)) == 1


def test_sealed_persons_are_canonical() -> None:
    odd = Person('\u00e9\u738b\U0001f600 "\\/\u007f\u2028', "other", "A-1", "+86 100", "a'b@example.org")
    assert lenders._encode(odd.as_json()).encode() == jcs.dumps(odd.as_json())
