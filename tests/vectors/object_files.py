"""leaf.json, acknowledgement.json, step.json and commitment.json."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from client.encodings import base64url, certificates, es256, jcs, jws
from client.encodings.acknowledgement import TYP, Acknowledgement, sign_acknowledgement
from client.encodings.commitment import commit
from client.encodings.leaf import Claim, Leaf
from client.encodings.step import Step
from tests.vectors.cases import b64
from tests.vectors.scene import DOOR, certificate_of, key_of, random_id, scenes, seeded

if TYPE_CHECKING:
    from collections.abc import Iterator


def leaf() -> dict[str, Any]:
    """Return roll leaves with their hashes, and bytes (hex) that are none."""
    sub, salt = random_id("leaf"), seeded("leaf")[:16]
    accept = {
        "one claim": (Claim("individual", 1),),
        "the largest claim": (Claim("individual", 2**53 - 1),),
        "three classes": (Claim("a", 1), Claim("a-b", 20_00), Claim("z", 3)),
        "a class of 40 characters": (Claim("c" * 40, 5),),
    }
    decision = seeded("decision").hex()
    disputed = (Claim("a", 1, decision), Claim("z", 3))
    special = {
        "a disputed claim": Leaf("a-meeting", sub, disputed, salt),
        "excluded from a motion": Leaf("a-meeting", sub, accept["one claim"], salt, ("m1",)),
        "disputed, and excluded from 20 motions": Leaf(
            "a-meeting", sub, disputed, salt, tuple(sorted(f"m{number}" for number in range(20)))
        ),
    }
    good = Leaf("a-meeting", sub, accept["three classes"], salt, ("m1", "m2"))
    return {
        "v": 1,
        "accept": [
            {
                "name": name,
                "leaf": (made := Leaf("a-meeting", sub, claims, salt)).encode().decode(),
                "hash": made.hash().hex(),
            }
            for name, claims in accept.items()
        ]
        + [
            {"name": name, "leaf": made.encode().decode(), "hash": made.hash().hex()}
            for name, made in special.items()
        ],
        "reject": [
            {"name": name, "leaf": data.hex(), "code": "ROLL_LEAF"} for name, data in _bad_leaves(good)
        ],
    }


def _bad_leaves(good: Leaf) -> Iterator[tuple[str, bytes]]:
    exact, value = good.encode(), good.as_json()
    yield "not UTF-8", exact.replace(b"a-meeting", b"a-meet\xffng")
    yield "a space", exact.replace(b",", b", ", 1)
    yield "a line break at the end", exact + b"\n"
    yield "a member twice", b'{"v":1,' + exact[1:]
    yield "another member", jcs.dumps(value | {"phone": "1"})
    yield "no version", jcs.dumps({name: item for name, item in value.items() if name != "v"})
    yield "version 1", jcs.dumps(value | {"v": 1})
    yield "excluded from nothing", jcs.dumps(value | {"excluded": []})
    yield "excluded from a motion twice", jcs.dumps(value | {"excluded": ["m1", "m1"]})
    yield "excluded motions out of order", jcs.dumps(value | {"excluded": ["m2", "m1"]})
    yield "excluded from no motion's id", jcs.dumps(value | {"excluded": ["M1"]})
    yield "excluded from 21 motions", jcs.dumps(value | {"excluded": [f"m{n}" for n in range(10, 31)]})
    yield "excluded as an object", jcs.dumps(value | {"excluded": {"m1": True}})
    for name, decision in (
        ("an empty decision", ""),
        ("a decision in base64url", "A" * 43),
        ("a decision in capitals", "A" * 64),
        ("null for a decision", None),
    ):
        claims = [value["claims"][0] | {"decision": decision}, *value["claims"][1:]]
        yield name, jcs.dumps(value | {"claims": claims})
    yield "version true", jcs.dumps(value | {"v": True})
    yield "a meeting id in capitals", jcs.dumps(value | {"mtg": "A-Meeting"})
    yield "a pseudonym of 15 bytes", jcs.dumps(value | {"sub": base64url.encode(bytes(15))})
    yield "a padded salt", jcs.dumps(value | {"salt": value["salt"] + "=="})
    yield "claims as an object", jcs.dumps(value | {"claims": {"individual": 1}})
    yield "no claims", jcs.dumps(value | {"claims": []})
    yield "unsorted classes", jcs.dumps(value | {"claims": value["claims"][::-1]})
    yield "a class twice", jcs.dumps(value | {"claims": value["claims"][:1] * 2})
    yield "a claim of 0 fen", jcs.dumps(value | {"claims": [{"class": "a", "fen": 0}]})
    yield "a claim of 2^53 fen", exact.replace(b":2000", b":9007199254740992")
    yield "a claim as a float", exact.replace(b":2000", b":2000.0")


def acknowledgement() -> dict[str, Any]:
    """Return a door's certificate, acknowledgements by its key, and texts that are none."""
    scene = scenes()["plain"]
    key, certificate = key_of("relay"), certificate_of("relay", "relay", "association-ca")
    x5t = certificates.thumbprint(certificate)
    signed = scene.signed(scene.lenders["bo"])
    good = Acknowledgement(
        scene.meeting.mh, scene.meeting.mtg, signed.digest, DOOR, 1, "2026-03-03T08:30:00Z"
    )
    last = Acknowledgement(
        scene.meeting.mh, scene.meeting.mtg, signed.digest, "RegulatorMSP", 2**53 - 1, "2026-03-09T10:00:00Z"
    )
    return {
        "v": 1,
        "certificate": b64(certificate),
        "ballot": signed.compact,
        "digest": signed.digest,
        "accept": [
            {
                "name": name,
                "jws": sign_acknowledgement(ack, x5t, key).compact,
                "payload": json.loads(ack.payload()),
            }
            for name, ack in (("the first", good), ("the last possible, at the second door", last))
        ],
        "reject": [
            {"name": name, "jws": text, "code": code} for name, code, text in _bad_acknowledgements(good, x5t)
        ],
    }


