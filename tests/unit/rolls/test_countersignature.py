"""The Regulator's countersignature: over exactly one roll, by an officer, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from client.encodings import certificates, jcs, jws
from client.errors import Negative
from client.rolls import Roll, RollError
from client.rolls.countersignature import (
    TYP,
    Countersignature,
    countersign,
    parse_countersignature,
    verify_countersignature,
)
from client.rolls.provenance import LogHead, Source
from tests.unit.rolls.officers import Authority, Holder
from tests.unit.rolls.scene import small_roll

if TYPE_CHECKING:
    from collections.abc import Callable

AT = "2026-02-01T08:00:00Z"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def officer(authority: Authority) -> Holder:
    return authority.issue("officer")


@pytest.fixture(scope="module")
def roll() -> Roll:
    return small_roll()


@pytest.fixture
def signature(roll: Roll, officer: Holder) -> Countersignature:
    return countersign(roll, AT, officer.der, officer.key)


def test_a_countersignature_survives_its_file(
    roll: Roll, authority: Authority, signature: Countersignature
) -> None:
    again = parse_countersignature(signature.encode())
    assert again == signature
    assert verify_countersignature(again, roll, authority.root.der) == AT
    stated = json.loads(again.signed.payload)
    assert (stated["mtg"], stated["roll"]) == (roll.mtg, roll.summary.as_json())
    assert again.signed.compact.count(".") == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda roll: small_roll(), "roll's root"),
        (lambda roll: small_roll("m-2"), "the mtg is m-2, the signed one m-1"),
        (lambda roll: replace(roll, snapshot="2026-01-31T16:00:01Z"), "roll's snapshot"),
        (lambda roll: replace(roll, entries=roll.entries[1:]), "roll's root"),
        (
            lambda roll: replace(
                roll, provenance=replace(roll.provenance, corrections=LogHead(1, "ab" * 32))
            ),
            "the corrections is",
        ),
        (
            lambda roll: replace(roll, provenance=replace(roll.provenance, source=Source("ab" * 32, 4))),
            "source's sha256",
        ),
        (
            lambda roll: replace(roll, provenance=replace(roll.provenance, source=None)),
            "the source is None",
        ),
    ],
)
def test_a_changed_roll_is_refused(
    roll: Roll,
    authority: Authority,
    signature: Countersignature,
    change: Callable[[Roll], Roll],
    reason: str,
) -> None:
    with pytest.raises(Negative, match=reason) as error:
        verify_countersignature(signature, change(roll), authority.root.der)
    assert "not the roll that was countersigned" in error.value.message


def test_another_authority_is_refused(roll: Roll, signature: Countersignature) -> None:
    with pytest.raises(Negative, match="CERT_CHAIN") as error:
        verify_countersignature(signature, roll, Authority().root.der)
    assert error.value.code == "CERT_CHAIN"


def test_only_officers_countersign(roll: Roll, authority: Authority) -> None:
    for member in (authority.issue("admin"), authority.issue(None)):
        with pytest.raises(RollError, match="no officer's"):
            countersign(roll, AT, member.der, member.key)
        payload = jcs.dumps({"v": 1})
        signed = jws.sign(TYP, certificates.thumbprint(member.der), payload, member.key)
        with pytest.raises(Negative, match="no officer's"):
            verify_countersignature(Countersignature(member.der, signed), roll, authority.root.der)
    broken = authority.issue(None, b"x")
    with pytest.raises(RollError, match="can't be read"):
        countersign(roll, AT, broken.der, broken.key)


def test_the_key_has_to_be_the_certificates(roll: Roll, authority: Authority, officer: Holder) -> None:
    with pytest.raises(RollError, match="not the certificate's"):
        countersign(roll, AT, officer.der, authority.issue("officer").key)


def test_another_key_or_certificate_is_refused(
    roll: Roll, authority: Authority, officer: Holder, signature: Countersignature
) -> None:
    other = authority.issue("officer")
    with pytest.raises(Negative, match="another certificate"):
        verify_countersignature(replace(signature, certificate=other.der), roll, authority.root.der)
    forged = jws.sign(TYP, certificates.thumbprint(officer.der), signature.signed.payload, other.key)
    with pytest.raises(Negative, match="SIGNATURE_INVALID"):
        verify_countersignature(Countersignature(officer.der, forged), roll, authority.root.der)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"v": 1}', "not canonical"),
        (b"[]", "other members"),
        (b'{"v":1}', "other members"),
    ],
)
def test_a_payload_of_another_form_is_refused(
    roll: Roll, authority: Authority, officer: Holder, payload: bytes, reason: str
) -> None:
    signed = jws.sign(TYP, certificates.thumbprint(officer.der), payload, officer.key)
    with pytest.raises(Negative, match=reason):
        verify_countersignature(Countersignature(officer.der, signed), roll, authority.root.der)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value | {"v": 2},
        lambda value: value | {"v": True},
        lambda value: value | {"more": 1},
        lambda value: value | {"certificate": "!"},
        lambda value: value | {"certificate": 1},
        lambda value: value | {"jws": "a.b"},
        lambda value: value | {"jws": 1},
        lambda value: [],
    ],
)
def test_a_file_of_another_form_is_refused(
    signature: Countersignature, change: Callable[[object], object]
) -> None:
    data = json.dumps(change(json.loads(signature.encode()))).encode()
    with pytest.raises(RollError, match="no countersignature"):
        parse_countersignature(data)


def test_another_kind_of_jws_is_none(roll: Roll, officer: Holder, signature: Countersignature) -> None:
    ballot = jws.sign("concordat-ballot+jws", signature.signed.x5t, signature.signed.payload, officer.key)
    with pytest.raises(RollError, match="JWS_TYP"):
        parse_countersignature(Countersignature(officer.der, ballot).encode())
