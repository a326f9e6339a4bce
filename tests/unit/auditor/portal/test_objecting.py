"""Objections at the second door: the filer's signed word, what is refused, and how they reach the chain."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auditor.log.service_db import ObjectionBook, ServiceDatabase
from auditor.portal.objecting import EACH
from client.encodings import certificates
from client.encodings.objection import sign_objection
from client.encodings.objection_ack import parse_objection_acknowledgement
from client.encodings.objection_record import ObjectionRecord
from tests.unit.auditor.lenders import key
from tests.unit.auditor.meeting_player import CHANNEL, MTG
from tests.unit.auditor.portal.site import PATH
from tests.unit.auditor.portal.test_door import code

if TYPE_CHECKING:
    from client.encodings.objection import SignedObjection
    from tests.unit.auditor.portal.site import Site


def file(site: Site, signed: SignedObjection | str) -> Any:
    compact = signed if isinstance(signed, str) else signed.compact
    return site.client.post(f"/api{PATH}/objections", json={"v": 1, "objection": compact})


def on_chain(site: Site, signed: SignedObjection, ack_time: str = "2026-03-03T08:30:00Z") -> None:
    """The channel takes an objection by the platform's door."""
    player = site.player
    record = ObjectionRecord(
        signed, "AssociationMSP", ack_time, 1, player.chain.next_transaction_id(player.relay)
    ).encode()
    place = key("objection", MTG, signed.objection.obj)
    arguments = [b"FileObjection", signed.compact.encode(), ack_time.encode()]
    reads = [key("meeting", MTG), key("state", MTG), place]
    player.run(player.relay, arguments, record, {place: record}, reads)
    site.watcher.refresh()


def test_the_filer_has_a_signed_word_before_the_chain_does(site: Site) -> None:
    site.road.down = True
    signed = site.objection("chen")
    response = file(site, signed)
    value = response.get_json()
    assert (response.status_code, value["status"], value["time"]) == (202, "queued", "2026-03-03T08:30:00Z")
    ack = parse_objection_acknowledgement(value["acknowledgement"])
    ack.verify(certificates.public_key(base64.b64decode(value["certificate"])))
    ack.verify_for(signed)
    assert (ack.ack.door, ack.ack.time, ack.ack.mtg) == ("RegulatorMSP", value["time"], MTG)
    assert site.carrier.carry() == 1
    # It survives a restart, and is brought with the time of the word.
    again = ServiceDatabase.open(str(site.database.engine.url))
    with again.read() as connection:
        row = ObjectionBook(connection).find(CHANNEL, MTG, signed.objection.obj)
    again.close()
    assert row is not None
    assert (row.ack, row.tries) == (value["acknowledgement"], 1)
    site.road.down = False
    site.clock.now = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
    assert site.carrier.carry() == 0
    assert site.road.filed == [(CHANNEL, signed.compact, "2026-03-03T08:30:00Z")]
    later = site.client.get(f"/api{PATH}/objections/{signed.objection.obj}").get_json()
    assert (later["status"], later["acknowledgement"]) == ("accepted", value["acknowledgement"])


def test_the_same_objection_gets_the_same_word_and_another_none(site: Site) -> None:
    first = file(site, site.objection("chen")).get_json()
    site.clock.now = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
    assert file(site, site.objection("chen")).get_json() == first
    other = site.objection("chen", ground="claim")
    assert code(file(site, other)) == (422, "OBJECTION_EXISTS")


def test_what_is_on_the_chain_already_is_settled_by_the_replay(site: Site) -> None:
    signed = site.objection("chen")
    on_chain(site, signed)
    response = file(site, signed)
    assert (response.status_code, response.get_json()["status"]) == (200, "accepted")
    assert site.carrier.carry() == 0
    assert site.road.filed == []
    assert code(file(site, site.objection("chen", ground="claim"))) == (422, "OBJECTION_EXISTS")


def test_what_another_brought_meanwhile_is_not_brought_again(site: Site) -> None:
    signed = site.objection("chen")
    assert file(site, signed).status_code == 202
    on_chain(site, signed)
    assert site.carrier.carry() == 0
    assert site.road.filed == []


