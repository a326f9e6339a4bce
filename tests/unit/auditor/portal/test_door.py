"""The second door: what it takes, what it refuses and with which code, and how it brings it to the chain."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from auditor.log.service_db import DoorBook, ServiceDatabase
from auditor.log.service_db.tables import DOOR_BALLOTS
from auditor.portal.carrier import Carrier
from auditor.portal.door import Handed
from auditor.portal.place import parse_place
from client.encodings import certificates, times
from client.encodings.acknowledgement import Acknowledgement, parse_acknowledgement, sign_acknowledgement
from client.encodings.ballot import parse_ballot, sign_ballot
from client.encodings.batch import decode_batch
from tests.unit.auditor.lenders import std64, verdicts, x5t
from tests.unit.auditor.meeting_player import CHANNEL, MTG
from tests.unit.auditor.portal.site import PATH

if TYPE_CHECKING:
    from client.encodings.ballot import SignedBallot
    from tests.unit.auditor.builder import Signer
    from tests.unit.auditor.portal.site import Site

LATE = datetime(2026, 3, 9, 10, 0, 5, tzinfo=UTC)


def platform_word(site: Site, signed: SignedBallot, by: Signer | None = None, **changes: Any) -> str:
    """The platform's acknowledgement of a ballot, in time unless told otherwise."""
    relay = by or site.player.relay
    word = Acknowledgement(
        site.player.scene.meeting.mh, MTG, signed.digest, "AssociationMSP", 9, "2026-03-03T08:29:59Z"
    )
    return sign_acknowledgement(replace(word, **changes), x5t(relay.certificate), relay.key).compact


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json()["code"]


def test_a_ballot_is_acknowledged_durably_and_brought_to_the_chain(site: Site) -> None:
    signed = site.player.ballot("chen")
    response = site.hand_in(signed, "chen")
    value = response.get_json()
    assert (response.status_code, value["number"], value["status"]) == (202, 1, "queued")
    ack = parse_acknowledgement(value["acknowledgement"])
    ack.verify(certificates.public_key(base64.b64decode(value["certificate"])))
    ack.verify_for(signed)
    assert (ack.ack.door, ack.ack.no, ack.ack.time) == ("RegulatorMSP", 1, "2026-03-03T08:30:00Z")
    assert site.carrier.carry() == 0
    ((channel, batch, count),) = site.road.batches
    (entry,) = decode_batch(batch).entries
    assert (channel, count, getattr(entry, "jws", "")) == (CHANNEL, 1, signed.compact)
    # What the batch carries is what an honest chain takes.
    site.player.submit([("chen", 1, {})], by=site.player.second, raw=True)
    site.watcher.refresh()
    assert site.watcher.facts.meetings[CHANNEL, MTG].findings == ()
    settled = site.client.get(f"/api{PATH}/ballots/{signed.digest}").get_json()
    assert (settled["status"], settled["block"]) == ("accepted", len(site.player.chain.blocks) - 1)
    second = site.client.get(f"/api{PATH}").get_json()["second_door"]
    assert (second["accepted_on_chain"], second["taken"], second["accepted"]) == (1, 1, 1)


def test_the_same_ballot_gets_the_same_word_and_numbers_have_no_gap(site: Site) -> None:
    signed = site.player.ballot("chen")
    first = site.hand_in(signed, "chen").get_json()
    assert site.hand_in(site.player.ballot("ding", m1="x"), "ding").status_code == 422
    assert site.hand_in(site.player.ballot("ding"), "ding").get_json()["number"] == 2
    site.clock.now = LATE
    again = site.hand_in(signed, "chen").get_json()
    assert (again["number"], again["acknowledgement"]) == (1, first["acknowledgement"])


def test_a_lost_database_gives_no_number_a_second_time(site: Site, tmp_path: Any) -> None:
    site.player.submit([("chen", 7, {})], by=site.player.second)
    site.watcher.refresh()
    assert site.hand_in(site.player.ballot("ding"), "ding").get_json()["number"] == 8


