"""Well-formed ballots that are judged: against meeting, roll, door, identity and history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from client.encodings import base64url, es256, jcs
from client.encodings.amendment import Amended, Entitlement
from client.encodings.leaf import Claim, Leaf
from client.encodings.merkle import Tree
from client.encodings.times import parse
from tests.vectors.agency_cases import agency_refused
from tests.vectors.cases import Author, Case
from tests.vectors.scene import CLOSES_AT, OPENS_AT, Scene, certificate_of, seeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OPENS, CLOSES = parse(OPENS_AT), parse(CLOSES_AT)


def reject_cases(scenes: Mapping[str, Scene]) -> Iterator[Case]:
    """Yield every refusal after the form, in the order of the checks."""
    plain = Author(scenes["plain"], scenes["plain"].lenders["bo"])
    yield from _meeting(plain)
    yield from _choices(plain, Author(scenes["revote"], scenes["revote"].lenders["bo"], "revote"))
    yield from _compact(plain, Author(scenes["wide"], scenes["wide"].lenders["bo"], "wide"))
    yield from _leaf(plain)
    yield from _foreign_leaf(plain, scenes["revote"])
    yield from _proof(plain)
    yield from _door(plain)
    yield from _identity(plain)
    yield from _session(plain)
    revote, first, special = (
        Author(scenes[name], scenes[name].lenders[lender], name)
        for name, lender in (("revote", "an"), ("first", "an"), ("special", "bo"))
    )
    yield from _special_leaf(special)
    yield from _agency(plain, special)
    yield from agency_refused(scenes)
    yield from _history(plain, revote, first)
    yield from _order(plain)


def _signed(author: Author, **changes: Any) -> str:
    return author.craft(author.header(), jcs.dumps(author.payload(**changes)))


def _meeting(author: Author) -> Iterator[Case]:
    for name, code, changes in (
        ("another meeting's id", "BALLOT_MEETING", {"mtg": "2026-exit-b"}),
        ("an id that no meeting has", "BALLOT_MEETING", {"mtg": "2026 Exit A"}),
        ("another network's record", "BALLOT_NETWORK", {"mh": base64url.encode(seeded("other"))}),
        ("no hash as mh", "BALLOT_NETWORK", {"mh": "x"}),
        ("another meeting and network", "BALLOT_MEETING", {"mtg": "2026-exit-b", "mh": "x"}),
    ):
        yield author.case(name, _signed(author, **changes), code)


def _choices(author: Author, several: Author) -> Iterator[Case]:
    for name, code, votes in (
        ("an unanswered motion", "CHOICE_MISSING", {"m1": "approve"}),
        ("no vote at all", "CHOICE_MISSING", {}),
        ("an unknown motion in place of one", "CHOICE_MISSING", {"m1": "approve", "m9": "approve"}),
        ("an unknown motion besides", "CHOICE_MOTION", {"m1": "approve", "m2": "reject", "m9": "approve"}),
        ("an unknown motion before a choice", "CHOICE_MOTION", {"m1": "yes", "m2": "reject", "m9": "x"}),
        ("an unknown choice", "CHOICE_UNKNOWN", {"m1": "approve", "m2": "yes"}),
        ("a choice in capitals", "CHOICE_UNKNOWN", {"m1": "Approve", "m2": "reject"}),
        ("an empty choice", "CHOICE_UNKNOWN", {"m1": "", "m2": "reject"}),
        ("an unknown choice before a count", "CHOICE_UNKNOWN", {"m1": ["approve"], "m2": "yes"}),
        ("an array where one is chosen", "CHOICE_COUNT", {"m1": ["approve"], "m2": "reject"}),
        ("two where one is chosen", "CHOICE_COUNT", {"m1": ["approve", "reject"], "m2": "reject"}),
    ):
        yield author.case(name, _signed(author, votes=votes), code)
    for name, code, committee in (
        ("a string where several are chosen", "CHOICE_COUNT", "li-wei"),
        ("nobody chosen", "CHOICE_COUNT", []),
        ("too many chosen", "CHOICE_COUNT", ["li-wei", "wang-fang", "zhang-min", "zhao-lei"]),
        ("unsorted choices", "CHOICE_COUNT", ["wang-fang", "li-wei"]),
        ("a choice twice", "CHOICE_COUNT", ["li-wei", "li-wei"]),
        ("a stranger among the chosen", "CHOICE_UNKNOWN", ["li-wei", "nobody"]),
    ):
        yield several.case(name, _signed(several, votes={"m1": "approve", "committee": committee}), code)
    for name, code, vote in (
        ("compact: one index where several are chosen", "CHOICE_COUNT", 0),
        ("compact: nobody chosen", "CHOICE_COUNT", ()),
        ("compact: too many chosen", "CHOICE_COUNT", (0, 1, 2, 3)),
        ("compact: unsorted choices", "CHOICE_COUNT", (1, 0)),
        ("compact: a choice twice", "CHOICE_COUNT", (0, 0)),
        ("compact: an index out of range among the chosen", "CHOICE_UNKNOWN", (0, 4)),
    ):
        yield several.case(name, replace(several.compact(), votes=(0, vote)), code)


def _compact(author: Author, wide: Author) -> Iterator[Case]:
    entry = author.compact()
    for name, code, changes in (
        ("compact: seq 0", "BALLOT_SEQ", {"seq": 0}),
        ("compact: seq 1001", "BALLOT_SEQ", {"seq": 1001}),
        ("compact: seq 2^64-1", "BALLOT_SEQ", {"seq": 2**64 - 1}),
        ("compact: a time after 9999", "BALLOT_TIME", {"iat": 253_402_300_800}),
        ("compact: seq before time", "BALLOT_SEQ", {"seq": 0, "iat": 2**64 - 1}),
        ("compact: too few votes", "CHOICE_MISSING", {"votes": (0,)}),
        ("compact: no votes", "CHOICE_MISSING", {"votes": ()}),
        ("compact: too many votes", "CHOICE_MOTION", {"votes": (0, 0, 0)}),
        ("compact: an index out of range", "CHOICE_UNKNOWN", {"votes": (0, 3)}),
        ("compact: an array where one is chosen", "CHOICE_COUNT", {"votes": ((0,), 0)}),
        ("compact: no claim", "ROLL_LEAF", {"claims": ()}),
        ("compact: unsorted classes", "ROLL_LEAF", {"claims": entry.claims[::-1]}),
        ("compact: a class twice", "ROLL_LEAF", {"claims": entry.claims[:1] * 2}),
        ("compact: a claim of 0 fen", "ROLL_LEAF", {"claims": ((0, 0), *entry.claims)}),
        ("compact: a claim of 2^53 fen", "ROLL_LEAF", {"claims": ((0, 2**53),)}),
        ("compact: claims of 2^53 fen together", "ROLL_LEAF", {"claims": ((0, 2**53 - 1), (1, 1))}),
        ("compact: an unknown class", "ROLL_CLASS", {"claims": (*entry.claims, (3, 1))}),
        ("compact: another amount", "ROLL_PROOF", {"claims": (entry.claims[0], (2, 1))}),
        ("compact: another salt", "ROLL_PROOF", {"salt": bytes(16)}),
        ("compact: another index", "ROLL_PROOF", {"index": entry.index ^ 1}),
        ("compact: a path cut short", "ROLL_PROOF", {"proof": entry.proof[:-1]}),
        ("compact: early", "BALLOT_EARLY", {"ack_time": OPENS - 1}),
        ("compact: late", "BALLOT_LATE", {"ack_time": CLOSES + 1}),
        ("compact: a vote changed after signing", "SIGNATURE_INVALID", {"votes": (1, 0)}),
        ("compact: a seq changed after signing", "SIGNATURE_INVALID", {"seq": 2}),
        ("compact: a session changed after signing", "SIGNATURE_INVALID", {"ses": bytes(16)}),
        ("compact: a time changed after signing", "SIGNATURE_INVALID", {"iat": entry.iat + 1}),
        ("compact: a signature of zeros", "SIGNATURE_INVALID", {"signature": bytes(64)}),
    ):
        yield author.case(name, replace(entry, **changes), code)
    everyone = tuple(range(80))
    long = replace(wide.compact(), votes=(everyone,))
    yield wide.case("compact: a ballot of more than 3,072 bytes", long, "BALLOT_TOO_LONG")


def _leaf(author: Author) -> Iterator[Case]:
    compact = author.good()
    exact = author.scene.leaf(author.lender).encode()
    value = jcs.loads(exact)
    claims = value["claims"]
    for name, leaf in (
        ("no leaf", b""),
        ("a leaf that is no JSON", b"leaf"),
        ("an array as leaf", b"[]"),
        ("a space in the leaf", exact.replace(b":", b": ", 1)),
        ("a leaf with a member twice", b'{"v":1,' + exact[1:]),
        ("a leaf without salt", jcs.dumps({k: v for k, v in value.items() if k != "salt"})),
        ("a leaf with a name", jcs.dumps(value | {"name": "x"})),
        ("a leaf of version 1", jcs.dumps(value | {"v": 1})),
        ("a leaf with a short salt", jcs.dumps(value | {"salt": value["salt"][:-2]})),
        ("a leaf without claims", jcs.dumps(value | {"claims": []})),
        ("a claim of 0 fen", jcs.dumps(value | {"claims": [claims[0] | {"fen": 0}]})),
        ("a claim of -1 fen", exact.replace(b'"fen":1}', b'"fen":-1}')),
        ("a claim of 1.5 fen", exact.replace(b'"fen":1}', b'"fen":1.5}')),
        ("a claim of 2^53 fen", exact.replace(b'"fen":1}', b'"fen":9007199254740992}')),
        (
            "claims of 2^53 fen together",
            jcs.dumps(value | {"claims": [claims[0] | {"fen": 2**53 - 1}, claims[1]]}),
        ),
        ("a claim as a string", jcs.dumps(value | {"claims": [claims[0] | {"fen": "1"}]})),
        ("unsorted classes", jcs.dumps(value | {"claims": claims[::-1]})),
        ("a class twice", jcs.dumps(value | {"claims": [claims[0], claims[0]]})),
        ("a class with a capital", jcs.dumps(value | {"claims": [claims[0] | {"class": "Individual"}]})),
        ("a claim with a note", jcs.dumps(value | {"claims": [claims[0] | {"note": ""}]})),
    ):
        yield author.case(name, author.raw(compact, leaf=leaf), "ROLL_LEAF")


def _foreign_leaf(author: Author, other: Scene) -> Iterator[Case]:
    compact, lender = author.good(), author.lender
    neighbour = author.scene.lenders["an"]
    yield author.case(
        "another lender's leaf and proof",
        author.raw(
            compact,
            leaf=author.scene.leaf(neighbour).encode(),
            index=author.scene.index(neighbour),
            proof=author.scene.proof(neighbour),
        ),
        "ROLL_LEAF_FOREIGN",
    )
    yield author.case(
        "the lender's leaf of another meeting",
        author.raw(compact, leaf=other.leaf(lender).encode(), index=other.index(lender)),
        "ROLL_LEAF_FOREIGN",
    )
    salt = author.scene.leaf(lender).salt
    stranger = Leaf(author.scene.meeting.mtg, lender.sub, (Claim("bondholder", 1),), salt)
    yield author.case(
        "a class that the meeting doesn't have", author.raw(compact, leaf=stranger.encode()), "ROLL_CLASS"
    )


def _proof(author: Author) -> Iterator[Case]:
    compact, lender, scene = author.good(), author.lender, author.scene
    leaf, index, proof = scene.leaf(lender), scene.index(lender), scene.proof(lender)
    heavier = replace(leaf, claims=(replace(leaf.claims[0], fen=10**12), leaf.claims[1]))
    forged = Tree([heavier.hash(), *(seeded("forged", n) for n in range(3))])
    flipped = (bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:])
    for name, changes in (
        ("a re-weighted leaf", {"leaf": heavier.encode()}),
        ("a forged run", {"leaf": heavier.encode(), "index": index & ~3, "proof": forged.path(0)}),
        ("a bit flipped in the path", {"proof": flipped}),
        ("the path in reverse", {"proof": proof[::-1]}),
        ("a path cut short", {"proof": proof[:-1]}),
        ("an empty path", {"proof": ()}),
        ("the whole path to the root", {"proof": scene.tree.path(index)}),
        ("the neighbour's index", {"index": index ^ 1}),
        ("another run's index", {"index": index ^ 4}),
        ("an index beyond the roll", {"index": scene.meeting.roll.size}),
        ("an index of 2^64-1", {"index": 2**64 - 1}),
        ("another salt", {"leaf": replace(leaf, salt=bytes(16)).encode()}),
    ):
        yield author.case(name, author.raw(compact, **changes), "ROLL_PROOF")


def _door(author: Author) -> Iterator[Case]:
    compact = author.good()
    for name, code, ack_time in (
        ("acknowledged a second before opening", "BALLOT_EARLY", OPENS - 1),
        ("acknowledged in 1970", "BALLOT_EARLY", 0),
        ("acknowledged a second after closing", "BALLOT_LATE", CLOSES + 1),
        ("acknowledged at the end of time", "BALLOT_LATE", 2**64 - 1),
    ):
        yield author.case(name, author.raw(compact, ack_time=ack_time), code)


def _identity(author: Author) -> Iterator[Case]:
    compact, lender = author.good(), author.lender
    foreign = lender.enrolment(institution="InstitutionBMSP")
    yield author.case("another institution's lender", compact, "ENROLMENT_FOREIGN", enrolment=foreign)
    revoked = lender.enrolment(status="revoked", rev=2, reason="lost")
    yield author.case("a revoked key", compact, "KEY_REVOKED", enrolment=revoked)
    yield author.case("a revoked key, compact", author.compact(), "KEY_REVOKED", enrolment=revoked)
    renewed = certificate_of("bo renewed", lender.sub, "lender-ca")
    newer = replace(lender, name="bo renewed", certificate=renewed)
    enrolment = lender.enrolment(certificate=renewed, x5t=newer.x5t, rev=3)
    yield author.case("the key before the renewed one", compact, "KEY_FOREIGN", enrolment=enrolment)
    yield author.case(
        "the key before the renewed one, compact", author.compact(), "SIGNATURE_INVALID", enrolment=enrolment
    )
    stranger = Author(author.scene, replace(author.scene.lenders["an"], sub=lender.sub, claims=lender.claims))
    yield author.case(
        "another lender's key under its own thumbprint",
        author.raw(stranger.craft(stranger.header(), jcs.dumps(author.payload()))),
        "KEY_FOREIGN",
    )
    yield author.case(
        "another lender's key under the enrolled thumbprint",
        author.raw(stranger.craft(author.header(), jcs.dumps(author.payload()))),
        "SIGNATURE_INVALID",
    )
    for name, signature in _bad_signatures(author):
        head, payload, _ = compact.split(".")
        yield author.case(name, f"{head}.{payload}.{base64url.encode(signature)}", "SIGNATURE_INVALID")


def _bad_signatures(author: Author) -> Iterator[tuple[str, bytes]]:
    signature = author.scene.signed(author.lender).jws.signature
    r, s = signature[:32], signature[32:]
    order = es256.ORDER.to_bytes(32, "big")
    yield "a signature over something else", es256.sign(author.lender.key, b"something else")
    yield "a bit flipped in the signature", r + bytes([s[0] ^ 1]) + s[1:]
    yield "r and s exchanged", s + r
    yield "r and s zero", bytes(64)
    yield "r zero", bytes(32) + s
    yield "s zero", r + bytes(32)
    yield "s equal to the order", r + order
    yield "r and s all ones", b"\xff" * 64


def _session(author: Author) -> Iterator[Case]:
    compact, lender, scene = author.good(), author.lender, author.scene
    other = scene.lenders["an"]
    mistakes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("another lender's session", "SESSION_FOREIGN_LENDER", {"sub": other.sub}),
        ("a session for another meeting", "SESSION_FOREIGN_MEETING", {"mtg": "2026-exit-b"}),
        (
            "a session for a meeting of this id at another institution",
            "SESSION_FOREIGN_MEETING",
            {"institution": "InstitutionBMSP"},
        ),
        ("a session with another key", "SESSION_FOREIGN_KEY", {"x5t": other.x5t}),
        ("a method that the meeting doesn't allow", "SESSION_METHOD", {"method": "voice-v1"}),
        ("a session not passed", "SESSION_OUTCOME", {"outcome": "reject"}),
        ("a session under review", "SESSION_OUTCOME", {"outcome": "review"}),
        ("a session that expired a second before", "SESSION_EXPIRED", {"expires_at": "2026-03-03T08:29:59Z"}),
        (
            "another lender's session for another meeting",
            "SESSION_FOREIGN_LENDER",
            {"sub": other.sub, "mtg": "2026-exit-b", "x5t": other.x5t, "outcome": "reject"},
        ),
        ("a failed session by another method", "SESSION_METHOD", {"method": "voice-v1", "outcome": "reject"}),
    )
    for name, code, changes in mistakes:
        yield author.case(name, compact, code, session=scene.session(lender, **changes))


def _history(plain: Author, revote: Author, first: Author) -> Iterator[Case]:
    yield plain.case("another ballot with the same seq", plain.good(), "SEQ_EQUIVOCATION", held=plain.held(1))
    yield plain.case("a ballot behind the one held", plain.good(), "SEQ_STALE", held=plain.held(2))
    yield plain.case(
        "a second ballot where none is allowed",
        plain.good(2),
        "REVOTE_NOT_ALLOWED",
        seq=2,
        held=plain.held(1),
    )
    yield first.case(
        "first: a second ballot where the first counts",
        first.compact(2),
        "FIRST_STANDS",
        seq=2,
        held=first.held(1),
    )
    yield first.case(
        "first: the session of the first ballot, where the first counts",
        first.good(2),
        "FIRST_STANDS",
        seq=2,
        held=first.held(1, session=2),
    )
    other = base64url.encode(seeded("another digest"))
    yield revote.case(
        "revote: another ballot with the same seq",
        revote.compact(3),
        "SEQ_EQUIVOCATION",
        seq=3,
        held=revote.held(3),
    )
    yield revote.case("revote: a stale ballot", revote.compact(2), "SEQ_STALE", seq=2, held=revote.held(3))
    yield revote.case(
        "revote: the session of the ballot held",
        revote.compact(2),
        "SESSION_USED",
        seq=2,
        held=revote.held(1, session=2),
    )
    yield revote.case(
        "revote: the session of a ballot replaced since",
        revote.compact(5),
        "SESSION_USED",
        seq=5,
        held=revote.held(4),
        session_used=other,
    )


def _agency(plain: Author, special: Author) -> Iterator[Case]:
    prx = seeded("mandate")
    signed = _signed(plain, prx=base64url.encode(prx))
    yield plain.case("by proxy where the meeting takes none", signed, "MANDATE_SCOPE")
    yield plain.case(
        "compact: by proxy where the meeting takes none", plain.compact(prx=prx), "MANDATE_SCOPE"
    )
    yield plain.case("by proxy, nothing known", signed, "MANDATE_SCOPE", enrolment=None, session=None)
    yield plain.case(
        "amended: a lender whom no amendment names", plain.amended(), "ROLL_PROOF", enrolment=None
    )
    gone = Amended(Entitlement(plain.lender.claims), None)
    for kind, entry in (
        ("amended", plain.amended()),
        ("compact", plain.compact()),
        ("raw", plain.raw(plain.good())),
    ):
        name = f"{kind}: a lender whom an amendment took off the roll"
        yield plain.case(name, entry, "ROLL_PROOF", amended=gone)
    nothing = plain.raw(plain.good(), leaf=b"", index=0, proof=())
    yield plain.case("raw, with an empty leaf: a lender whom no amendment names", nothing, "ROLL_LEAF")
    yield special.case(
        "amended: by proxy, a lender whom no amendment names", special.amended(prx=prx), "ROLL_PROOF"
    )


def _special_leaf(author: Author) -> Iterator[Case]:
    """Yield changed leaves of a lender with a disputed claim, excluded from a motion."""
    entry = author.compact()
    (plain_claim, (cls, fen, *_)), elsewhere = entry.claims, (0, 2)
    for name, code, changes in (
        ("another decision", "ROLL_PROOF", {"claims": (plain_claim, (cls, fen, seeded("other")))}),
        ("a disputed claim as an undisputed one", "ROLL_PROOF", {"claims": (plain_claim, (cls, fen))}),
        ("another motion excluded", "ROLL_PROOF", {"excluded": (1,)}),
        ("no motion excluded", "ROLL_PROOF", {"excluded": ()}),
        ("motions excluded out of order", "ROLL_LEAF", {"excluded": elsewhere[::-1]}),
        ("a motion excluded twice", "ROLL_LEAF", {"excluded": (0, 0)}),
        ("an unknown motion excluded", "ROLL_CLASS", {"excluded": (3,)}),
    ):
        yield author.case(f"special: {name}", replace(entry, **changes), code)
    exact = author.scene.leaf(author.lender)
    stranger = replace(exact, excluded=("m9",))
    yield author.case(
        "special: a motion that the meeting doesn't have",
        author.raw(author.good(), leaf=stranger.encode()),
        "ROLL_CLASS",
    )
    acting = author.scene.session(author.lender, act=author.scene.lenders["an"].sub)
    yield author.case(
        "special: a session for another's ballot", author.good(), "SESSION_FOREIGN_LENDER", session=acting
    )


def _order(author: Author) -> Iterator[Case]:
    """Yield entries with several faults: the first check decides."""
    lender, scene = author.lender, author.scene
    revoked = lender.enrolment(status="revoked", rev=2)
    expired = scene.session(lender, expires_at="2026-03-03T08:26:00Z")
    bad = author.craft(author.header(), jcs.dumps(author.payload()), bytes(64))
    late = author.raw(bad, ack_time=CLOSES + 1)
    everything: dict[str, Any] = {"enrolment": revoked, "session": expired, "held": author.held(1)}
    yield author.case("a bad path, late, revoked", replace(late, proof=()), "ROLL_PROOF", **everything)
    yield author.case("late, revoked, not signed", late, "BALLOT_LATE", **everything)
    yield author.case("revoked, not signed", bad, "KEY_REVOKED", **everything)
    yield author.case("late with nothing known", late, "BALLOT_LATE", enrolment=None, session=None)
    yield author.case("not signed, without a session", bad, "SIGNATURE_INVALID", session=None)
    yield author.case(
        "expired, and equivocating",
        author.good(),
        "SESSION_EXPIRED",
        session=expired,
        held=author.held(1),
    )
    own = author.held(1, scene.signed(lender).digest)
    yield author.case("the ballot held, with a forged signature", bad, "SIGNATURE_INVALID", held=own)
