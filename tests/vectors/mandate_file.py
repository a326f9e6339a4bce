"""mandate.json: mandates by a lender's key, and texts that are none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization

from client.encodings import base64url, es256, jcs, jws
from client.encodings.mandate import TYP, Mandate, sign_mandate
from client.encodings.revocation import TYP as REVOCATION
from client.encodings.revocation import Revocation, sign_revocation
from tests.vectors.cases import b64
from tests.vectors.scene import Lender, key_of, random_id, scenes

if TYPE_CHECKING:
    from collections.abc import Iterator


def mandate() -> dict[str, Any]:
    """Return a lender's certificate, mandates by its key with their digests, and texts that are none."""
    scene = scenes()["special"]
    lender = scene.lenders["bo"]
    good = Mandate(
        scene.meeting.mh,
        scene.meeting.mtg,
        "*",
        lender.sub,
        random_id("a proxy"),
        "2026-03-03T08:00:00Z",
        1,
    )
    accept = {
        "all motions": good,
        "one motion": replace(good, motions=("m1",)),
        "20 motions, the last number": replace(
            good, motions=tuple(sorted(f"m{number}" for number in (1, *range(3, 22)))), no=1000
        ),
    }
    signed = {name: sign_mandate(item, lender.x5t, lender.key) for name, item in accept.items()}
    return {
        "v": 1,
        "certificate": b64(lender.certificate),
        "point": lender.key.public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        .hex(),
        "accept": [
            {
                "name": name,
                "jws": item.compact,
                "digest": item.digest,
                "payload": json.loads(item.mandate.payload()),
            }
            for name, item in signed.items()
        ],
        "reject": [{"name": name, "jws": text, "code": code} for name, code, text in _bad(good, lender.x5t)],
        "revocations": _revocations(signed["all motions"].digest, lender),
    }


def _revocations(digest: str, lender: Lender) -> dict[str, Any]:
    meeting = scenes()["special"].meeting
    good = Revocation(meeting.mh, meeting.mtg, lender.sub, digest, "2026-03-03T08:10:00Z")
    signed = sign_revocation(good, lender.x5t, lender.key)
    value = json.loads(good.payload())
    bad = [
        {"name": name, "jws": text, "code": code} for name, code, text in _bad_revocations(value, lender.x5t)
    ]
    return {
        "accept": [{"name": "a mandate's", "jws": signed.compact, "payload": value}],
        "reject": bad,
    }


def _bad_revocations(value: dict[str, Any], x5t: str) -> Iterator[tuple[str, str, str]]:
    key = key_of("bo")

    def over(payload: bytes, typ: str = REVOCATION) -> str:
        return jws.sign(typ, x5t, payload, key).compact

    yield "no JWS", "JWS_FORMAT", "revocation"
    yield "a mandate's typ", "JWS_TYP", over(jcs.dumps(value), TYP)
    yield "2,049 characters", "MANDATE_FORMAT", "a" * 2049
    yield "not canonical", "MANDATE_FORMAT", over(json.dumps(value).encode())
    yield "an array as payload", "MANDATE_FORMAT", over(b"[]")
    for name, change in (
        ("version 2", {"v": 2}),
        ("an unknown member", {"note": "x"}),
        ("a record's hash in hex", {"mh": "a" * 64}),
        ("a meeting id in capitals", {"mtg": "2026-Special"}),
        ("a short pseudonym", {"sub": value["sub"][:-1]}),
        ("a mandate's number for its digest", {"mandate": "1"}),
        ("a time with an offset", {"iat": "2026-03-03T08:00:00+08:00"}),
        ("a number as the time", {"iat": 1}),
    ):
        yield name, "MANDATE_FORMAT", over(jcs.dumps(value | change))
    head, payload, _ = over(jcs.dumps(value)).split(".")
    other = es256.sign(key_of("an"), f"{head}.{payload}".encode())
    yield "signed by another key", "SIGNATURE_INVALID", f"{head}.{payload}.{base64url.encode(other)}"


def _bad(good: Mandate, x5t: str) -> Iterator[tuple[str, str, str]]:
    key = key_of("bo")
    value = json.loads(good.payload())

    def over(payload: bytes, typ: str = TYP) -> str:
        return jws.sign(typ, x5t, payload, key).compact

    yield "no JWS", "JWS_FORMAT", "mandate"
    yield "a ballot's typ", "JWS_TYP", over(good.payload(), "concordat-ballot+jws")
    yield "2,049 characters", "MANDATE_FORMAT", "a" * 2049
    yield "a payload that is no JSON", "MANDATE_FORMAT", over(b"yes")
    yield "an array as payload", "MANDATE_FORMAT", over(b"[]")
    yield "a member twice", "MANDATE_FORMAT", over(b'{"v":1,' + good.payload()[1:])
    yield "not canonical", "MANDATE_FORMAT", over(json.dumps(value).encode())
    for name, change in (
        ("version 2", {"v": 2}),
        ("an unknown member", {"note": "x"}),
        ("a record's hash in hex", {"mh": "a" * 64}),
        ("a meeting id in capitals", {"mtg": "2026-Special"}),
        ("no motion", {"motions": []}),
        ("a motion as a text", {"motions": "m1"}),
        ("a motion's id in capitals", {"motions": ["M1"]}),
        ("a number for a motion", {"motions": [1]}),
        ("a motion twice", {"motions": ["m1", "m1"]}),
        ("motions out of order", {"motions": ["m2", "m1"]}),
        ("21 motions", {"motions": [f"m{number}" for number in range(10, 31)]}),
        ("a short pseudonym", {"sub": value["sub"][:-1]}),
        ("no pseudonym as proxy", {"proxy": "lawyer"}),
        ("the lender as its own proxy", {"proxy": value["sub"]}),
        ("a time with an offset", {"iat": "2026-03-03T08:00:00+08:00"}),
        ("number 0", {"no": 0}),
        ("number 1,001", {"no": 1001}),
        ("a number as a string", {"no": "1"}),
    ):
        yield name, "MANDATE_FORMAT", over(jcs.dumps(value | change))
    yield "no number", "MANDATE_FORMAT", over(jcs.dumps({k: v for k, v in value.items() if k != "no"}))
    head, payload, _ = over(good.payload()).split(".")
    other = es256.sign(key_of("an"), f"{head}.{payload}".encode())
    yield "signed by another key", "SIGNATURE_INVALID", f"{head}.{payload}.{base64url.encode(other)}"
