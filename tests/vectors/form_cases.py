"""Ballots of a wrong form: JWS and payload, refused before anything is looked up."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from client.encodings import base64url, jcs
from client.encodings.acknowledgement import TYP as ACK_TYP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.vectors.cases import Author, Case


def form_cases(author: Author) -> Iterator[Case]:
    """Yield every refusal of a JWS's or a payload's form."""
    for name, code, compact in (*_serialization(author), *_headers(author), *_signatures(author)):
        yield author.case(name, compact, code)
    for name, code, payload in _payloads(author):
        yield author.case(name, author.craft(author.header(), payload), code)


def _serialization(author: Author) -> Iterator[tuple[str, str, str]]:
    good = author.good()
    head, payload, signature = good.split(".")
    long = author.payload(votes={f"m{number}": "approve" for number in range(150)})
    yield (
        "a ballot of more than 3,072 bytes",
        "BALLOT_TOO_LONG",
        author.craft(author.header(), jcs.dumps(long)),
    )
    yield "3,073 characters of nothing", "BALLOT_TOO_LONG", "a" * 3073
    yield "an empty text", "JWS_FORMAT", ""
    yield "two parts", "JWS_FORMAT", f"{head}.{payload}"
    yield "four parts", "JWS_FORMAT", f"{good}.{signature}"
    yield "a padded header", "JWS_FORMAT", f"{head}=.{payload}.{signature}"
    yield "a padded signature", "JWS_FORMAT", f"{head}.{payload}.{signature}=="
    yield "standard base64", "JWS_FORMAT", f"{head}.{payload}.+{signature[1:]}"
    yield "a line break inside", "JWS_FORMAT", f"{head}.{payload[:8]}\n{payload[8:]}.{signature}"
    yield "a line break at the end", "JWS_FORMAT", f"{good}\n"
    yield "a character outside ASCII", "JWS_FORMAT", f"{head}.{payload}é.{signature}"
    yield "trailing bits in the signature", "JWS_FORMAT", good[:-1] + _next_character(good[-1])
    yield "a length that base64url never has", "JWS_FORMAT", f"{head}.{payload}.A{signature[:84]}"
    yield "the JSON serialization", "JWS_FORMAT", json.dumps({"payload": payload, "signature": signature})


def _next_character(character: str) -> str:
    # The last of 86 characters carries two bits: A, Q, g or w. The next has a trailing bit set.
    return chr(ord(character) + 1)


def _headers(author: Author) -> Iterator[tuple[str, str, str]]:
    payload = author.scene.ballot(author.lender).payload()
    x5t = author.lender.x5t
    good = {"alg": "ES256", "typ": "concordat-ballot+jws", "x5t#S256": x5t}

    def headed(header: object, signature: bytes | None = None) -> str:
        data = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
        return author.craft(data, payload, signature)

    exact = author.header()
    yield "a header that is no JSON", "JWS_HEADER_JSON", headed(b"alg=ES256")
    yield "an empty header", "JWS_HEADER_JSON", headed(b"")
    yield "an array as header", "JWS_HEADER_JSON", headed(["ES256"])
    yield "a header that is not UTF-8", "JWS_HEADER_JSON", headed(exact.replace(b"ES256", b"ES\xff56"))
    yield "a byte-order mark before the header", "JWS_HEADER_JSON", headed(b"\xef\xbb\xbf" + exact)
    yield "bytes after the header", "JWS_HEADER_JSON", headed(exact + b"x")
    yield "a header nested 17 deep", "JWS_HEADER_JSON", headed(b'{"alg":' + b"[" * 16 + b"]" * 16 + b"}")
    yield (
        "a duplicate and nested 17 deep",
        "JWS_HEADER_JSON",
        headed(b'{"alg":1,"alg":2,"x":' + b"[" * 16 + b"]" * 16 + b"}"),
    )
    yield "alg twice", "JWS_DUPLICATE_MEMBER", headed(b'{"alg":"none",' + exact[1:])
    yield "alg twice, once escaped", "JWS_DUPLICATE_MEMBER", headed(b'{"\\u0061lg":"none",' + exact[1:])
    yield "a duplicate before crit", "JWS_DUPLICATE_MEMBER", headed(b'{"crit":[],"crit":[],' + exact[1:])
    yield "crit", "JWS_CRIT", headed(good | {"crit": ["exp"], "exp": 1})
    yield "an empty crit", "JWS_CRIT", headed(good | {"crit": []})
    yield "crit before jwk", "JWS_CRIT", headed(good | {"jwk": {}, "crit": ["b64"], "b64": False})
    yield "a key in the header", "JWS_JWK", headed(good | {"jwk": _jwk(author)})
    yield "a link to a key", "JWS_JKU", headed(good | {"jku": "https://example.org/keys"})
    yield "an unencoded payload", "JWS_B64", headed(good | {"b64": False})
    yield "b64 true", "JWS_B64", headed(good | {"b64": True})
    yield "alg none", "JWS_ALG_NONE", headed(good | {"alg": "none"}, b"")
    yield "alg None", "JWS_ALG_NONE", headed(good | {"alg": "None"}, b"")
    yield "alg none with a good signature", "JWS_ALG_NONE", headed(good | {"alg": "none"})
    yield "HS256 keyed with the public key", "JWS_ALG", _hs256(author, payload)
    yield "ES384", "JWS_ALG", headed(good | {"alg": "ES384"})
    yield "alg in lower case", "JWS_ALG", headed(good | {"alg": "es256"})
    yield "no alg", "JWS_ALG", headed({"typ": good["typ"], "x5t#S256": x5t})
    yield "a number as alg", "JWS_ALG", headed(good | {"alg": 1.5})
    yield "an acknowledgement's typ", "JWS_TYP", headed(good | {"typ": ACK_TYP})
    yield "typ JWT", "JWS_TYP", headed(good | {"typ": "JWT"})
    yield "no typ", "JWS_TYP", headed({"alg": "ES256", "x5t#S256": x5t})
    yield "kid besides", "JWS_HEADER_MEMBER", headed(good | {"kid": "1"})
    yield "a fraction besides", "JWS_HEADER_MEMBER", headed(good | {"n": 1.5})
    yield "no thumbprint", "JWS_HEADER_MEMBER", headed({"alg": "ES256", "typ": good["typ"]})
    yield (
        "x5t in place of x5t#S256",
        "JWS_HEADER_MEMBER",
        headed({"alg": "ES256", "typ": good["typ"], "x5t": x5t}),
    )
    yield "a padded thumbprint", "JWS_HEADER_MEMBER", headed(good | {"x5t#S256": x5t + "="})
    yield "a short thumbprint", "JWS_HEADER_MEMBER", headed(good | {"x5t#S256": x5t[:-1]})
    yield "a number as thumbprint", "JWS_HEADER_MEMBER", headed(good | {"x5t#S256": 7})
    yield "reordered members", "JWS_HEADER_FORM", headed(dict(reversed(good.items())))
    yield "a space in the header", "JWS_HEADER_FORM", headed(json.dumps(good).encode())
    yield "an escape in the header", "JWS_HEADER_FORM", headed(exact.replace(b"+jws", b"\\u002bjws"))


def _jwk(author: Author) -> dict[str, str]:
    numbers = author.lender.key.public_key().public_numbers()
    x, y = (base64url.encode(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _hs256(author: Author, payload: bytes) -> str:
    header = author.header().replace(b"ES256", b"HS256", 1)
    key = author.lender.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    data = f"{base64url.encode(header)}.{base64url.encode(payload)}".encode()
    return author.craft(header, payload, hmac.new(key, data, hashlib.sha256).digest())


def _signatures(author: Author) -> Iterator[tuple[str, str, str]]:
    head, payload, text = author.good().split(".")
    signature = base64url.decode(text)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    for name, other in (
        ("no signature", b""),
        ("a signature of 63 bytes", signature[:63]),
        ("a signature of 65 bytes", signature + b"\0"),
        ("a signature in DER", encode_dss_signature(r, s)),
    ):
        yield name, "SIGNATURE_FORM", f"{head}.{payload}.{base64url.encode(other)}"


def _payloads(author: Author) -> Iterator[tuple[str, str, bytes]]:
    value = author.payload()
    exact = jcs.dumps(value)
    yield "a payload that is no JSON", "BALLOT_JSON", b"approve"
    yield "an empty payload", "BALLOT_JSON", b""
    yield "an array as payload", "BALLOT_JSON", b"[" + exact + b"]"
    yield "a payload that is not UTF-8", "BALLOT_JSON", exact.replace(b"approve", b"appro\xffe")
    yield "a byte-order mark before the payload", "BALLOT_JSON", b"\xef\xbb\xbf" + exact
    yield "bytes after the payload", "BALLOT_JSON", exact + b"{}"
    yield "a control character in a string", "BALLOT_JSON", exact.replace(b"approve", b"appro\nve")
    yield "NaN", "BALLOT_JSON", exact.replace(b'"seq":1', b'"seq":NaN')
    yield "a leading zero", "BALLOT_JSON", exact.replace(b'"seq":1', b'"seq":01')
    yield (
        "votes nested 17 deep",
        "BALLOT_JSON",
        exact.replace(b'"votes":{', b'"votes":{"m0":' + b"[" * 15 + b"]" * 15 + b","),
    )
    yield "a vote twice", "BALLOT_DUPLICATE_MEMBER", exact.replace(b'"m1":', b'"m1":"reject","m1":')
    yield "votes twice", "BALLOT_DUPLICATE_MEMBER", exact[:-1] + b',"votes":{}}'
    yield (
        "a duplicate inside an unknown member",
        "BALLOT_DUPLICATE_MEMBER",
        b'{"a":{"b":1,"b":1},' + exact[1:],
    )
    yield from _members(author)
    yield "version 2", "BALLOT_VERSION", jcs.dumps(value | {"v": 2})
    yield "version 0", "BALLOT_VERSION", jcs.dumps(value | {"v": 0})
    yield "a space in the payload", "BALLOT_NOT_CANONICAL", json.dumps(value).encode()
    yield "a line break after the payload", "BALLOT_NOT_CANONICAL", exact + b"\n"
    yield (
        "unsorted members",
        "BALLOT_NOT_CANONICAL",
        json.dumps(dict(reversed(value.items())), separators=(",", ":")).encode(),
    )
    yield "a needless escape", "BALLOT_NOT_CANONICAL", exact.replace(b"approve", b"\\u0061pprove", 1)
    yield "a lone surrogate", "BALLOT_NOT_CANONICAL", exact.replace(b"approve", b"\\ud800", 1)
    yield "seq 0", "BALLOT_SEQ", jcs.dumps(value | {"seq": 0})
    yield "seq 1001", "BALLOT_SEQ", jcs.dumps(value | {"seq": 1001})
    for name, iat in (
        ("a time with an offset", "2026-03-03T08:29:57+00:00"),
        ("a time with a fraction", "2026-03-03T08:29:57.5Z"),
        ("a time in lower case", "2026-03-03t08:29:57z"),
        ("30 February", "2026-02-30T08:29:57Z"),
        ("a leap second", "2026-06-30T23:59:60Z"),
        ("hour 24", "2026-03-03T24:00:00Z"),
        ("a time before 1970", "1969-12-31T23:59:59Z"),
        ("a time of five digits' year", "12026-03-03T08:29:57Z"),
        ("no time", ""),
    ):
        yield name, "BALLOT_TIME", jcs.dumps(value | {"iat": iat})
    sub = author.lender.sub
    for name, change in (
        ("a short pseudonym", {"sub": sub[:-1]}),
        ("a padded pseudonym", {"sub": sub + "=="}),
        ("a pseudonym with trailing bits", {"sub": sub[:-1] + _next_character(sub[-1])}),
        ("a long session id", {"ses": value["ses"] + "AA"}),
        ("an empty session id", {"ses": ""}),
        ("a short mandate", {"prx": "A" * 42}),
        ("an empty mandate", {"prx": ""}),
        ("a mandate in hex", {"prx": "a" * 64}),
    ):
        yield name, "BALLOT_ID", jcs.dumps(value | change)


def _members(author: Author) -> Iterator[tuple[str, str, bytes]]:
    value = author.payload()
    exact = jcs.dumps(value)
    for name, payload in (
        ("no session", jcs.dumps(author.payload(ses=None))),
        ("no votes", jcs.dumps(author.payload(votes=None))),
        ("an unknown member", jcs.dumps(value | {"note": "x"})),
        ("a mandate that is a number", jcs.dumps(value | {"prx": 1})),
        ("a mandate that is null", jcs.dumps(value)[:-1] + b',"prx":null}'),
        ("seq as a string", jcs.dumps(value | {"seq": "1"})),
        ("seq true", jcs.dumps(value | {"seq": True})),
        ("seq 1.0", exact.replace(b'"seq":1', b'"seq":1.0')),
        ("seq 1e0", exact.replace(b'"seq":1', b'"seq":1e0')),
        ("seq -1", exact.replace(b'"seq":1', b'"seq":-1')),
        ("seq 2^53", exact.replace(b'"seq":1', b'"seq":9007199254740992')),
        ("seq beyond 64 bits", exact.replace(b'"seq":1', b'"seq":' + b"9" * 40)),
        ("version 1.0", exact.replace(b'"v":1', b'"v":1.0')),
        ("version as a string", jcs.dumps(value | {"v": "1"})),
        ("version null", exact.replace(b'"v":1', b'"v":null')),
        ("iat in seconds", jcs.dumps(value | {"iat": 1772526597})),
        ("votes as an array", jcs.dumps(value | {"votes": ["approve", "approve"]})),
        ("a number as vote", jcs.dumps(value | {"votes": {"m1": 1, "m2": "approve"}})),
        ("null as vote", exact.replace(b'"m1":"approve"', b'"m1":null')),
        ("an object as vote", exact.replace(b'"m1":"approve"', b'"m1":{}')),
        ("numbers in a vote's array", exact.replace(b'"m1":"approve"', b'"m1":[1]')),
        ("a member missing and version 2", jcs.dumps(author.payload(ses=None, v=2))),
    ):
        yield name, "BALLOT_MEMBER", payload
