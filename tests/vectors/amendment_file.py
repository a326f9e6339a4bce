"""amendment.json: amendments of a frozen roll, bytes that are none, and what they make of ballots."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cbor2

from client.encodings import base64url, jcs
from client.encodings.amendment import Amended, Amendment, Change, Entitlement
from client.encodings.ballot_record import BallotRecord
from client.encodings.entries import claim_indexes, motion_indexes
from client.encodings.leaf import Claim, Leaf
from client.encodings.roll_parts import disputed_of, exclusions_of
from tests.vectors.scene import ACK_TIME, Lender, Scene, make_scene, motion, random_id, seeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from client.encodings.meeting import Meeting

AT = "2026-03-04T09:00:00Z"
DECISION = seeded("court order").hex()


def amendment() -> dict[str, Any]:
    """Return documents with their digests, bytes (hex) that are none, and whole amendments of a meeting."""
    stage = _stage()
    return {
        "v": 1,
        "accept": [
            {"name": name, "document": made.encode().decode(), "digest": made.digest}
            for name, made in _good(stage)
        ],
        "reject": [
            {"name": name, "document": data.hex(), "code": "AMENDMENT_FORMAT"} for name, data in _bad(stage)
        ],
        "record": stage.meeting.record.decode(),
        "sequence": _sequence(stage),
        "refused": [
            {"name": name, "code": code, "document": made.encode().decode(), "ballot": held}
            for name, code, made, held in _refused(stage)
        ],
    }


def _stage() -> Scene:
    """Return a small roll whose record has neither disputed claims nor exclusions: amendments bring both."""
    return make_scene("2026-amended", 2, motions=[motion("m2"), motion("m1")])


def entitlement(leaf: Leaf) -> Entitlement:
    return Entitlement(leaf.claims, leaf.excluded)


def document(no: int, *changes: Change, **members: Any) -> Amendment:
    ordered = tuple(sorted(changes, key=lambda change: change.sub))
    usual: dict[str, Any] = {
        "mtg": "2026-amended",
        "no": no,
        "at": AT,
        "reason": "法院裁定更正债权表",
        "decision": DECISION,
    }
    return Amendment(**(usual | members), changes=ordered)


def change(stage: Scene, name: str, after: Entitlement | None) -> Change:
    lender = stage.lenders[name]
    return Change(lender.sub, entitlement(stage.leaf(lender)), after)


def overlay_bytes(number: int, lenders: Mapping[str, Amended], meeting: Meeting) -> bytes:
    """Return the record `amendments`, written naively."""

    def side(stands: Entitlement | None) -> list[Any]:
        if stands is None:
            return []
        excluded = [list(motion_indexes(stands.excluded, meeting))] if stands.excluded else []
        return [[list(claim) for claim in claim_indexes(stands.claims, meeting)], *excluded]

    items = [
        [base64url.decode(sub, 16), side(one.before), side(one.after)] for sub, one in sorted(lenders.items())
    ]
    return cbor2.dumps([1, number, items], canonical=True)


def _good(stage: Scene) -> Iterator[tuple[str, Amendment]]:
    little = Entitlement((Claim("individual", 1),))
    yield "one lender's claim", document(1, change(stage, "an", little))
    yield "a lender taken off the roll", document(2, change(stage, "an", None))
    added = Change(random_id("added"), None, little)
    yield "a lender added, of a thousand amendments the last", document(1000, added)
    disputed = Entitlement((Claim("individual", 5, seeded("fixed").hex()),), ("m1", "m2"))
    yield "a disputed claim, excluded from two motions", document(1, change(stage, "bo", disputed))
    yield "several lenders", document(1, change(stage, "an", None), change(stage, "bo", little), added)


def _bad(stage: Scene) -> Iterator[tuple[str, bytes]]:
    little = Entitlement((Claim("individual", 1),))
    good = document(1, change(stage, "an", little), Change(random_id("added"), None, little))
    exact, value = good.encode(), json.loads(good.encode())
    first = value["changes"][0]

    def changed(**members: Any) -> bytes:
        return jcs.dumps(value | members)

    def one(**members: Any) -> bytes:
        return changed(changes=[first | members])

    yield "not JSON", b"amend"
    yield "a line break at the end", exact + b"\n"
    yield "a member twice", b'{"v":1,' + exact[1:]
    yield "another member", changed(title="")
    yield "no decision", jcs.dumps({name: item for name, item in value.items() if name != "decision"})
    yield "version 2", changed(v=2)
    yield "a meeting id in capitals", changed(mtg="Exit")
    yield "the number 0", changed(no=0)
    yield "the number 1001", changed(no=1001)
    yield "no time", changed(at="2026-03-04")
    yield "an empty reason", changed(reason="")
    yield "a reason of 501 characters", changed(reason="更" * 501)
    yield "a reason with a line break", changed(reason="a\nb")
    yield "a decision in capitals", changed(decision=DECISION.upper())
    yield "an empty decision", changed(decision="")
    yield "changes as an object", changed(changes={"an": first})
    yield "no changes", changed(changes=[])
    yield "changes out of order", changed(changes=value["changes"][::-1])
    yield "a lender twice", changed(changes=[first, first])
    many = [
        {"sub": sub, "before": None, "after": little.as_json()}
        for sub in sorted(random_id(f"many {number}") for number in range(1001))
    ]
    yield "1,001 lenders", changed(changes=many)
    yield "a change without before", changed(changes=[{"sub": first["sub"], "after": first["after"]}])
    yield "another member in a change", one(leaf=1)
    yield "no pseudonym", one(sub="an")
    yield "a change that changes nothing", one(after=first["before"])
    yield "nobody in the place of nobody", one(before=None, after=None)
    yield "no claims", one(after={"claims": []})
    yield "after without claims", one(after={})
    yield "after as claims", one(after=first["after"]["claims"])
    yield "a claim of 0 fen", one(after={"claims": [{"class": "individual", "fen": 0}]})
    yield "excluded from nothing", one(after=first["after"] | {"excluded": []})
    yield "excluded out of order", one(after=first["after"] | {"excluded": ["m2", "m1"]})


def held(stage: Scene, lender: Lender, stands: Entitlement | None, **votes: str) -> BallotRecord:
    """Return the ballot of a lender as it counts with what the lender is entitled to.

    Chen's was cast by a proxy whose mandate leaves out m1, whatever amendments say.
    """
    proxied = lender.name == "chen"
    signed = stage.signed(lender, {**stage.votes(), **votes})
    answers = {**signed.ballot.votes, **({"m1": ()} if proxied else {})}
    ballot = BallotRecord(0, 1, ACK_TIME, (), signed.digest, 1, 1, signed.ballot.ses, answers)
    if stands is not None:
        ballot = replace(ballot, claims=stands.claims, excluded=stands.excluded)
    if proxied:
        left_out = tuple(sorted({"m1", *ballot.excluded}))
        return replace(ballot, proxy=random_id("proxy"), excluded=left_out)
    return ballot


def _sequence(stage: Scene) -> dict[str, Any]:
    """Return amendments one after the other, with the ballots cast and what they leave, naively."""
    disputed = Claim("wealth-plan", 9_00, seeded("fixed").hex())
    more = Entitlement((Claim("individual", 2), disputed), ("m2",))
    both = replace(more, excluded=("m1", "m2"))
    only = Entitlement((disputed,))
    little = Entitlement((Claim("individual", 7),))
    added = random_id("added")
    bo, ding = stage.lenders["bo"].sub, stage.lenders["ding"].sub
    steps = [
        document(1, change(stage, "an", little), change(stage, "bo", more), change(stage, "ding", None)),
        document(2, Change(added, None, only), Change(bo, more, only), Change(ding, None, little)),
        document(3, Change(ding, little, None), change(stage, "zeng", None), Change(added, only, more)),
        document(4, change(stage, "chen", both)),
        document(5, Change(stage.lenders["chen"].sub, both, little)),
    ]
    votes = {"an": {"m1": "reject"}, "bo": {}, "ding": {"m1": "abstain"}, "chen": {}}
    stands: dict[str, Entitlement | None] = {leaf.sub: entitlement(leaf) for leaf in stage.leaves}
    frozen, cast = dict(stands), {stage.lenders[name].sub: name for name in votes}

    def ballots() -> dict[str, BallotRecord]:
        return {
            sub: held(stage, stage.lenders[name], stands[sub], **votes[name]) for sub, name in cast.items()
        }

    before = ballots()
    start = {sub: one.encode(stage.meeting).hex() for sub, one in before.items()}
    lenders: dict[str, Amended] = {}
    found = []
    for made in steps:
        for one in made.changes:
            stands[one.sub] = one.after
            lenders[one.sub] = Amended(frozen.get(one.sub), one.after)
        after = ballots()
        named = [one.sub for one in made.changes if one.sub in cast]
        found.append(
            {
                "document": made.encode().decode(),
                "overlay": overlay_bytes(made.no, lenders, stage.meeting).hex(),
                "ballots": {sub: after[sub].encode(stage.meeting).hex() for sub in named},
                "subtotal": _subtotal([before[sub] for sub in named], [after[sub] for sub in named]),
                "roll": _figures(stage.meeting, stands),
            }
        )
        before = after
    return {"ballots": start, "amendments": found}


def _subtotal(before: Sequence[BallotRecord], after: Sequence[BallotRecord]) -> str | None:
    """Return the canonical change from some ballots to others, cell by cell; null where there are none."""
    if not before:
        return None
    cells: dict[tuple[str, ...], dict[str, list[int]]] = {}
    ballots = 0
    for records, sign in ((before, -1), (after, 1)):
        for record in (one for one in records if one.claims):
            ballots += sign
            for place, claims, heads in _places(record):
                lines = [("*", heads, sum(claim.fen for claim in claims))]
                for scope, lenders, fen in lines + [(claim.cls, 1, claim.fen) for claim in claims]:
                    cell = cells.setdefault(place, {}).setdefault(scope, [0, 0])
                    cell[0] += sign * lenders
                    cell[1] += sign * fen
    kept = {
        place: {scope: cell for scope, cell in scopes.items() if cell != [0, 0]}
        for place, scopes in cells.items()
    }
    motions: dict[str, dict[str, Any]] = {}
    for place, scopes in kept.items():
        if len(place) > 1 and scopes:
            motions.setdefault(place[0], {})[place[1]] = scopes
    value = {"v": 1, "ballots": ballots, "present": kept.get(("present",), {}), "motions": motions}
    return jcs.dumps(value).decode()


def _places(record: BallotRecord) -> Iterator[tuple[tuple[str, ...], Sequence[Claim], int]]:
    """Yield where a ballot counts, with which claims and as how many heads (docs/encodings.md)."""
    disputed = [claim for claim in record.claims if claim.decision]
    only = int(len(disputed) == len(record.claims))
    yield ("present",), record.claims, 1
    for name, choice in record.votes.items():
        if name in record.excluded:
            yield (name, "*excluded"), record.claims, 1
            continue
        yield (name, str(choice)), record.claims, 1
        if disputed:
            yield (name, f"{choice}?"), disputed, only
            yield (name, "*present?"), disputed, only


def _figures(meeting: Meeting, stands: Mapping[str, Entitlement | None]) -> dict[str, Any]:
    """Return the roll's figures by going through everybody on it."""
    leaves = [
        Leaf(meeting.mtg, sub, one.claims, bytes(16), one.excluded)
        for sub, one in stands.items()
        if one is not None
    ]
    claims = [claim for leaf in leaves for claim in leaf.claims]
    return {
        "heads": len(leaves),
        "fen": sum(claim.fen for claim in claims),
        "classes": [
            {
                "class": entry.cls,
                "heads": sum(claim.cls == entry.cls for claim in claims),
                "fen": sum(claim.fen for claim in claims if claim.cls == entry.cls),
            }
            for entry in meeting.roll.classes
        ],
        "excluded": [
            {"motion": part.motion, "class": part.cls, "heads": part.heads, "fen": part.fen}
            for part in exclusions_of(leaves)
        ],
        "disputed": [
            {"class": part.cls, "heads": part.heads, "fen": part.fen}
            | ({} if part.motion is None else {"motion": part.motion})
            for part in disputed_of(leaves)
        ],
    }


