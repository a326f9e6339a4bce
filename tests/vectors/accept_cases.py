"""Entries that are accepted, held already, or pending."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from client.encodings import base64url, es256
from client.encodings.amendment import Amended, Entitlement
from client.encodings.commitment import commit
from client.encodings.leaf import Claim
from client.encodings.times import parse
from tests.vectors.agency_cases import agency_accepted
from tests.vectors.cases import Author, Case
from tests.vectors.scene import CLOSES_AT, OPENS_AT, Scene, seeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OPENS, CLOSES = parse(OPENS_AT), parse(CLOSES_AT)


def accept_cases(scenes: Mapping[str, Scene]) -> Iterator[Case]:
    """Yield what is accepted, held already or pending."""
    plain, revote, wide, special = (scenes[name] for name in ("plain", "revote", "wide", "special"))
    for lender in plain.lenders.values():
        author = Author(plain, lender)
        yield author.case(f"raw: {lender.name}", author.good())
        yield author.case(f"compact: {lender.name}", author.compact())
    author = Author(plain, plain.lenders["bo"])
    yield from _edges(author)
    yield from _signature_forms(author)
    yield from _held(author)
    yield from _pending(author)
    several = Author(revote, revote.lenders["chen"], "revote")
    votes: dict[str, Any] = {"m1": "abstain", "committee": ("li-wei", "zhang-min", "zhao-lei")}
    three = revote.signed(several.lender, votes).compact
    yield several.case("raw: three of four chosen", three)
    yield several.case("compact: three of four chosen", several.compact(votes=votes))
    held = several.held(1, revote.signed(several.lender).digest)
    yield several.case("raw: a revote", several.good(2), seq=2, held=held)
    yield several.case("compact: a revote", several.compact(7), seq=7, held=held)
    for name in ("an", "bo", "chen"):
        part = Author(special, special.lenders[name], "special")
        yield part.case(f"special, raw: {name}", part.good())
        yield part.case(f"special, compact: {name}", part.compact())
    yield from _amended(author)
    yield from agency_accepted(scenes)
    long = Author(wide, wide.lenders["an"], "wide")
    many: dict[str, Any] = {"committee": wide.meeting.motions[0].choices[:40]}
    yield long.case("raw: 40 long choices", wide.signed(long.lender, many).compact)
    yield long.case("compact: 40 long choices", long.compact(votes=many))


def _amended(author: Author) -> Iterator[Case]:
    """Yield entries of a lender whom an amendment names: it has the leaf, whatever they say."""
    more = Entitlement((Claim("individual", 2), Claim("wealth-plan", 3)), ("m1",))
    known = Amended(Entitlement(author.lender.claims), more)
    yield author.case("amended: a lender whom an amendment names", author.amended(), amended=known)
    yield author.case(
        "amended: a lender whom an amendment added", author.amended(), amended=Amended(None, more)
    )
    yield author.case("compact, with the frozen leaf, amended since", author.compact(), amended=known)
    yield author.case(
        "compact, with a leaf of nowhere, amended",
        author.compact(index=9000, claims=((7, 1),)),
        amended=known,
    )
    nothing = author.raw(author.good(), leaf=b"", index=0, proof=())
    yield author.case("raw, with an empty leaf, amended", nothing, amended=known)


def _edges(author: Author) -> Iterator[Case]:
    lender, scene = author.lender, author.scene
    always = scene.session(lender, issued_at=OPENS_AT, expires_at="2026-04-01T00:00:00Z")
    yield author.case(
        "acknowledged in the second of opening", author.raw(author.good(), ack_time=OPENS), session=always
    )
    yield author.case(
        "acknowledged in the second of closing", author.raw(author.good(), ack_time=CLOSES), session=always
    )
    last = scene.session(lender, expires_at="2026-03-03T08:30:00Z")
    yield author.case("a session in its last second", author.good(), session=last)
    yield author.case("a first ballot with seq 1000", author.good(1000), seq=1000)
    yield author.case("acknowledgement 2^53-1", author.raw(author.good(), ack_no=2**53 - 1))
    other = replace(lender.enrolment(), rev=9, commitment=commit(seeded("x"), {"v": 1}), method="face-v1")
    yield author.case("an enrolment of revision 9", author.good(), enrolment=other)


def _malleated(signature: bytes) -> bytes:
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + (es256.ORDER - s).to_bytes(32, "big")


def _signature_forms(author: Author) -> Iterator[Case]:
    signed = author.scene.signed(author.lender)
    one, two = signed.jws.signature, _malleated(signed.jws.signature)
    low, high = sorted((one, two), key=lambda signature: signature[32:])
    head, payload, _ = signed.compact.split(".")
    for name, signature in (("low s", low), ("high s", high)):
        yield author.case(f"raw: {name}", f"{head}.{payload}.{base64url.encode(signature)}")
        yield author.case(f"compact: {name}", replace(author.compact(), signature=signature))


def _held(author: Author) -> Iterator[Case]:
    lender, scene = author.lender, author.scene
    signed = scene.signed(lender)
    own = author.held(1, signed.digest)
    head, payload, _ = signed.compact.split(".")
    malleated = _malleated(signed.jws.signature)
    used: dict[str, Any] = {"expect": "held", "held": own}
    yield author.case("raw: a replay", author.good(), **used)
    yield author.case("compact: a replay", author.compact(), **used)
    yield author.case("raw: a malleated replay", f"{head}.{payload}.{base64url.encode(malleated)}", **used)
    yield author.case("compact: a malleated replay", replace(author.compact(), signature=malleated), **used)
    yield author.case(
        "a replay acknowledged late", author.raw(author.good(), ack_time=CLOSES + 60, ack_no=9), **used
    )
    yield author.case("a replay with another path", author.raw(author.good(), proof=()), **used)
    revoked = lender.enrolment(status="revoked", rev=2, reason="lost")
    yield author.case("a replay after revocation", author.good(), enrolment=revoked, **used)
    yield author.case("a replay whose session is gone", author.good(), session=None, **used)


def _pending(author: Author) -> Iterator[Case]:
    missing: dict[str, Any] = {"expect": "pending"}
    for kind, entry in (("raw", author.raw(author.good())), ("compact", author.compact())):
        yield author.case(f"{kind}: no enrolment", entry, "ENROLMENT_NOT_FOUND", enrolment=None, **missing)
        yield author.case(
            f"{kind}: nothing known", entry, "ENROLMENT_NOT_FOUND", enrolment=None, session=None, **missing
        )
        yield author.case(f"{kind}: no session", entry, "SESSION_NOT_FOUND", session=None, **missing)
    yield author.case(
        "no session, and equivocating",
        author.good(),
        "SESSION_NOT_FOUND",
        session=None,
        held=author.held(1),
        **missing,
    )
