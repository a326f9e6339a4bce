"""receipt.json: a receipt that verifies against a record and two roots, and receipts that don't."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from client.encodings import base64url, certificates
from client.encodings.acknowledgement import Acknowledgement, sign_acknowledgement
from client.encodings.amendment import Entitlement
from client.encodings.leaf import Claim
from client.encodings.receipt import Agency as Mandated
from client.encodings.receipt import AmendedClaims, OnRoll, Receipt, sign_inclusion
from tests.vectors.agency_cases import Agency
from tests.vectors.cases import b64
from tests.vectors.scene import DOOR, certificate_of, key_of, scenes, seeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.vectors.scene import Lender, Scene

ROOTS = ("lender-ca", "association-ca")


def _receipt(
    lender: str = "bo", time: str = "2026-03-03T08:30:00Z", basis: AmendedClaims | None = None
) -> Receipt:
    scene = scenes()["revote"]
    voter = scene.lenders[lender]
    signed = scene.signed(voter)
    relay, certificate = key_of("relay"), certificate_of("relay", "relay", "association-ca")
    x5t = certificates.thumbprint(certificate)
    ack = Acknowledgement(scene.meeting.mh, scene.meeting.mtg, signed.digest, DOOR, 1, time)
    place: dict[str, Any] = {"channel": scene.meeting.channel, "block": 42, "tx": seeded("tx").hex()}
    return Receipt(
        ballot=signed.compact,
        basis=basis or _on_roll(scene, voter),
        ack=sign_acknowledgement(ack, x5t, relay).compact,
        ack_cert=certificate,
        cert=voter.certificate,
        signature=sign_inclusion(signed.digest, x5t=x5t, key=relay, basis=basis, **place),
        **place,
    )


def _on_roll(scene: Scene, voter: Lender) -> OnRoll:
    index = scene.index(voter)
    return OnRoll(scene.leaf(voter), index, scene.tree.path(index))


def _amended(fen: int = 7_00) -> AmendedClaims:
    return AmendedClaims(2, base64url.encode(seeded("amendment")), Entitlement((Claim("individual", fen),)))


def _by_proxy(motions: Any = "*", votes: dict[str, Any] | None = None, number: int = 1) -> Receipt:
    scene = scenes()["proxies"]
    agency = Agency(scene, scene.lenders["an"], scene.lenders["ding"])
    mandate = agency.mandate(number, motions)
    signed = agency.signed(mandate, votes=votes)
    relay, certificate = key_of("relay"), certificate_of("relay", "relay", "association-ca")
    x5t = certificates.thumbprint(certificate)
    time = "2026-03-03T08:30:00Z"
    ack = Acknowledgement(scene.meeting.mh, scene.meeting.mtg, signed.digest, DOOR, 1, time)
    place: dict[str, Any] = {"channel": scene.meeting.channel, "block": 42, "tx": seeded("tx").hex()}
    return Receipt(
        ballot=signed.compact,
        basis=_on_roll(scene, agency.principal),
        ack=sign_acknowledgement(ack, x5t, relay).compact,
        ack_cert=certificate,
        cert=agency.proxy.certificate,
        signature=sign_inclusion(signed.digest, x5t=x5t, key=relay, **place),
        agency=Mandated(mandate.compact, agency.principal.certificate),
        **place,
    )


def receipt() -> dict[str, Any]:
    """Return the file's value."""
    roots = {name: b64(certificate_of(name, name, name)) for name in ROOTS}
    return {
        "v": 1,
        "record": scenes()["revote"].meeting.record.decode(),
        "lender_root": roots["lender-ca"],
        "door_root": roots["association-ca"],
        "accept": [
            {"name": "a receipt", "receipt": _receipt().as_json()},
            {"name": "counted by an amendment", "receipt": _receipt(basis=_amended()).as_json()},
        ],
        "reject": [
            {"name": name, "receipt": value.as_json(), "code": code} for name, code, value in _reject()
        ],
        "by_proxy": _proxies(),
    }


def _proxies() -> dict[str, Any]:
    part = {"m1": (), "m2": "reject"}
    good, partly, second = _by_proxy(), _by_proxy(("m2",), part), _by_proxy(number=2)
    scene = scenes()["proxies"]
    an, ding = scene.lenders["an"].certificate, scene.lenders["ding"].certificate
    bad = [
        ("without its mandate", "RECEIPT_MISMATCH", replace(good, agency=None)),
        ("with another mandate", "RECEIPT_MISMATCH", replace(good, agency=second.agency)),
        ("a mandate for other motions", "MANDATE_SCOPE", _by_proxy(("m1",), part)),
        ("an uncovered motion answered", "MANDATE_SCOPE", _by_proxy(("m1",))),
        ("the proxy's certificate as the principal's", "KEY_FOREIGN", _with(good, ding)),
        ("the principal's certificate as the proxy's", "KEY_FOREIGN", replace(good, cert=an)),
        ("a mandate that is none", "JWS_FORMAT", replace(good, agency=Mandated("mandate", an))),
    ]
    return {
        "record": scene.meeting.record.decode(),
        "accept": [
            {"name": name, "receipt": value.as_json()}
            for name, value in (("all motions", good), ("one motion", partly))
        ],
        "reject": [{"name": name, "receipt": value.as_json(), "code": code} for name, code, value in bad],
    }


def _with(good: Receipt, cert: bytes) -> Receipt:
    assert good.agency is not None
    return replace(good, agency=replace(good.agency, cert=cert))


def _reject() -> Iterator[tuple[str, str, Receipt]]:
    good, other = _receipt(), _receipt("an")
    scene = scenes()["revote"]
    place, elsewhere = _on_roll(scene, scene.lenders["bo"]), _on_roll(scene, scene.lenders["an"])
    yield "another lender's ballot", "KEY_FOREIGN", replace(good, ballot=other.ballot)
    yield (
        "another lender's leaf",
        "ROLL_LEAF_FOREIGN",
        replace(good, basis=replace(place, leaf=elsewhere.leaf)),
    )
    yield "another index", "ROLL_PROOF", replace(good, basis=replace(place, index=elsewhere.index))
    yield "a path cut short", "ROLL_PROOF", replace(good, basis=replace(place, proof=place.proof[:-1]))
    yield "another ballot's acknowledgement", "ACK_MISMATCH", replace(good, ack=other.ack)
    yield "acknowledged late", "BALLOT_LATE", _receipt(time="2026-03-09T10:00:01Z")
    yield "another door's certificate", "KEY_FOREIGN", replace(good, ack_cert=good.cert)
    yield "another block", "RECEIPT_MISMATCH", replace(good, block=43)
    yield "another transaction", "RECEIPT_MISMATCH", replace(good, tx=seeded("other").hex())
    yield "another channel", "RECEIPT_MISMATCH", replace(good, channel="arbitration-institutionb")
    yield "another ballot's place", "RECEIPT_MISMATCH", replace(good, signature=other.signature)
    forged = certificate_of("bo forged", place.leaf.sub, "another-ca")
    voter = replace(scene.lenders["bo"], name="bo forged", certificate=forged)
    signed = scene.signed(voter)
    yield "a certificate of another root", "CERT_CHAIN", replace(good, ballot=signed.compact, cert=forged)
    amended = _receipt(basis=_amended())
    yield "more by the amendment", "RECEIPT_MISMATCH", replace(amended, basis=_amended(8_00))
    yield "an amendment that the door didn't sign", "RECEIPT_MISMATCH", replace(good, basis=_amended())
    yield "an amendment left out", "RECEIPT_MISMATCH", replace(amended, basis=place)