def _refused(stage: Scene) -> Iterator[tuple[str, str, Amendment, Any]]:
    """Yield amendments that a meeting without any refuses; perhaps a ballot is held: pseudonym and record."""
    little = Entitlement((Claim("individual", 7),))
    an, chen = stage.lenders["an"], stage.lenders["chen"]
    yield "not the next number", "AMENDMENT_FORMAT", document(2, change(stage, "an", little)), None
    bonds, nowhere = Entitlement((Claim("bonds", 7),)), Entitlement(little.claims, ("m3",))
    yield "a class that the record has not", "ROLL_CLASS", document(1, change(stage, "an", bonds)), None
    yield "a motion that the record has not", "ROLL_CLASS", document(1, change(stage, "an", nowhere)), None
    others = document(1, Change(an.sub, little, None))
    ballot = {an.sub: held(stage, an, entitlement(stage.leaf(an))).encode(stage.meeting).hex()}
    yield "other claims than the ballot counts with", "AMENDMENT_CLAIMS", others, ballot
    absent = document(1, Change(an.sub, None, little))
    yield "a lender added who has voted", "AMENDMENT_CLAIMS", absent, ballot
    huge = Entitlement((Claim("enterprise", 2**53 - 1),))
    yield "more than the class has", "AMENDMENT_CLAIMS", document(1, Change(chen.sub, huge, little)), None
    yield "a sum beyond 2^53-1", "AMENDMENT_CLAIMS", document(1, change(stage, "chen", huge)), None
    disputed = Entitlement((Claim("individual", 7, seeded("fixed").hex()),))
    yield "what nobody disputed", "AMENDMENT_CLAIMS", document(1, Change(an.sub, disputed, little)), None
    excluded = Entitlement(little.claims, ("m1",))
    yield (
        "what nobody was excluded from",
        "AMENDMENT_CLAIMS",
        document(1, Change(an.sub, excluded, little)),
        None,
    )
    more = Entitlement((Claim("enterprise", 1),))
    two = document(1, Change(random_id("one"), more, None), Change(random_id("two"), more, None))
    yield "more lenders than the class has", "AMENDMENT_CLAIMS", two, None
