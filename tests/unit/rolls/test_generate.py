"""Example registers: repeatable, importable, uneven, and of nobody."""

from __future__ import annotations

import csv
import io
import statistics

import pytest

from client.errors import UserError
from client.rolls import generate_csv, read_claims
from client.rolls.person import parse_id_no


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert generate_csv(50, 1) == generate_csv(50, 1) != generate_csv(50, 2)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_every_encoding_imports_to_the_same(encoding: str) -> None:
    assert read_claims(generate_csv(500, 3, encoding)) == read_claims(generate_csv(500, 3))


def test_so_many_lenders_as_asked_for() -> None:
    for lenders in (1, 2, 17, 400):
        assert len(read_claims(generate_csv(lenders, 9))) == lenders


def test_documents_are_valid_and_of_no_place() -> None:
    for row in csv.DictReader(io.StringIO(generate_csv(1000, 4).decode())):
        assert parse_id_no(row["id_type"], row["id_no"]) == row["id_no"]
        assert row["id_no"].startswith("99" if row["id_type"] == "resident-id" else "9199")
        assert row["phone"] == "" or row["phone"].startswith("100")
        assert row["email"] == "" or row["email"].endswith("@example.org")


def test_claims_are_uneven_and_in_several_classes() -> None:
    holders = read_claims(generate_csv(3000, 6))
    amounts = sorted(sum(claim.fen for claim in holder.claims) for holder in holders)
    assert statistics.mean(amounts) > 1.5 * statistics.median(amounts)
    assert {claim.cls for holder in holders for claim in holder.claims} == {
        "enterprise",
        "individual",
        "wealth-plan",
    }
    assert any(len(holder.claims) > 1 for holder in holders)
    assert any(holder.person.phone == "" for holder in holders)


@pytest.mark.parametrize("lenders", [0, -1, 2_000_001])
def test_impossible_numbers_are_refused(lenders: int) -> None:
    with pytest.raises(UserError, match="1 to 2,000,000"):
        generate_csv(lenders, 1)