def lose_the_book(site: Site) -> None:
    with site.database.write() as connection:
        connection.execute(delete(DOOR_BALLOTS))


def test_a_lost_database_honours_the_doors_own_word(site: Site) -> None:
    chen, ding = site.player.ballot("chen"), site.player.ballot("ding")
    first, second = (site.hand_in(one, name).get_json() for one, name in ((chen, "chen"), (ding, "ding")))
    lose_the_book(site)
    site.clock.now = LATE
    site.player.step("closing")
    site.watcher.refresh()
    for signed, name, word in ((ding, "ding", second), (chen, "chen", first)):
        again = site.hand_in(signed, name, acknowledgement=word["acknowledgement"]).get_json()
        assert (again["number"], again["acknowledgement"]) == (word["number"], word["acknowledgement"])
    assert site.client.get(f"/api{PATH}").get_json()["second_door"]["platform_acknowledged"] == 0
    forged = second["acknowledgement"][:-8] + "AAAAAAAA"
    lose_the_book(site)
    assert code(site.hand_in(ding, "ding", acknowledgement=forged)) == (422, "SIGNATURE_INVALID")


def test_an_own_word_whose_number_is_anothers_by_now_keeps_its_time_alone(site: Site) -> None:
    chen, ding = site.player.ballot("chen"), site.player.ballot("ding")
    word = site.hand_in(chen, "chen").get_json()
    lose_the_book(site)
    assert site.hand_in(ding, "ding").get_json()["number"] == 1
    site.clock.now = LATE
    site.player.step("closing")
    site.watcher.refresh()
    again = site.hand_in(chen, "chen", acknowledgement=word["acknowledgement"]).get_json()
    assert (again["number"], again["time"]) == (2, word["time"])


def test_an_own_word_whose_number_another_has_on_the_chain_gets_a_new_one(site: Site) -> None:
    word = site.hand_in(site.player.ballot("chen"), "chen").get_json()
    lose_the_book(site)
    site.player.submit([("ding", 1, {})], by=site.player.second)
    site.watcher.refresh()
    again = site.hand_in(site.player.ballot("chen"), "chen", acknowledgement=word["acknowledgement"])
    assert again.get_json()["number"] == 2


def test_a_copy_with_a_forged_signature_gets_no_word(site: Site) -> None:
    signed = site.player.ballot("chen")
    assert site.hand_in(signed, "chen").status_code == 202
    head, _, signature = signed.compact.rpartition(".")
    forged = f"{head}.{signature[:-6]}AAAAAA"[: len(signed.compact)]
    body = {"v": 1, "ballot": forged, "proof": site.place("chen")}
    refused = site.client.post(f"/api{PATH}/ballots", json=body)
    assert refused.status_code == 422
    assert refused.get_json()["code"].startswith(("SIGNATURE", "JWS"))


def test_foreign_ballots_are_refused_with_the_codes_of_the_chain(site: Site) -> None:
    scene, signed = site.player.scene, site.player.ballot("chen")
    chen, ding = scene.lenders["chen"], scene.lenders["ding"]
    assert code(site.hand_in(signed, "ding")) == (422, "ROLL_LEAF_FOREIGN")
    by_another = sign_ballot(signed.ballot, ding.x5t, ding.key)
    assert code(site.hand_in(by_another, "chen")) == (422, "KEY_FOREIGN")
    other_session = sign_ballot(replace(signed.ballot, ses=scene.session(ding).ses), chen.x5t, chen.key)
    assert code(site.hand_in(other_session, "chen")) == (422, "SESSION_FOREIGN_LENDER")
    unknown = sign_ballot(replace(signed.ballot, ses=chen.sub), chen.x5t, chen.key)
    assert code(site.hand_in(unknown, "chen")) == (422, "SESSION_NOT_FOUND")
    other_meeting = sign_ballot(replace(signed.ballot, mtg="another"), chen.x5t, chen.key)
    assert code(site.hand_in(other_meeting, "chen")) == (422, "BALLOT_MEETING")
    moved = site.place("chen", index=0)
    assert code(site.hand_in(signed, "chen", proof=moved)) == (422, "ROLL_PROOF")
    assert site.database_rows() == 0