def test_foreign_objections_are_refused_with_the_codes_of_the_chain(site: Site) -> None:
    chen, ding = (site.player.scene.lenders[name] for name in ("chen", "ding"))
    signed = site.objection("chen")
    head, _, signature = signed.compact.rpartition(".")
    for refused, expected in (
        (sign_objection(signed.objection, ding.x5t, ding.key), "KEY_FOREIGN"),
        (sign_objection(signed.objection, chen.x5t, ding.key), "SIGNATURE_INVALID"),
        (site.objection("chen", mh="A" * 43), "OBJECTION_MEETING"),
        (site.objection("chen", mtg="another"), "OBJECTION_MEETING"),
        (site.objection("chen", sub="A" * 22), "ENROLMENT_NOT_FOUND"),
        (f"{head}.{signature[:-6]}AAAAAA", "SIGNATURE_INVALID"),
        ("x" * 3000, "OBJECTION_FORMAT"),
        ("nonsense", "JWS_FORMAT"),
    ):
        assert code(file(site, refused)) == (422, expected)
    site.player.revoke(chen)
    site.watcher.refresh()
    assert code(file(site, signed)) == (422, "KEY_REVOKED")
    assert site.carrier.carry() == 0


def test_after_the_period_or_in_another_state_none_is_taken(site: Site) -> None:
    known = site.objection("chen")
    word = file(site, known).get_json()
    site.clock.now = datetime(2030, 1, 1, tzinfo=UTC)
    assert code(file(site, site.objection("ding", 1))) == (422, "OBJECTION_LATE")
    assert file(site, known).get_json() == word
    site.player.step("void", at="2026-03-03T08:30:00Z", reason="postponed")
    site.watcher.refresh()
    facts = site.watcher.facts.meetings[CHANNEL, MTG]
    assert (facts.state, facts.findings) == ("void", ())
    assert code(file(site, site.objection("ding", 1))) == (422, "MEETING_STATE")


def test_what_the_chain_refuses_is_told_and_what_it_does_not_know_yet_waits(site: Site) -> None:
    obj = file(site, site.objection("chen")).get_json()["obj"]
    site.road.code = "ENROLMENT_NOT_FOUND"
    assert site.carrier.carry() == 1
    site.road.code = "KEY_REVOKED"
    assert site.carrier.carry() == 0
    value = site.client.get(f"/api{PATH}/objections/{obj}").get_json()
    assert (value["status"], value["code"]) == ("refused", "KEY_REVOKED")


def test_there_is_an_end_to_what_waits_and_to_one_lenders_objections(site: Site) -> None:
    site.road.down = True
    for number in range(3):
        assert file(site, site.objection("chen", number)).status_code == 202
    assert code(file(site, site.objection("ding", 9))) == (503, "DOOR_BUSY")
    site.road.down = False
    for number in range(3, EACH):
        site.carrier.carry()
        assert file(site, site.objection("chen", number)).status_code == 202
    site.carrier.carry()
    assert code(file(site, site.objection("chen", EACH))) == (422, "OBJECTIONS_MANY")
    assert file(site, site.objection("ding", EACH)).status_code == 202


def test_a_broken_channel_or_a_service_without_the_door_takes_none(site: Site) -> None:
    site.player.step("closing")
    site.player.chain.blocks[-1] = site.player.chain.blocks[-1].replace(b"ConfirmStep", b"ConfirmStap")
    site.watcher.refresh()
    assert code(file(site, site.objection("chen"))) == (503, "DOOR_CLOSED")
    object.__setattr__(site.parts, "objecting", None)
    assert code(file(site, site.objection("chen"))) == (503, "DOOR_CLOSED")


def test_the_form_does_the_same_without_a_script(site: Site) -> None:
    form, english = {"objection": site.objection("chen").compact}, {"Accept-Language": "en"}
    page = site.client.post(f"{PATH}/objection", data=form, headers=english)
    assert (page.status_code, "Acknowledged, and on its way" in page.get_data(as_text=True)) == (200, True)
    refused = site.client.post(f"{PATH}/objection", data={"objection": "x"}, headers=english)
    assert (refused.status_code, "JWS_FORMAT" in refused.get_data(as_text=True)) == (422, True)


def test_a_body_of_another_form_is_refused(site: Site) -> None:
    bodies = (b"{", b"[]", b'{"v":1}', b'{"v":1,"objection":1}', b'{"v":1,"objection":"","other":1}')
    for body in (*bodies, b'{"v":true,"objection":""}', b'{"v":1.0,"objection":""}'):
        assert code(site.client.post(f"/api{PATH}/objections", data=body)) == (400, "REQUEST_FORMAT")
    assert site.client.get(f"/api{PATH}/objections/none").status_code == 404