def _bad_acknowledgements(good: Acknowledgement, x5t: str) -> Iterator[tuple[str, str, str]]:
    key = key_of("relay")
    value = json.loads(good.payload())

    def over(payload: bytes, typ: str = TYP) -> str:
        return jws.sign(typ, x5t, payload, key).compact

    yield "no JWS", "JWS_FORMAT", "acknowledged"
    yield "a ballot's typ", "JWS_TYP", over(good.payload(), "concordat-ballot+jws")
    yield "a payload that is no JSON", "ACK_FORMAT", over(b"yes")
    yield "a member twice", "ACK_FORMAT", over(b'{"v":1,' + good.payload()[1:])
    yield "not canonical", "ACK_FORMAT", over(json.dumps(value).encode())
    for name, change in (
        ("version 2", {"v": 2}),
        ("a digest in hex", {"digest": "a" * 64}),
        ("no MSP as door", {"door": "association"}),
        ("number 0", {"no": 0}),
        ("a number as a string", {"no": "1"}),
        ("an unknown member", {"note": "x"}),
        ("a time in seconds", {"time": 1}),
    ):
        yield name, "ACK_FORMAT", over(jcs.dumps(value | change))
    yield "no number", "ACK_FORMAT", over(jcs.dumps({k: v for k, v in value.items() if k != "no"}))
    yield "a time with an offset", "ACK_TIME", over(jcs.dumps(value | {"time": "2026-03-03T08:30:00+08:00"}))
    head, payload, _ = over(good.payload()).split(".")
    other = es256.sign(key_of("another relay"), f"{head}.{payload}".encode())
    yield "signed by another key", "SIGNATURE_INVALID", f"{head}.{payload}.{base64url.encode(other)}"


def step() -> dict[str, Any]:
    """Return steps with their digests, and texts that are none."""
    at = "2026-03-09T10:00:00Z"
    good = (
        Step("open", at),
        Step("closing", at),
        Step("closed", at, ballots=8195, subtotals=12),
        Step("closed", at, ballots=0, subtotals=0),
        Step("objections", at),
        Step("certified", at),
        Step("void", at, reason="名册有误: the roll was wrong"),
    )
    bad = {
        "no JSON": b"open",
        "not canonical": b'{"to":"open","at":"2026-03-09T10:00:00Z"}',
        "no time": b'{"to":"open"}',
        "a time without a zone": b'{"at":"2026-03-09T10:00:00","to":"open"}',
        "an unknown state": b'{"at":"2026-03-09T10:00:00Z","to":"draft"}',
        "an unknown member": b'{"at":"2026-03-09T10:00:00Z","note":"x","to":"open"}',
        "void without a reason": b'{"at":"2026-03-09T10:00:00Z","to":"void"}',
        "void with an empty reason": b'{"at":"2026-03-09T10:00:00Z","reason":"","to":"void"}',
        "open with a reason": b'{"at":"2026-03-09T10:00:00Z","reason":"x","to":"open"}',
        "closed without numbers": b'{"at":"2026-03-09T10:00:00Z","to":"closed"}',
        "closed without subtotals": b'{"at":"2026-03-09T10:00:00Z","ballots":1,"to":"closed"}',
        "open with numbers": b'{"at":"2026-03-09T10:00:00Z","ballots":1,"subtotals":1,"to":"open"}',
        "closed with a string": b'{"at":"2026-03-09T10:00:00Z","ballots":"1","subtotals":1,"to":"closed"}',
    }
    return {
        "v": 1,
        "accept": [{"step": item.encode().decode(), "digest": item.digest} for item in good],
        "reject": [
            {"name": name, "step": data.decode(), "code": "STEP_FORMAT"} for name, data in bad.items()
        ],
    }


def commitment() -> dict[str, Any]:
    """Return commitments to evidence under salts (hex)."""
    evidence: tuple[Any, ...] = (
        {"v": 1},
        {
            "v": 1,
            "method": "face-v1",
            "distance_millionths": 412345,
            "frames": ["a", "b"],
            "note": "证据 \u20ac",
        },
        [],
    )
    return {
        "v": 1,
        "vectors": [
            {
                "salt": (salt := seeded("commitment", number)).hex(),
                "evidence": jcs.dumps(item).decode(),
                "commitment": commit(salt, item),
            }
            for number, item in enumerate(evidence)
        ],
    }