def test_a_voters_ballots_on_their_way_are_judged_one_after_the_other(site: Site) -> None:
    site.road.down = True
    second = site.player.ballot("chen", seq=2)
    assert site.hand_in(second, "chen").status_code == 202
    assert code(site.hand_in(site.player.ballot("chen"), "chen")) == (422, "SEQ_STALE")
    other = site.player.ballot("chen", seq=2, m1="reject")
    assert code(site.hand_in(other, "chen"))[1] in ("SEQ_EQUIVOCATION", "SESSION_USED")
    assert site.carrier.carry() == 1
    site.road.down = False
    assert site.carrier.carry() == 0


def test_a_voters_two_ballots_go_in_two_batches(site: Site) -> None:
    assert site.hand_in(site.player.ballot("chen"), "chen").status_code == 202
    assert site.hand_in(site.player.ballot("chen", seq=2), "chen").status_code == 202
    assert site.carrier.carry() == 1
    assert site.carrier.carry() == 0
    assert [count for *_, count in site.road.batches] == [1, 1]


def test_what_stays_on_its_way_keeps_nobody_elses_back(site: Site) -> None:
    carrier = Carrier(site.watcher, site.database, site.road, most=1)
    stuck = site.player.ballot("chen")
    assert site.hand_in(stuck, "chen").status_code == 202
    site.road.answer = verdicts(0, pending=[[0, "SESSION_NOT_FOUND"]])
    assert carrier.carry() == 1
    assert site.hand_in(site.player.ballot("chen", seq=2), "chen").status_code == 202
    assert site.hand_in(site.player.ballot("ding"), "ding").status_code == 202
    site.road.answer = None
    assert carrier.carry() == 2
    assert _voters(site) == ["chen", "ding"]
    # Then the one that waits again, and only after it its voter's next.
    assert carrier.carry() == 1
    assert carrier.carry() == 0
    assert _voters(site) == ["chen", "ding", "chen", "chen"]


def test_a_road_that_is_down_turns_them_too(site: Site) -> None:
    carrier = Carrier(site.watcher, site.database, site.road, most=1)
    for name in ("chen", "ding"):
        assert site.hand_in(site.player.ballot(name), name).status_code == 202
    site.road.down = True
    assert carrier.carry() == 2
    site.road.down = False
    assert carrier.carry() == 1
    assert _voters(site) == ["ding"]


def _voters(site: Site) -> list[str]:
    """Whose ballots the batches had, in order."""
    names = {lender.sub: name for name, lender in site.player.scene.lenders.items()}
    entries = (entry for _, batch, _ in site.road.batches for entry in decode_batch(batch).entries)
    return [names[parse_ballot(getattr(entry, "jws", "")).ballot.sub] for entry in entries]


def test_what_the_chain_refuses_is_told_with_its_code(site: Site) -> None:
    digest = site.hand_in(site.player.ballot("chen"), "chen").get_json()["digest"]
    site.road.answer = verdicts(0, pending=[[0, "SESSION_NOT_FOUND"]])
    assert site.carrier.carry() == 1
    site.road.answer = verdicts(0, refused=[[0, "KEY_REVOKED", 2]])
    assert site.carrier.carry() == 0
    value = site.client.get(f"/api{PATH}/ballots/{digest}").get_json()
    assert (value["status"], value["code"]) == ("refused", "KEY_REVOKED")


def test_what_another_brought_meanwhile_is_settled_by_the_replay(site: Site) -> None:
    site.hand_in(site.player.ballot("chen"), "chen")
    site.player.submit([("chen", 3, {})])
    site.watcher.refresh()
    assert site.carrier.carry() == 0
    assert site.road.batches == []


