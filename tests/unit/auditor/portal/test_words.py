"""Two words of the platform that can't both be true: refused, kept as a pair, and an alarm."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command

from auditor.log.service_db import KeptWord, ServiceDatabase, WordBook
from auditor.log.service_db.migrate import configuration
from auditor.portal.errors import PortalRefused
from auditor.portal.words import CONTRADICTED, SLACK
from client.encodings import times
from client.encodings.acknowledgement import parse_acknowledgement
from client.encodings.batch import encode_batch
from tests.unit.auditor.lenders import verdicts
from tests.unit.auditor.meeting_player import ACK_FORM, CHANNEL, MTG
from tests.unit.auditor.portal.site import PATH
from tests.unit.auditor.portal.test_door import LATE, code, platform_word

if TYPE_CHECKING:
    from tests.unit.auditor.meeting_player import Player
    from tests.unit.auditor.portal.site import Site

BACKDATED = "2026-03-03T08:39:00Z"
"""In time, and before the identity checks expire; what is signed with it now is signed after the close."""
BETWEEN = "2026-03-03T08:35:00Z"


@pytest.fixture
def closing(site: Site) -> Site:
    """A meeting that is closing; the channel has the platform's numbers 1 and 2, both of ACK_FORM."""
    site.clock.now = LATE
    site.player.step("closing")
    site.watcher.refresh()
    return site


def handed(site: Site, name: str, **word: Any) -> tuple[int, str]:
    signed = site.player.ballot(name)
    response = site.hand_in(signed, name, acknowledgement=platform_word(site, signed, **word))
    return code(response)


