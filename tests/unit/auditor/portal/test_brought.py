"""What a word is held against is read by key: as few rows among many ballots as among a few."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.portal.brought import Brought
from auditor.portal.door import Handed
from auditor.portal.errors import PortalRefused
from auditor.portal.place import place_from_json
from auditor.portal.rising import LEVELS, Rising
from client.encodings import base64url, times
from client.encodings.acknowledgement import parse_acknowledgement
from tests.unit.auditor.meeting_player import CHANNEL, MTG
from tests.unit.auditor.portal.test_door import platform_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.portal.facts import MeetingFacts
    from client.encodings.acknowledgement import SignedAcknowledgement
    from tests.unit.auditor.portal.site import Site

MANY = 20_000
DOOR = "AssociationMSP"
OPENED = "2026-03-03T03:00:00Z"
FEW = 2 * LEVELS + 8
"""Rows: up and down the tree, and each table by number and by digest."""


class Counted(dict[str, Any]):
    """A table that counts the rows that are read; who goes through it reads them all."""

    def __init__(self, count: list[int]) -> None:
        super().__init__()
        self.count = count

    def get(self, key: str, default: Any = None) -> Any:
        self.count[0] += 1
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.count[0] += 1
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[str]:
        self.count[0] += len(self)
        return super().__iter__()

    def values(self) -> Any:
        self.count[0] += len(self)
        return super().values()

    def items(self) -> Any:
        self.count[0] += len(self)
        return super().items()


class Large:
    """A site's meeting with many ballots more, which counts the rows that are read of it.

    The platform brought number n, from 10 on, n seconds after the opening; the Regulator's door its first.
    """

    def __init__(self, site: Site, state: str) -> None:
        self.count = [0]
        tables = [Counted(self.count) for _ in range(5)]
        accepted, refused, numbers, numbered, rows = tables
        rising = Rising(rows)
        facts = site.watcher.facts.meetings[CHANNEL, MTG]
        (template, *_) = facts.accepted.values()
        for number in range(10, 10 + MANY):
            seconds = times.parse(OPENED) + number
            one = replace(
                template, digest=digest(number), door=DOOR, ack_no=number, ack_time=times.form(seconds)
            )
            accepted[one.digest] = one
            numbers[f"{DOOR} {number}"] = numbered[f"{DOOR} {number}"] = one.digest
            rising.add(DOOR, number, seconds)
        one = replace(template, digest=digest(1), door="RegulatorMSP", ack_no=1, code="KEY_REVOKED")
        refused[one.digest] = one
        numbers["RegulatorMSP 1"] = one.digest
        self.brought = Brought(accepted, refused, numbers, numbered, rising)
        self.facts: MeetingFacts = replace(
            facts,
            state=state,
            last_number=1,
            accepted=accepted,
            refused=refused,
            brought=lambda: nullcontext(self.brought),
        )
        self.count[0] = 0


def digest(number: int) -> str:
    return base64url.encode(number.to_bytes(32))


def word(site: Site, name: str, number: int, time: str | int) -> SignedAcknowledgement:
    given = time if isinstance(time, str) else times.form(times.parse(OPENED) + time)
    signed = site.player.ballot(name)
    return parse_acknowledgement(platform_word(site, signed, no=number, time=given))


@pytest.mark.parametrize(
    ("number", "time"),
    [(MANY // 2, MANY // 2), (MANY // 2, MANY // 2 + 1), (MANY + 500, 500), (5, MANY), (MANY + 500, 5)],
)
def test_a_false_word_is_found_in_few_rows(site: Site, number: int, time: int) -> None:
    large = Large(site, "open")
    with pytest.raises(PortalRefused, match="ACK_CONTRADICTED"):
        site.door.words.take(large.facts, word(site, "chen", number, time))
    assert 0 < large.count[0] <= FEW


@pytest.mark.parametrize("number", [5, MANY + 500, 2**53 - 1])
def test_a_true_word_is_taken_in_few_rows(site: Site, number: int) -> None:
    large = Large(site, "open")
    site.door.words.take(large.facts, word(site, "chen", number, min(number, MANY + 500)))
    assert 0 < large.count[0] <= FEW


def test_what_was_taken_while_open_is_reviewed_in_few_rows_each(site: Site) -> None:
    nothing = Brought({}, {}, {}, {}, Rising({}))
    before = replace(site.watcher.facts.meetings[CHANNEL, MTG], brought=lambda: nullcontext(nothing))
    for name, number in (("chen", MANY // 2), ("ding", MANY + 500)):
        site.door.words.take(before, word(site, name, number, number))
    large = Large(site, "closing")
    (alarm,) = site.door.words.alarms(large.facts)
    assert (alarm.subject, alarm.count) == (DOOR, 1)
    assert f"number {MANY // 2} of" in alarm.where
    assert 0 < large.count[0] <= 2 * FEW


@pytest.mark.parametrize(("number", "stands"), [(2, True), (1, False)])
def test_a_word_of_the_doors_own_that_its_book_lost(site: Site, number: int, *, stands: bool) -> None:
    """It stands again, unless the channel has its number for another ballot, also a refused one."""
    large, signed = Large(site, "open"), site.player.ballot("chen")
    own = platform_word(site, signed, by=site.player.second, no=number, door="RegulatorMSP")
    handed = Handed(signed.compact, place_from_json(site.place("chen")), own)
    given = site.door.accept(large.facts, handed)
    assert (given.acknowledgement == own, given.number == number) == (stands, stands)
    assert 0 < large.count[0] <= FEW