def test_while_closing_only_what_was_acknowledged_in_time_is_taken(site: Site) -> None:
    in_hand, on_its_way, late = (site.player.ballot(name) for name in ("chen", "ding", "zeng"))
    site.road.down = True
    assert site.hand_in(on_its_way, "ding").status_code == 202
    site.clock.now = LATE
    site.player.step("closing")
    site.watcher.refresh()
    assert code(site.hand_in(late, "zeng")) == (422, "BALLOT_LATE")
    after = platform_word(site, late, no=10, time=times.form(int(LATE.timestamp())))
    assert code(site.hand_in(late, "zeng", acknowledgement=after)) == (422, "BALLOT_LATE")
    taken = site.hand_in(in_hand, "chen", acknowledgement=platform_word(site, in_hand))
    assert (taken.status_code, taken.get_json()["time"]) == (202, "2026-03-03T08:29:59Z")
    site.road.down = False
    assert site.carrier.carry() == 0
    assert site.road.batches[0][2] == 2
    counts = site.client.get(f"/api{PATH}").get_json()["second_door"]
    assert (counts["taken"], counts["platform_acknowledged"]) == (2, 1)


def test_after_the_close_nothing_is_taken_and_what_is_left_is_refused(site: Site) -> None:
    site.road.code = "MEETING_NOT_OPEN"
    digest = site.hand_in(site.player.ballot("chen"), "chen").get_json()["digest"]
    assert site.carrier.carry() == 1
    site.player.closed()
    site.watcher.refresh()
    assert site.carrier.carry() == 0
    value = site.client.get(f"/api{PATH}/ballots/{digest}").get_json()
    assert (value["status"], value["code"]) == ("refused", "MEETING_NOT_OPEN")
    ding = site.player.ballot("ding")
    word = platform_word(site, ding)
    assert code(site.hand_in(ding, "ding", acknowledgement=word)) == (422, "MEETING_NOT_OPEN")


def test_a_platforms_word_has_to_be_its_relays(site: Site) -> None:
    signed, other = site.player.ballot("chen"), site.player.ballot("ding")
    stranger = site.player.officer
    for word, expected in (
        (platform_word(site, signed, by=stranger), "KEY_FOREIGN"),
        (platform_word(site, other), "ACK_MISMATCH"),
        (platform_word(site, signed)[:-8] + "AAAAAAAA", "SIGNATURE_INVALID"),
        ("nonsense", "JWS_FORMAT"),
    ):
        assert code(site.hand_in(signed, "chen", acknowledgement=word)) == (422, expected)


def test_a_relay_that_brought_nothing_yet_is_known_by_its_certificate(site: Site) -> None:
    signed = site.player.ballot("chen")
    fresh = site.stage.fabric.person("AssociationMSP", "relay")
    word = platform_word(site, signed, by=fresh)
    assert code(site.hand_in(signed, "chen", acknowledgement=word)) == (422, "KEY_FOREIGN")
    officer = site.stage.fabric.person("AssociationMSP", "officer")
    no_relay = platform_word(site, signed, by=officer)
    refused = site.hand_in(signed, "chen", acknowledgement=no_relay, certificate=std64(officer.certificate))
    assert code(refused) == (422, "KEY_FOREIGN")
    more = {"acknowledgement": word, "certificate": std64(fresh.certificate)}
    assert site.hand_in(signed, "chen", **more).status_code == 202


def test_over_its_bound_the_door_asks_to_come_back(site: Site) -> None:
    site.road.down = True
    for name in ("chen", "ding", "zeng"):
        assert site.hand_in(site.player.ballot(name), name).status_code == 202
    busy = site.hand_in(site.player.ballot("bo", seq=2), "bo")
    assert (*code(busy), busy.headers["Retry-After"]) == (503, "DOOR_BUSY", "15")
    assert site.hand_in(site.player.ballot("chen"), "chen").status_code == 202  # the same one again


def test_a_door_that_is_behind_or_not_there_is_closed(site: Site) -> None:
    object.__setattr__(site.parts, "door", None)
    assert code(site.hand_in(site.player.ballot("chen"), "chen")) == (503, "DOOR_CLOSED")