def alarms(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.client.get(f"/api{PATH}").get_json()["alarms"]
    return found


def bring(player: Player, name: str, **verdict: Any) -> None:
    """Bring a lender's ballot under number 40, with a verdict that has it accepted by none."""
    player.run(
        player.relay,
        [b"SubmitBallots", encode_batch(MTG, [player.entry(name, 40)])],
        verdicts(0, **verdict),
        {},
        player.looked_at(player.ballot(name)),
    )


def test_words_that_agree_with_the_channel_and_each_other_are_taken(closing: Site) -> None:
    for name, number, time in (
        ("chen", 5, BACKDATED),
        ("ding", 3, ACK_FORM),
        ("zeng", 9, times.form(times.parse(BACKDATED) + 9)),
    ):
        assert handed(closing, name, no=number, time=time) == (202, "")
        assert handed(closing, name, no=number, time=time) == (202, "")
    assert alarms(closing) == []


@pytest.mark.parametrize(
    ("number", "time"),
    [
        (2, BACKDATED),  # another ballot's number
        (2, ACK_FORM),  # also at that one's time
        (9, "2026-03-03T08:28:59Z"),  # a higher number, earlier by more than clocks differ
    ],
)
def test_a_backdated_word_against_the_channel_is_refused_and_an_alarm(
    closing: Site, number: int, time: str
) -> None:
    assert handed(closing, "chen", no=number, time=time) == (422, "ACK_CONTRADICTED")
    assert handed(closing, "chen", no=number, time=time) == (422, "ACK_CONTRADICTED")
    (alarm,) = alarms(closing)
    assert (alarm["kind"], alarm["subject"], alarm["count"]) == (CONTRADICTED, "AssociationMSP", 1)
    assert f"number {number} of AssociationMSP against number " in alarm["where"]
    assert closing.player.ballot("chen").digest not in alarm["where"]
    assert closing.database_rows() == 0
    page = closing.page(PATH)
    assert "A door signed two acknowledgements that cannot both be true" in page


def test_what_the_channel_says_after_the_word_is_an_alarm_too(site: Site) -> None:
    assert handed(site, "chen", no=5, time="2026-03-03T08:29:30Z") == (202, "")
    assert handed(site, "zeng", no=6, time="2026-03-03T08:29:40Z") == (202, "")
    site.player.submit([("ding", 5, {})])
    site.watcher.refresh()
    assert alarms(site) == []
    site.player.step("closing")
    site.watcher.refresh()
    (alarm,) = alarms(site)
    assert (alarm["count"], "number 5 of AssociationMSP against number 5, block" in alarm["where"]) == (
        1,
        True,
    )
    assert alarms(site) == [alarm]


def test_a_lower_number_with_a_later_time_is_refused(site: Site) -> None:
    site.player.submit([("chen", 7, {})])
    site.clock.now = LATE
    site.player.step("closing")
    site.watcher.refresh()
    assert handed(site, "ding", no=5, time=BACKDATED) == (422, "ACK_CONTRADICTED")
    assert handed(site, "zeng", no=6, time=ACK_FORM) == (202, "")


def test_hosts_whose_clocks_differ_contradict_nothing(closing: Site) -> None:
    second = times.parse(ACK_FORM)
    assert handed(closing, "chen", no=4, time=times.form(second - SLACK)) == (202, "")
    assert handed(closing, "ding", no=5, time=times.form(second - SLACK - 1)) == (422, "ACK_CONTRADICTED")


@pytest.mark.parametrize(
    ("number", "time"),
    [
        (5, BACKDATED),
        (5, BETWEEN),
        (6, "2026-03-03T08:33:59Z"),
        (4, "2026-03-03T08:36:01Z"),
    ],
)
def test_a_word_against_one_that_was_handed_in_is_refused(closing: Site, number: int, time: str) -> None:
    assert handed(closing, "chen", no=5, time=BETWEEN) == (202, "")
    assert handed(closing, "ding", no=number, time=time) == (422, "ACK_CONTRADICTED")
    # What was refused makes no later word false.
    assert handed(closing, "zeng", no=7, time=BETWEEN) == (202, "")
    assert alarms(closing)[0]["where"].endswith("against number 5, acknowledgement handed in")


def test_a_second_number_for_one_ballot_is_refused(closing: Site) -> None:
    signed = closing.player.ballot("an")
    response = closing.hand_in(signed, "an", acknowledgement=platform_word(closing, signed, no=3))
    assert code(response) == (422, "ACK_CONTRADICTED")
    # Its own number and time are no contradiction: the ballot stands already, which is no harm.
    same = platform_word(closing, signed, no=1, time=ACK_FORM)
    assert closing.hand_in(signed, "an", acknowledgement=same).status_code == 200


def test_a_word_counts_also_where_its_ballot_is_refused(closing: Site) -> None:
    late = times.form(int(LATE.timestamp()))
    assert handed(closing, "chen", no=5, time=late) == (422, "BALLOT_LATE")
    assert handed(closing, "chen", no=5, time=BACKDATED) == (422, "ACK_CONTRADICTED")


def test_a_refused_entry_holds_its_number_and_orders_nothing(site: Site) -> None:
    player = site.player
    player.revoke(player.scene.lenders["zeng"])
    bring(player, "zeng", refused=[[0, "KEY_REVOKED", 2]])
    site.watcher.refresh()
    assert [one.ack_no for one in site.watcher.facts.meetings[CHANNEL, MTG].refused.values()] == [40]
    with pytest.raises(PortalRefused, match="ACK_CONTRADICTED"):
        site.door.words.take(
            site.watcher.facts.meetings[CHANNEL, MTG],
            parse_acknowledgement(platform_word(site, player.ballot("chen"), no=40, time=ACK_FORM)),
        )
    assert handed(site, "ding", no=39, time=times.form(times.parse(ACK_FORM) + SLACK + 1)) == (202, "")


@pytest.mark.parametrize("names", [("zeng", "chen"), ("chen", "zeng"), ("zeng", "ding", "chen")])
def test_no_later_entry_hides_a_refused_one_under_its_number(site: Site, names: tuple[str, ...]) -> None:
    player = site.player
    for name in names:
        player.revoke(player.scene.lenders[name])
    for name in names:
        bring(player, name, refused=[[0, "KEY_REVOKED", 2]])
    site.watcher.refresh()
    facts = site.watcher.facts.meetings[CHANNEL, MTG]
    for name in ("zeng", "chen"):
        word = parse_acknowledgement(platform_word(site, player.ballot(name), no=40, time=ACK_FORM))
        with pytest.raises(PortalRefused, match="ACK_CONTRADICTED"):
            site.door.words.take(facts, word)


def test_a_ballot_brought_again_and_held_takes_no_number(site: Site) -> None:
    player = site.player
    bring(player, "an", held=[0])
    site.watcher.refresh()
    facts = site.watcher.facts.meetings[CHANNEL, MTG]
    word = parse_acknowledgement(platform_word(site, player.ballot("chen"), no=40, time=ACK_FORM))
    site.door.words.take(facts, word)
    assert not site.door.words.contradictions(facts)


def test_while_open_the_ballot_is_taken_without_the_contradicted_word(site: Site) -> None:
    assert handed(site, "chen", no=2, time="2026-03-03T08:29:00Z") == (422, "ACK_CONTRADICTED")
    assert site.hand_in(site.player.ballot("chen"), "chen").status_code == 202


def test_the_pair_is_shown_to_organisations_alone(closing: Site) -> None:
    signed = closing.player.ballot("chen")
    word = platform_word(closing, signed, no=2, time=BACKDATED)
    assert code(closing.hand_in(signed, "chen", acknowledgement=word))[1] == "ACK_CONTRADICTED"
    form = {"form": "json", "answer": closing.officer("records", closing.player.officer)}
    value = closing.client.post(f"{PATH}/records", data=form).get_json()
    ((pair),) = value["contradictions"]
    assert pair["acknowledgement"] == word
    bo = closing.player.ballot("bo", m2="reject")
    assert pair["against"]["digest"] == closing.stage.ballot("bo").digest == bo.digest
    lender = {"form": "json", "place": json.dumps(closing.place("an"))}
    lender["answer"] = closing.answered("records", "an")
    assert "contradictions" not in closing.client.post(f"{PATH}/records", data=lender).get_json()


def test_words_taken_before_are_read_into_the_table(site: Site) -> None:
    signed = site.player.ballot("chen")
    word = platform_word(site, signed)
    assert site.hand_in(signed, "chen", acknowledgement=word).status_code == 202
    with site.database.write() as connection:
        command.downgrade(configuration(connection), "0002")
        command.upgrade(configuration(connection), "head")
    ack = parse_acknowledgement(word).ack
    kept = KeptWord(ack.door, ack.no, ack.seconds, ack.digest, word)
    with site.database.read() as connection:
        book = WordBook(connection, CHANNEL, MTG)
        assert book.contradicting(kept, SLACK) is None
        other = KeptWord(ack.door, ack.no, ack.seconds, "B" * 43, "another")
        assert book.contradicting(other, SLACK) == kept


def test_the_pair_survives_a_restart(closing: Site) -> None:
    assert handed(closing, "chen", no=2, time=BACKDATED)[1] == "ACK_CONTRADICTED"
    again = ServiceDatabase.open(str(closing.database.engine.url))
    with again.read() as connection:
        ((word, against),) = WordBook(connection, CHANNEL, MTG).contradicted()
    again.close()
    assert (word.number, word.seconds) == (2, int(datetime(2026, 3, 3, 8, 39, tzinfo=UTC).timestamp()))
    assert against["ack_no"] == 2
