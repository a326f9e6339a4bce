"""Acknowledgements of objections: one form, one signature, one objection."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from client.encodings import base64url, jcs, jws
from client.encodings.acknowledgement import parse_acknowledgement
from client.encodings.errors import Refused
from client.encodings.objection import Objection, sign_objection
from client.encodings.objection_ack import (
    TYP,
    ObjectionAcknowledgement,
    parse_objection_acknowledgement,
    sign_objection_acknowledgement,
)

KEY = ec.generate_private_key(ec.SECP256R1())
X5T = "A" * 43
OBJECTION = sign_objection(
    Objection("M" * 43, "exit-a", "A" * 22, "Q" * 22, "2026-03-03T08:00:00Z", "notice", "E" * 43), X5T, KEY
)
ACK = ObjectionAcknowledgement(
    "M" * 43, "exit-a", "Q" * 22, OBJECTION.digest, "RegulatorMSP", "2026-03-03T08:30:00Z"
)


def test_what_is_signed_is_read_again_and_holds_for_its_objection() -> None:
    signed = sign_objection_acknowledgement(ACK, X5T, KEY)
    read = parse_objection_acknowledgement(signed.compact)
    read.verify(KEY.public_key())
    read.verify_for(OBJECTION)
    assert (read.ack, read.jws.x5t) == (ACK, X5T)


def test_another_key_or_another_objection_is_refused() -> None:
    signed = sign_objection_acknowledgement(ACK, X5T, KEY)
    with pytest.raises(Refused, match="SIGNATURE_INVALID"):
        signed.verify(ec.generate_private_key(ec.SECP256R1()).public_key())
    other = sign_objection(replace(OBJECTION.objection, ground="claim"), X5T, KEY)
    with pytest.raises(Refused, match="ACK_MISMATCH"):
        signed.verify_for(other)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mh": "M"}, "ACK_FORMAT"),
        ({"mtg": "A meeting"}, "ACK_FORMAT"),
        ({"obj": "Q" * 21}, "ACK_FORMAT"),
        ({"digest": 1}, "ACK_FORMAT"),
        ({"door": ""}, "ACK_FORMAT"),
        ({"v": 2}, "ACK_FORMAT"),
        ({"v": True}, "ACK_FORMAT"),
        ({"more": 1}, "ACK_FORMAT"),
        ({"time": "2026-03-03"}, "ACK_TIME"),
        ({"time": 1}, "ACK_TIME"),
    ],
)
def test_another_form_is_refused(change: dict[str, object], code: str) -> None:
    value = json.loads(ACK.payload()) | change
    with pytest.raises(Refused, match=code):
        parse_objection_acknowledgement(jws.sign(TYP, X5T, jcs.dumps(value), KEY).compact)


def test_it_is_no_ballots_acknowledgement_and_not_any_json() -> None:
    compact = sign_objection_acknowledgement(ACK, X5T, KEY).compact
    with pytest.raises(Refused, match="JWS_TYP"):
        parse_acknowledgement(compact)
    spaced = ACK.payload().replace(b":", b": ", 1)
    with pytest.raises(Refused, match="ACK_FORMAT"):
        parse_objection_acknowledgement(jws.sign(TYP, X5T, spaced, KEY).compact)
    head, _, signature = compact.split(".")
    with pytest.raises(Refused, match="ACK_FORMAT"):
        parse_objection_acknowledgement(f"{head}.{base64url.encode(b'[]')}.{signature}")
