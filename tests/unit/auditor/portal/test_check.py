"""Receipts pasted, uploaded, photographed: good ones, and each way to be none."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import segno

from auditor.log.promise import parse_promise
from auditor.portal.checked import agrees
from auditor.portal.code import ReceiptCode, parse_code, read_picture
from auditor.portal.errors import PortalRefused
from auditor.replay.amendments import Overlay
from client.encodings import base64url
from client.encodings.acknowledgement import parse_acknowledgement, sign_acknowledgement
from client.encodings.amendment import Amended, Entitlement
from client.encodings.leaf import Claim
from client.encodings.receipt import AmendedClaims, parse_receipt
from tests.unit.auditor.lenders import x5t
from tests.unit.auditor.meeting_player import CHANNEL, MTG

if TYPE_CHECKING:
    from tests.unit.auditor.portal.site import Site


def checked(site: Site, data: bytes) -> dict[str, Any]:
    value: dict[str, Any] = site.client.post("/api/check", data=data).get_json()
    return value


def picture(text: str, scale: int = 6) -> bytes:
    file = io.BytesIO()
    segno.make(text, error="m", micro=False).save(file, kind="png", scale=scale)
    return file.getvalue()


def test_a_receipt_is_genuine_and_its_ballot_stands(site: Site) -> None:
    value = checked(site, site.receipt("an"))
    assert (value["kind"], value["genuine"], value["good"], value["status"]) == (
        "receipt",
        True,
        True,
        "stands",
    )
    assert value["code"].startswith(f"CONCORDAT1:institutiona:{MTG}:")
    page = site.client.post(
        "/check", data={"receipt": site.receipt("an").decode()}, headers={"Accept-Language": "en"}
    )
    assert "was accepted, and it stands" in page.get_data(as_text=True)
    assert "<svg" in page.get_data(as_text=True)


def test_an_audited_receipt_has_its_place_in_the_log(site: Site) -> None:
    head = site.stage.publish()
    audited = site.stage.audited("bo", head, receipt=site.receipt("bo"))
    value = checked(site, audited.encode())
    assert (value["kind"], value["genuine"], value["good"]) == ("audited", True, True)
    assert (value["index"], value["size"]) == (1, 2)
    broken = checked(site, replace(audited, index=0).encode())
    assert (broken["good"], broken["fault"]) == (False, "LOG_ROOT")
    no_head = json.loads(audited.encode()) | {"head": "x"}
    assert checked(site, json.dumps(no_head).encode())["fault"] == "HEAD_FORMAT"


def test_a_replaced_ballot_says_so(site: Site) -> None:
    receipt = site.receipt("an")
    site.player.submit([("an", 3, {"seq": 2})])
    site.watcher.refresh()
    assert checked(site, receipt)["status"] == "replaced"


def test_a_ballot_that_never_reached_the_chain_is_absent(site: Site) -> None:
    digest = site.player.ballot("chen").digest
    code = ReceiptCode("institutiona", MTG, digest, 5, "ab" * 32)
    value = checked(site, str(code).encode())
    assert (value["good"], value["status"], value["fault"], value["code"]) == (False, "absent", "", "")


def test_a_receipt_by_somebody_else_is_none(site: Site) -> None:
    value = checked(site, site.stage.receipt("an"))  # by a relay of no organisation of the channel
    assert (value["good"], value["genuine"], value["fault"]) == (False, False, "CERT_CHAIN")


def test_a_receipt_that_names_another_place_is_evidence(site: Site) -> None:
    value = checked(site, site.receipt("an", tx="ab" * 32))
    assert (value["good"], value["fault"]) == (False, "RECEIPT_PLACE")


LEFT = Entitlement((Claim("individual", 5_00),))


def test_a_receipt_that_names_an_amendment_of_its_own_is_evidence(site: Site) -> None:
    """The door signed for claims that no amendment on the channel ever gave."""
    value = checked(site, site.receipt("an", basis=AmendedClaims(1, "A" * 43, LEFT)))
    assert (value["good"], value["genuine"], value["fault"]) == (False, False, "RECEIPT_AMENDED")
    page = site.client.post(
        "/check",
        data={"receipt": site.receipt("an", basis=AmendedClaims(1, "A" * 43, LEFT)).decode()},
        headers={"Accept-Language": "en"},
    )
    assert "names another amendment" in page.get_data(as_text=True)


def test_what_a_receipt_says_of_an_amendment_is_held_against_what_the_chain_left(site: Site) -> None:
    promise = parse_promise(site.receipt("an", basis=AmendedClaims(2, "A" * 43, LEFT)))
    sub = promise.ballot.ballot.sub
    more = Entitlement((Claim("individual", 9_00),))
    for number, lenders, good in (
        (2, {sub: Amended(None, LEFT)}, True),
        (3, {sub: Amended(None, more)}, True),  # amended again since
        (2, {sub: Amended(LEFT, more)}, False),
        (2, {sub: Amended(LEFT, None)}, False),  # off the roll
        (1, {sub: Amended(None, LEFT)}, False),  # no such amendment yet
        (2, {}, False),
    ):
        assert agrees(promise, Overlay(number, lenders)) is good
    assert agrees(parse_promise(site.receipt("an")), Overlay())


@pytest.mark.parametrize("data", [b"{}", b"nonsense", b"\x00", b"[1]"])
def test_what_is_no_receipt_is_told_so(site: Site, data: bytes) -> None:
    assert checked(site, data)["fault"] == "RECEIPT_FORMAT"


def test_a_receipt_of_a_meeting_elsewhere_is_not_known(site: Site) -> None:
    value = json.loads(site.receipt("an")) | {"channel": "arbitration-institutionb"}
    assert checked(site, json.dumps(value).encode())["fault"] == "MEETING_UNKNOWN"


def test_a_receipt_of_a_door_that_is_no_organisation_is_not_genuine(site: Site) -> None:
    relay, receipt = site.player.relay, parse_receipt(site.receipt("an"))
    word = replace(parse_acknowledgement(receipt.ack).ack, door="StrangerMSP")
    ack = sign_acknowledgement(word, x5t(relay.certificate), relay.key).compact
    value = checked(site, replace(receipt, ack=ack).encode())
    assert (value["genuine"], value["good"], value["fault"]) == (False, False, "ISSUER_UNKNOWN")


def test_a_picture_of_the_code_is_read(site: Site) -> None:
    text = checked(site, site.receipt("an"))["code"]
    for data in (picture(text), picture(text, 3)):
        upload = {"receipt_file": (io.BytesIO(data), "photo.png")}
        page = site.client.post("/check", data=upload, headers={"Accept-Language": "en"}).get_data(
            as_text=True
        )
        assert "was accepted, and it stands" in page
    assert checked(site, picture(text))["status"] == "stands"


def test_a_code_that_names_another_place_is_refused(site: Site) -> None:
    code = parse_code(checked(site, site.receipt("an"))["code"])
    assert (code.index, code.mtg) == (None, MTG)
    for changed in (replace(code, block=code.block + 1), replace(code, tx="cd" * 32)):
        assert checked(site, str(changed).encode())["fault"] == "CODE_MISMATCH"
    site.stage.publish()
    assert checked(site, str(replace(code, index=0)).encode())["good"]
    assert checked(site, str(replace(code, index=1)).encode())["fault"] == "CODE_MISMATCH"
    assert checked(site, str(replace(code, mtg="other")).encode())["fault"] == "MEETING_UNKNOWN"


@pytest.mark.parametrize(
    "text",
    ["CONCORDAT1:", "CONCORDAT1:a:b:c:d:e", "CONCORDAT1:institutiona:m:" + "A" * 43 + ":x:" + "a" * 64],
)
def test_a_malformed_code_is_refused(site: Site, text: str) -> None:
    response = site.client.post("/api/check", data=text)
    assert (response.status_code, response.get_json()["code"]) == (422, "CODE_FORMAT")


@pytest.mark.parametrize("scale", [3, 8])
def test_every_code_that_is_drawn_is_read(scale: int) -> None:
    """One in twenty was not, by the older of OpenCV's detectors."""
    random = Random(scale)  # noqa: S311  a fixed seed
    for number in range(60):
        digest, tx = base64url.encode(random.randbytes(32)), random.randbytes(32).hex()
        text = str(
            ReceiptCode("institutiona", f"meeting-{number}", digest, random.randrange(999), tx, number)
        )
        drawn = io.BytesIO()
        segno.make(text, error="m", micro=False).save(drawn, kind="png", scale=scale, border=4)
        assert read_picture(drawn.getvalue()) == text


def test_pictures_without_a_code_are_refused() -> None:
    blank = io.BytesIO()
    segno.make("x" * 10).save(blank, kind="png", scale=1, dark="#fff")
    for data in (b"\x89PNG\r\n\x1a\n broken", blank.getvalue()):
        with pytest.raises(PortalRefused) as refused:
            read_picture(data)
        assert refused.value.code == "PICTURE_UNREADABLE"


def test_a_refused_ballot_is_told_with_the_chains_code(site: Site) -> None:
    facts = site.watcher.facts.meetings[CHANNEL, MTG]
    ballot = next(iter(facts.accepted.values()))
    refused = replace(facts, accepted={}, refused={ballot.digest: replace(ballot, code="KEY_REVOKED")})
    site.watcher.facts = replace(site.watcher.facts, meetings={(CHANNEL, MTG): refused})
    code = ReceiptCode("institutiona", MTG, ballot.digest, ballot.block, ballot.tx)
    value = checked(site, str(code).encode())
    assert (value["status"], value["chain_code"], value["good"]) == ("refused", "KEY_REVOKED", False)
