"""A Hypothesis strategy per type of the encodings."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from hypothesis import strategies as st

from client.encodings import base64url, times
from client.encodings.acknowledgement import Acknowledgement
from client.encodings.ballot import Ballot, Vote
from client.encodings.batch import AmendedEntry, CompactEntry, RawEntry
from client.encodings.ids import MAX_INTEGER
from client.encodings.leaf import Claim, Leaf
from client.encodings.meeting import Meeting, meeting_from_json
from client.encodings.records import Session
from client.encodings.step import STATES, Step
from client.rolls.claims import Holder
from client.rolls.person import Person
from tests.vectors.scene import OPENS_AT, Scene, make_scene, motion, record, seeded

if TYPE_CHECKING:
    from client.encodings.step import To

names = st.from_regex(re.compile(r"[a-z0-9-]{1,40}", re.ASCII), fullmatch=True)
classes = names.filter(lambda name: name not in ("all", "each"))
motion_ids = st.from_regex(re.compile(r"[a-z0-9-]{1,20}", re.ASCII), fullmatch=True)
msps = st.from_regex(re.compile(r"[A-Za-z][A-Za-z0-9]{0,20}MSP", re.ASCII), fullmatch=True)
random_ids = st.binary(min_size=16, max_size=16).map(base64url.encode)
hashes = st.binary(min_size=32, max_size=32)
digests = hashes.map(base64url.encode)
seconds = st.integers(0, times.MAX_SECONDS)
moments = seconds.map(times.form)
counts = st.integers(0, MAX_INTEGER)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), counts, st.text(st.characters(codec="utf-8"))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def claims(draw: st.DrawFn) -> tuple[Claim, ...]:
    """Draw a lender's claims: sorted, one a class, together below 2^53."""
    found = draw(st.sets(classes, min_size=1, max_size=5))
    return tuple(Claim(name, draw(st.integers(1, MAX_INTEGER // 8))) for name in sorted(found))


@st.composite
def disputed_claims(draw: st.DrawFn) -> tuple[Claim, ...]:
    """Draw claims of which some are disputed."""
    decisions = st.one_of(st.just(""), hashes.map(bytes.hex))
    return tuple(replace(claim, decision=draw(decisions)) for claim in draw(claims()))


leaves = st.builds(
    Leaf,
    names,
    random_ids,
    disputed_claims(),
    st.binary(min_size=16, max_size=16),
    st.sets(motion_ids, max_size=3).map(lambda found: tuple(sorted(found))),
)


@st.composite
def votes(draw: st.DrawFn) -> dict[str, Vote]:
    """Draw votes of a legal form on any motions."""
    several = st.sets(names, max_size=4).map(lambda chosen: tuple(sorted(chosen)))
    return draw(st.dictionaries(motion_ids, st.one_of(names, several), max_size=5))


ballots = st.builds(
    Ballot,
    mh=digests,
    mtg=names,
    sub=random_ids,
    seq=st.integers(1, 1000),
    ses=random_ids,
    iat=moments,
    votes=votes(),
    prx=st.one_of(st.none(), digests),
)

acknowledgements = st.builds(
    Acknowledgement,
    mh=digests,
    mtg=names,
    digest=digests,
    door=msps,
    no=st.integers(1, MAX_INTEGER),
    time=moments,
)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Draw a step with what its state needs."""
    to = draw(st.sampled_from(STATES))
    closing = to == "closed"
    return Step(
        cast("To", to),
        draw(moments),
        draw(texts) if to == "void" else None,
        draw(counts) if closing else None,
        draw(counts) if closing else None,
    )


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    """Draw a session record."""
    issued, expires = sorted(draw(st.sets(seconds, min_size=2, max_size=2)))
    sub = draw(random_ids)
    return Session(
        ses=draw(random_ids),
        sub=sub,
        x5t=draw(digests),
        institution=draw(msps),
        mtg=draw(names),
        method=draw(names),
        outcome=draw(st.sampled_from(["accept", "retry", "review", "reject"])),
        commitment=draw(digests),
        issued_at=times.form(issued),
        expires_at=times.form(expires),
        act=draw(st.one_of(st.none(), random_ids.filter(lambda act: act != sub))),
    )


uints = st.integers(0, 2**64 - 1)
proofs = st.lists(hashes, max_size=7).map(tuple)

_rebuilt: dict[str, st.SearchStrategy[Any]] = {
    "sub": st.binary(min_size=16, max_size=16),
    "seq": uints,
    "ses": st.binary(min_size=16, max_size=16),
    "iat": uints,
    "votes": st.lists(st.one_of(uints, st.lists(uints, max_size=3).map(tuple)), max_size=5).map(tuple),
    "signature": st.binary(min_size=64, max_size=64),
    "ack_no": st.integers(1, MAX_INTEGER),
    "ack_time": uints,
    "prx": st.one_of(st.none(), hashes),
}
compact_entries = st.builds(
    CompactEntry,
    **_rebuilt,
    index=uints,
    salt=st.binary(min_size=16, max_size=16),
    claims=st.lists(st.one_of(st.tuples(uints, uints), st.tuples(uints, uints, hashes)), max_size=4).map(
        tuple
    ),
    proof=proofs,
    excluded=st.lists(uints, max_size=3).map(tuple),
)
amended_entries = st.builds(AmendedEntry, **_rebuilt)
raw_entries = st.builds(
    RawEntry,
    jws=st.text(st.characters(codec="utf-8"), max_size=200),
    leaf=st.binary(max_size=200),
    index=uints,
    proof=proofs,
    ack_no=st.integers(1, MAX_INTEGER),
    ack_time=uints,
)
entries = st.one_of(compact_entries, raw_entries, amended_entries)


@cache
def small_scene() -> Scene:
    """Return a meeting with a small roll, whose lenders' keys are at hand."""
    members = [f"member-{number}" for number in range(6)]
    rules = motion("m1")["rules"] | {"yes": ["member-0"], "abstain": []}
    board = motion("board", choices=members, max_choices=4, rules=rules)
    return make_scene("small", 6, revote="last", motions=[motion("m1"), board, motion("m2")])


@st.composite
def legal_votes(draw: st.DrawFn, meeting: Meeting) -> dict[str, Vote]:
    """Draw a legal answer to a meeting's motions."""
    answers: dict[str, Vote] = {}
    for item in meeting.motions:
        if item.max_choices == 1:
            answers[item.id] = draw(st.sampled_from(item.choices))
        else:
            chosen = draw(st.sets(st.sampled_from(item.choices), min_size=1, max_size=item.max_choices))
            answers[item.id] = tuple(sorted(chosen))
    return answers


@st.composite
def meetings(draw: st.DrawFn) -> Meeting:
    """Draw a valid meeting with its roll's figures, motions and rules."""
    subs = sorted(draw(st.sets(random_ids, min_size=1, max_size=6)))
    mtg = draw(names)
    roll = [Leaf(mtg, sub, draw(claims()), seeded(sub)[:16]) for sub in subs]
    opens, closes, objections = sorted(
        draw(st.sets(st.integers(times.parse(OPENS_AT), times.MAX_SECONDS), min_size=3, max_size=3))
    )
    return meeting_from_json(
        record(
            mtg,
            roll,
            title=draw(texts),
            motions=[draw(motions(name)) for name in draw(st.sets(motion_ids, min_size=1, max_size=4))],
            revote=draw(st.sampled_from(["none", "last", "first"])),
            proxies=draw(st.booleans()),
            methods=sorted(draw(st.sets(names, min_size=1, max_size=3))),
            opens_at=times.form(opens),
            closes_at=times.form(closes),
            objections_until=times.form(objections),
        )
    )


@st.composite
def motions(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Draw a motion with rules over the whole roll."""
    choices = draw(st.lists(names, min_size=2, max_size=6, unique=True))
    middle = draw(st.integers(1, len(choices)))
    lower, upper = sorted(draw(st.tuples(st.integers(1, 1000), st.integers(1, 1000))))
    test = {
        "name": "test",
        "scope": "all",
        "count": draw(st.sampled_from(["yes", "present", "voted"])),
        "base": draw(st.sampled_from(["eligible", "present", "voted"])),
        "unit": draw(st.sampled_from(["heads", "fen"])),
        "comparator": draw(st.sampled_from([">", ">="])),
        "fraction": [lower, upper],
    }
    return {
        "id": name,
        "kind": "resolution",
        "title": draw(texts),
        "choices": choices,
        "max_choices": draw(st.integers(1, len(choices))),
        "rules": {
            "profile": draw(names),
            "yes": choices[:middle],
            "abstain": draw(st.sampled_from([[], choices[middle:]])),
            "tests": [test],
        },
    }


people = st.builds(
    Person,
    name=st.text(st.characters(codec="gb18030", categories=["Lo", "L", "Nd"]), min_size=1, max_size=20).map(
        lambda text: unicodedata.normalize("NFC", text)
    ),
    id_type=st.sampled_from(["passport", "travel-permit", "other"]),
    id_no=st.from_regex(re.compile(r"[0-9A-Z]{4,40}", re.ASCII), fullmatch=True),
    phone=st.sampled_from(["", "10000000001", "+86 100 0000 0002"]),
    email=st.sampled_from(["", "lender@example.org"]),
)
holders = st.lists(
    st.builds(Holder, people, claims()), min_size=1, max_size=8, unique_by=lambda h: h.person.document
)