def test_what_is_found_wrong_leaves_the_door_open(site: Site) -> None:
    site.player.submit([("chen", 2, {})])  # the platform alone can bring a number twice: bo's
    site.watcher.refresh()
    facts = site.watcher.facts.meetings[CHANNEL, MTG]
    assert [one.step for one in facts.findings] == [18]
    assert site.hand_in(site.player.ballot("ding"), "ding").status_code == 202
    site.player.submit([("zeng", 3, {})], response=verdicts(0, refused=[[0, "KEY_REVOKED", 1]]))
    site.watcher.refresh()
    facts = site.watcher.facts.meetings[CHANNEL, MTG]
    assert {one.step for one in facts.findings} == {16, 18}
    # It judges by what the auditor's own replay has: zeng's ballot had to be accepted.
    other = site.player.ballot("zeng", m1="reject")
    assert code(site.hand_in(other, "zeng")) == (422, "SEQ_EQUIVOCATION")


def test_a_broken_channel_closes_the_door(site: Site) -> None:
    site.player.step("closing")
    site.player.chain.blocks[-1] = site.player.chain.blocks[-1].replace(b"ConfirmStep", b"ConfirmStap")
    site.watcher.refresh()
    assert code(site.hand_in(site.player.ballot("chen"), "chen")) == (503, "DOOR_CLOSED")


def test_a_broken_identity_channel_closes_the_door(site: Site) -> None:
    site.player.revoke(site.player.scene.lenders["bo"])
    site.player.identity.blocks[-1] = site.player.identity.blocks[-1].replace(b"Revoke", b"Revake")
    site.watcher.refresh()
    assert code(site.hand_in(site.player.ballot("chen"), "chen")) == (503, "DOOR_CLOSED")


def test_a_body_of_another_form_is_refused(site: Site) -> None:
    bodies = (b"{", b"[]", b'{"v":1}', b'{"v":1,"ballot":1}', b'{"v":1,"ballot":"","other":1}')
    for body in (*bodies, b'{"v":true,"ballot":""}', b'{"v":1.0,"ballot":""}'):
        assert code(site.client.post(f"/api{PATH}/ballots", data=body)) == (400, "REQUEST_FORMAT")
    assert site.client.get(f"/api{PATH}/ballots/none").status_code == 404


def test_the_form_does_the_same_without_a_script(site: Site) -> None:
    signed = site.player.ballot("chen")
    form = {"ballot": signed.compact, "place": json.dumps(site.place("chen"))}
    page = site.client.post(f"{PATH}/door", data=form, headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "on its way to the chain" in page.get_data(as_text=True)
    refused = site.client.post(
        f"{PATH}/door", data={**form, "ballot": "x"}, headers={"Accept-Language": "en"}
    )
    assert (
        refused.status_code,
        "BALLOT_" in refused.get_data(as_text=True) or "JWS_" in refused.get_data(as_text=True),
    ) == (422, True)


def test_hands_at_the_same_time_get_each_ballot_one_number(site: Site) -> None:
    site.door._bound = 100
    facts = site.watcher.facts.meetings[CHANNEL, MTG]
    handed = [
        Handed(site.player.ballot(name).compact, parse_place(json.dumps(site.place(name)).encode()))
        for name in ("chen", "ding", "zeng")
    ]
    with ThreadPoolExecutor(6) as pool:
        words = list(pool.map(lambda one: site.door.accept(facts, one), handed * 4))
    assert {word.number for word in words} == {1, 2, 3}
    assert len({word.acknowledgement for word in words}) == 3


def test_the_book_survives_a_restart(site: Site) -> None:
    word = site.hand_in(site.player.ballot("chen"), "chen").get_json()
    again = ServiceDatabase.open(str(site.database.engine.url))
    with again.read() as connection:
        row = DoorBook(connection, CHANNEL, MTG).find(word["digest"])
    again.close()
    assert row is not None
    assert (row.number, row.ack, row.status) == (1, word["acknowledgement"], "queued")


def test_a_session_is_used_once(site: Site) -> None:
    scene, an = site.player.scene, site.player.scene.lenders["an"]
    again = replace(site.player.ballot("an", seq=2).ballot, ses=scene.session(an).ses)
    assert code(site.hand_in(sign_ballot(again, an.x5t, an.key), "an")) == (422, "SESSION_USED")
