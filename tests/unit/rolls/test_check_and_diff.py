"""Totals known from elsewhere, and what changed between two versions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from client.errors import Negative
from client.rolls.check import Totals, check_roll
from client.rolls.diff import diff_rolls
from tests.unit.rolls.scene import DECISION, REGISTER, small_roll

if TYPE_CHECKING:
    from client.rolls import Roll

FEN = 100050 + 300 + 2_000_000 + 705
CLASSES = {"individual": (3, FEN - 300), "wealth-plan": (1, 300)}


def test_a_roll_that_comes_to_what_is_expected() -> None:
    check_roll(small_roll(), Totals(heads=3, claims=4, fen=FEN, classes=CLASSES))


@pytest.mark.parametrize(
    ("totals", "reasons"),
    [
        (Totals(heads=4), ["3 lenders, not 4"]),
        (Totals(claims=3), ["4 claims, not 3"]),
        (Totals(fen=FEN + 1), ["21010.55 yuan, not 21010.56"]),
        (Totals(classes={"individual": CLASSES["individual"]}), ["1 lenders of wealth-plan, not 0"]),
        (
            Totals(classes=CLASSES | {"bonds": (2, 7)}),
            ["0 lenders of bonds, not 2", "0.00 yuan of bonds, not 0.07"],
        ),
        (Totals(heads=2, fen=1), ["3 lenders, not 2", "21010.55 yuan, not 0.01"]),
    ],
)
def test_every_figure_that_differs_is_told_with_both_values(totals: Totals, reasons: list[str]) -> None:
    with pytest.raises(Negative) as error:
        check_roll(small_roll(), totals)
    for reason in reasons:
        assert reason in error.value.message


def test_a_person_twice_is_told_whatever_is_expected() -> None:
    roll = small_roll()
    one, two = roll.entries[:2]
    twice = replace(roll, entries=(one, replace(two, person=one.person), *roll.entries[2:]))
    with pytest.raises(Negative, match="same identity document"):
        check_roll(twice, Totals())


def test_two_imports_of_one_register_are_the_same() -> None:
    difference = diff_rolls(small_roll(), small_roll())
    assert difference.none
    assert difference.as_json() == {"added": [], "removed": [], "changed": []}


def version(old: str, new: str) -> Roll:
    assert old in REGISTER
    return small_roll(register=REGISTER.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("1000.50", "1000.51", ("claims",)),
        (DECISION, "", ("claims",)),
        ("m1 m2", "m1", ("excluded",)),
        ("赵六", "赵七", ("name",)),
        ("10000000003", "10000000004", ("phone",)),
        ("li@example.org", "la@example.org", ("email",)),
        ("individual,7.05", "wealth-plan,7.05", ("claims",)),
    ],
)
def test_a_change_is_named(old: str, new: str, what: tuple[str, ...]) -> None:
    difference = diff_rolls(small_roll(), version(old, new))
    assert (difference.added, difference.removed) == ((), ())
    assert [one.what for one in difference.changed] == [what]
    assert not difference.none


def test_lenders_come_and_go() -> None:
    less = small_roll(register=REGISTER.replace("赵六,other,Z-0001,10000000003,,individual,7.05,,\n", ""))
    assert [entry.person.id_no for entry in diff_rolls(less, small_roll()).added] == ["Z-0001"]
    assert [entry.person.id_no for entry in diff_rolls(small_roll(), less).removed] == ["Z-0001"]


def test_a_corrected_document_is_the_same_lender() -> None:
    before = small_roll()
    entries = [
        replace(entry, person=replace(entry.person, id_no="Z-0002"))
        if entry.person.id_no == "Z-0001"
        else entry
        for entry in before.entries
    ]
    (changed,) = diff_rolls(before, replace(before, entries=tuple(entries))).changed
    assert changed.what == ("document",)


def test_nobody_is_named_in_what_is_printed() -> None:
    difference = diff_rolls(small_roll(), version("赵六", "赵七"))
    assert "赵" not in str(difference.as_json())
    assert "Z-0001" not in str(difference.as_json())
