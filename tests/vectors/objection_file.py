"""objection.json: objections by a lender's key, documents of answers, awards and anchors; what is none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization

from client.encodings import base64url, commitment, es256, jcs, jws
from client.encodings.anchor import HEAD_TYP, Anchor
from client.encodings.award import Answer, Award
from client.encodings.objection import GROUNDS, TYP, Objection, sign_objection
from tests.vectors.cases import b64
from tests.vectors.scene import key_of, random_id, scenes

if TYPE_CHECKING:
    from collections.abc import Iterator

_AT = "2026-03-10T08:00:00Z"


def objection() -> dict[str, Any]:
    """Return a lender's certificate, objections by its key with digests, documents, and what is none."""
    scene = scenes()["special"]
    lender = scene.lenders["bo"]
    evidence = commitment.commit(b"s" * 32, {"sha256": "ab" * 32})
    good = Objection(
        scene.meeting.mh,
        scene.meeting.mtg,
        lender.sub,
        random_id("an objection"),
        "2026-03-10T08:00:00Z",
        "count",
        evidence,
    )
    signed = {word: sign_objection(replace(good, ground=word), lender.x5t, lender.key) for word in GROUNDS}
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
                "payload": json.loads(item.objection.payload()),
            }
            for name, item in signed.items()
        ],
        "reject": [{"name": name, "jws": text, "code": code} for name, code, text in _bad(good, lender.x5t)],
        "documents": _documents(good),
    }


def _bad(good: Objection, x5t: str) -> Iterator[tuple[str, str, str]]:
    key = key_of("bo")
    value = json.loads(good.payload())

    def over(payload: bytes, typ: str = TYP) -> str:
        return jws.sign(typ, x5t, payload, key).compact

    yield "no JWS", "JWS_FORMAT", "objection"
    yield "a mandate's typ", "JWS_TYP", over(good.payload(), "concordat-mandate+jws")
    yield "2,049 characters", "OBJECTION_FORMAT", "a" * 2049
    yield "a payload that is no JSON", "OBJECTION_FORMAT", over(b"no")
    yield "an array as payload", "OBJECTION_FORMAT", over(b"[]")
    yield "a member twice", "OBJECTION_FORMAT", over(b'{"v":1,' + good.payload()[1:])
    yield "not canonical", "OBJECTION_FORMAT", over(json.dumps(value).encode())
    for name, change in (
        ("version 2", {"v": 2}),
        ("words of one's own", {"text": "名册漏了我"}),
        ("a record's hash in hex", {"mh": "a" * 64}),
        ("a meeting id in capitals", {"mtg": "2026-Special"}),
        ("a short pseudonym", {"sub": value["sub"][:-1]}),
        ("a long id", {"obj": value["evidence"]}),
        ("a number as the id", {"obj": 1}),
        ("a time with an offset", {"iat": "2026-03-03T08:00:00+08:00"}),
        ("a ground that is no word for one", {"ground": "unfair"}),
        ("no ground", {"ground": ""}),
        ("a plain hash in hex as evidence", {"evidence": "ab" * 32}),
        ("no evidence", {"evidence": None}),
    ):
        yield name, "OBJECTION_FORMAT", over(jcs.dumps(value | change))
    left = {name: member for name, member in value.items() if name != "evidence"}
    yield "evidence left out", "OBJECTION_FORMAT", over(jcs.dumps(left))
    head, payload, _ = over(good.payload()).split(".")
    other = es256.sign(key_of("an"), f"{head}.{payload}".encode())
    yield "signed by another key", "SIGNATURE_INVALID", f"{head}.{payload}.{base64url.encode(other)}"


def _documents(good: Objection) -> dict[str, Any]:
    """Documents by function: those of the right form, and those that are ARGUMENT_FORMAT."""
    answer = Answer(good.mtg, good.obj, "contests", good.evidence, _AT).as_json()
    award = Award(good.mtg, good.obj, "upheld", "recount", good.evidence, _AT).as_json()
    anchor = _anchor(good).as_json()
    accept = [
        ("AnswerObjection", "contested", answer),
        ("AnswerObjection", "accepted", answer | {"position": "accepts"}),
        ("DecideObjection", "upheld", award),
        ("DecideObjection", "in part, a new vote", award | {"award": "partial", "remedy": "revote"}),
        ("DecideObjection", "dismissed", award | {"award": "dismissed", "remedy": "none"}),
        ("AnchorAudit", "consistent", anchor),
        ("AnchorAudit", "inconsistent, no result yet", anchor | {"verdict": "inconsistent", "result": ""}),
    ]
    reject = [
        ("AnswerObjection", "version 2", answer | {"v": 2}),
        ("AnswerObjection", "another position", answer | {"position": "denies"}),
        ("AnswerObjection", "words of its own", answer | {"text": "无理"}),
        ("AnswerObjection", "a short id", answer | {"obj": good.obj[:-1]}),
        ("AnswerObjection", "evidence in hex", answer | {"evidence": "ab" * 32}),
        ("AnswerObjection", "a time with fractions", answer | {"at": "2026-03-10T08:00:00.0Z"}),
        ("DecideObjection", "version 0", award | {"v": 0}),
        ("DecideObjection", "another award", award | {"award": "settled"}),
        ("DecideObjection", "another remedy", award | {"remedy": "apology"}),
        ("DecideObjection", "dismissed with a remedy", award | {"award": "dismissed"}),
        ("DecideObjection", "a member of an answer", award | {"position": "accepts"}),
        ("AnchorAudit", "version 1", anchor | {"v": 1}),
        ("AnchorAudit", "a negative size", anchor | {"size": -1}),
        ("AnchorAudit", "a root in hex", anchor | {"root": "ab" * 32}),
        ("AnchorAudit", "a report in base64url", anchor | {"report": good.evidence}),
        ("AnchorAudit", "a result in base64url", anchor | {"result": good.evidence}),
        ("AnchorAudit", "another verdict", anchor | {"verdict": "maybe"}),
        ("AnchorAudit", "no head", anchor | {"head": ""}),
        ("AnchorAudit", "a head of 2,049 characters", anchor | {"head": "a" * 2049}),
        ("AnchorAudit", "a head of version 2", anchor | {"head": _head(good, v=2)}),
        ("AnchorAudit", "a head with a member more", anchor | {"head": _head(good, note="x")}),
    ]

    def listed(cases: list[tuple[str, str, dict[str, Any]]]) -> list[dict[str, Any]]:
        return [
            {"name": f"{function}: {name}", "function": function, "document": json.dumps(value)}
            for function, name, value in cases
        ]

    return {"accept": listed(accept), "reject": listed(reject)}


def _anchor(good: Objection) -> Anchor:
    root = base64url.encode(b"r" * 32)
    return Anchor(good.mtg, 3, root, "ab" * 32, "cd" * 32, "consistent", _head(good))


def _head(good: Objection, **changes: Any) -> str:
    members = {
        "v": 1,
        "mtg": good.mtg,
        "mh": good.mh,
        "channel": "arbitration-institutiona",
        "size": 3,
        "root": base64url.encode(b"r" * 32),
        "block": 9,
        "block_hash": "ef" * 32,
        "time": _AT,
    }
    key = key_of("an")
    return jws.sign(HEAD_TYP, base64url.encode(b"x" * 32), jcs.dumps(members | changes), key).compact
