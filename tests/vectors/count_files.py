"""rules.json: ballots counted under rules, to the subtotal and the result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from auditor.rules import Change, CountedBallot, result_bytes, tally
from client.encodings import jcs
from client.encodings.ballot import votes_json
from client.encodings.leaf import Claim, claims_json
from client.encodings.meeting import Meeting, meeting_from_json
from tests.vectors.scene import TWO_THIRDS, election, motion, scenes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from client.encodings.ballot import Vote


def rules() -> dict[str, Any]:
    """Return the file's value."""
    return {"v": 1, "vectors": [_vector(*item) for item in _tallies()]}


Cast = tuple[tuple[Claim, ...], "Mapping[str, Vote]", "Mapping[str, Vote] | None"]
"""Claims, votes, and the votes that they replace. Whoever has a class of OUTSIDERS is excluded from m1."""

OUTSIDERS = frozenset({"insider"})


def _excluded(claims: tuple[Claim, ...]) -> tuple[str, ...]:
    return ("m1",) if any(claim.cls in OUTSIDERS for claim in claims) else ()


def _vector(name: str, meeting: Meeting, cast: list[Cast]) -> dict[str, Any]:
    whole, revotes = Change(meeting), Change(meeting)
    standing: list[CountedBallot] = []
    ballots = []
    for claims, votes, replaces in cast:
        excluded = _excluded(claims)
        ballot = CountedBallot(claims, votes, excluded)
        before = None if replaces is None else CountedBallot(claims, replaces, excluded)
        whole.add(ballot, before)
        if before is not None:
            revotes.add(ballot, before)
            standing.remove(before)
        standing.append(ballot)
        ballots.append(
            {
                "claims": claims_json(claims),
                "excluded": list(excluded),
                "votes": votes_json(votes),
                "replaces": votes_json(replaces) if replaces is not None else None,
            }
        )
    return {
        "name": name,
        "record": meeting.record.decode(),
        "ballots": ballots,
        "subtotal": whole.encode().decode(),
        "revotes": revotes.encode().decode(),
        "result": result_bytes(meeting, tally(meeting, standing)).decode(),
    }


def _test(
    count: str, base: str, unit: str, comparator: str, fraction: tuple[int, int], *, scope: str = "all"
) -> dict[str, Any]:
    return {
        "name": f"{count}-{base}-{unit}-{scope}"[:40],
        "scope": scope,
        "count": count,
        "base": base,
        "unit": unit,
        "comparator": comparator,
        "fraction": list(fraction),
    }


def _meeting(**rules: Any) -> Meeting:
    base = json.loads(scenes()["revote"].meeting.record)
    base["motions"] = [motion("m1", rules=TWO_THIRDS | rules)]
    base["roll"] |= {
        "size": 6,
        "heads": 6,
        "fen": 600,
        "classes": [
            {"class": "enterprise", "heads": 2, "fen": 200},
            {"class": "individual", "heads": 5, "fen": 400},
        ],
    }
    return meeting_from_json(json.loads(jcs.dumps(base)))


ONE = (Claim("individual", 100),)
BOTH = (Claim("enterprise", 50), Claim("individual", 100))
FIRM = (Claim("enterprise", 150),)


def _cast(*choices: str, claims: tuple[Claim, ...] = ONE) -> list[Cast]:
    return [(claims, {"m1": choice}, None) for choice in choices]


def _tallies() -> Iterator[tuple[str, Meeting, list[Cast]]]:
    exit_rules = _meeting()
    yield "nobody votes", exit_rules, []
    yield "everybody in favour", exit_rules, _cast("approve", "approve", "approve", "approve")
    yield (
        "half of the heads is not more than half",
        exit_rules,
        _cast("approve", "approve", "reject", "reject"),
    )
    yield "participation short by one lender", exit_rules, _cast("approve", "approve", "approve")
    yield "abstaining is presence, not a vote", exit_rules, _cast("approve", "abstain", "abstain", "abstain")
    yield "everybody abstains", exit_rules, _cast("abstain", "abstain", "abstain", "abstain")
    yield (
        "claims in two classes are one head",
        exit_rules,
        [*_cast("approve", claims=BOTH), *_cast("reject"), *_cast("approve", claims=FIRM)],
    )
    exact = _meeting(tests=[_test("yes", "eligible", "fen", ">=", (2, 3))])
    yield "exactly two thirds with >=", exact, _cast("approve", "approve", "approve", "approve")
    above = _meeting(tests=[_test("yes", "eligible", "fen", ">", (2, 3))])
    yield "exactly two thirds with >", above, _cast("approve", "approve", "approve", "approve")
    classes = _meeting(
        tests=[
            _test("yes", "present", "heads", ">", (1, 2), scope="enterprise"),
            _test("yes", "eligible", "fen", ">=", (2, 3), scope="enterprise"),
            _test("yes", "present", "heads", ">", (1, 2), scope="individual"),
        ]
    )
    yield "every class passes", classes, [*_cast("approve", claims=FIRM), *_cast("approve", "approve")]
    yield "one class fails", classes, [*_cast("reject", claims=FIRM), *_cast("approve", "approve")]
    yield "a class is absent", classes, _cast("approve", "approve")
    voted = _meeting(tests=[_test("voted", "present", "heads", ">=", (1, 1))], abstain=["abstain", "reject"])
    yield "two choices abstain", voted, _cast("approve", "reject")
    revote: list[Cast] = [
        *_cast("approve", "approve", "reject", "approve"),
        (ONE, {"m1": "reject"}, {"m1": "approve"}),
        (BOTH, {"m1": "approve"}, None),
        (BOTH, {"m1": "abstain"}, {"m1": "approve"}),
    ]
    yield "revotes", exit_rules, revote
    yield (
        "a revote for the same choice",
        exit_rules,
        [*_cast("approve"), (ONE, {"m1": "approve"}, {"m1": "approve"})],
    )
    yield "a committee", scenes()["revote"].meeting, _committee()
    yield from _parts()
    yield from _elections()
    yield "the largest amounts", _rich(), _cast("approve", claims=(Claim("individual", 2**53 - 2),))


DECISION = "ab" * 32
SHAKY = (Claim("individual", 100, DECISION),)
MIXED = (Claim("enterprise", 50, DECISION), Claim("individual", 100))
INSIDER = (Claim("insider", 300),)
SHAKY_INSIDER = (Claim("insider", 100, DECISION),)

_CLASSES: Any = [
    {"class": "enterprise", "heads": 2, "fen": 200},
    {"class": "individual", "heads": 5, "fen": 500},
    {"class": "insider", "heads": 2, "fen": 400},
]
_EXCLUDED: Any = [
    {"motion": "m1", "class": "*", "heads": 2, "fen": 400},
    {"motion": "m1", "class": "insider", "heads": 2, "fen": 400},
]
_DISPUTED: Any = [
    {"class": "*", "heads": 3, "fen": 350},
    {"class": "enterprise", "heads": 1, "fen": 50},
    {"class": "individual", "heads": 2, "fen": 200},
    {"class": "insider", "heads": 1, "fen": 100},
    {"motion": "m1", "class": "*", "heads": 1, "fen": 100},
    {"motion": "m1", "class": "insider", "heads": 1, "fen": 100},
]


def _parted(motions: list[dict[str, Any]], **roll: Any) -> Meeting:
    """A roll of eight lenders of whom two are insiders; what else it says of them is `roll`."""
    base = json.loads(scenes()["revote"].meeting.record)
    base["motions"] = motions
    base["roll"] |= {"size": 8, "heads": 8, "fen": 1100, "classes": _CLASSES} | roll
    return meeting_from_json(json.loads(jcs.dumps(base)))


def _parts() -> Iterator[tuple[str, Meeting, list[Cast]]]:
    """Counts of no, each class, exclusions, disputed claims."""
    against = _meeting(tests=[_test("no", "voted", "heads", ">=", (1, 3))])
    yield "a count of no", against, _cast("approve", "approve", "reject", "abstain")
    yield "a count of no falls short", against, _cast("approve", "approve", "approve", "reject")
    each = _meeting(tests=[_test("yes", "voted", "fen", ">=", (3, 4), scope="each")])
    yield "each class passes", each, [*_cast("approve", claims=FIRM), *_cast("approve", "approve")]
    yield (
        "each class, and one fails",
        each,
        [*_cast("reject", claims=FIRM), *_cast("approve", "approve", "approve")],
    )
    yield "each class, and one is absent", each, _cast("approve", "approve", "approve")
    half = [_test("yes", "eligible", "fen", ">", (1, 2)), _test("yes", "present", "heads", ">", (1, 2))]
    every = [_test("yes", "present", "fen", ">=", (2, 3), scope="each")]
    connected = _parted(
        [motion("m1", rules=TWO_THIRDS | {"tests": half + every})], excluded=_EXCLUDED, disputed=[]
    )
    yield (
        "a connected party is not asked",
        connected,
        [*_cast("reject", claims=INSIDER), *_cast("approve", "approve", "approve", claims=BOTH)],
    )
    yield (
        "a connected party votes again",
        connected,
        [
            *_cast("reject", claims=INSIDER),
            (INSIDER, {"m1": "approve"}, {"m1": "reject"}),
            *_cast("approve"),
        ],
    )
    shaky = _parted(
        [motion("m1", rules=TWO_THIRDS | {"tests": half})], excluded=_EXCLUDED, disputed=_DISPUTED
    )
    yield (
        "disputed claims tip it",
        shaky,
        [*_cast("approve", "approve", claims=SHAKY), *_cast("approve", claims=MIXED), *_cast("reject")],
    )
    yield "disputed claims change nothing", shaky, [*_cast("approve", claims=SHAKY), *_cast("reject")]
    yield (
        "disputed claims stop it",
        shaky,
        [*_cast("reject", "reject", claims=SHAKY), *_cast("approve", "approve", "approve")],
    )
    yield (
        "a disputed claim of a connected party",
        shaky,
        [*_cast("reject", claims=SHAKY_INSIDER), *_cast("approve", "approve", "approve")],
    )
    yield (
        "a disputed claim is voted again",
        shaky,
        [*_cast("approve", claims=MIXED), (MIXED, {"m1": "reject"}, {"m1": "approve"})],
    )
    yield "only disputed claims are present", shaky, _cast("approve", "abstain", claims=SHAKY)


def _elections() -> Iterator[tuple[str, Meeting, list[Cast]]]:
    """Two seats for three candidates, of whom a lender may choose two."""
    majority = {"tests": [_test("yes", "voted", "heads", ">=", (1, 3))], "abstain": ["none"]}
    rules = {"profile": "board", "yes": [], **majority}

    def board(**changes: Any) -> Meeting:
        named = election(["ann", "ben", "cai"], 2) | {"id": "m1", "rules": rules} | changes
        return _parted([named], excluded=_EXCLUDED, disputed=[])

    def votes(*picked: tuple[str, ...], claims: tuple[Claim, ...] = ONE) -> list[Cast]:
        return [(claims, {"m1": choices}, None) for choices in picked]

    by_heads = board(by="heads", tie="unfilled")
    clear = votes(("ann", "ben"), ("ann", "ben"), ("ann", "cai"), ("none",))
    yield "two are elected by heads", by_heads, clear
    level = votes(("ann", "ben"), ("ann", "cai"))
    yield "equals at the last seat leave it empty", by_heads, level
    yield "three equals for two seats", by_heads, votes(("ann", "ben"), ("ben", "cai"), ("ann", "cai"))
    yield "equals both get a seat", by_heads, votes(("ann", "cai"), ("ann", "cai"), ("cai", "ben"), ("ann",))
    yield "too few pass", by_heads, votes(("ann",), ("ann",), ("ann", "none"), ("ben",), ("none",))
    yield "nobody is elected", by_heads, votes(("none",), ("none",))
    parting = [*level, *votes(("cai",), claims=FIRM), *votes(("ben",))]
    yield "fen part equals by heads", board(by="heads", tie="fen"), parting
    yield "fen don't part equals by heads", board(by="heads", tie="fen"), level
    richer = [*votes(("cai",), claims=FIRM), *votes(("ann", "ben"), ("ann", "ben"))]
    yield "ranked by fen", board(by="fen", tie="heads"), richer
    yield "a connected party elects nobody", by_heads, [*clear, *votes(("cai",), claims=INSIDER)]
    yield (
        "disputed claims seat one",
        _parted(
            [election(["ann", "ben", "cai"], 2) | {"id": "m1", "by": "heads", "rules": rules}],
            excluded=_EXCLUDED,
            disputed=_DISPUTED,
        ),
        [*votes(("ann", "ben"), ("ann",)), *votes(("ben", "cai"), ("cai",), claims=SHAKY)],
    )
    single = board(max_choices=1, seats=1)
    yield "one of three", single, [(ONE, {"m1": name}, None) for name in ("ann", "ann", "ben", "none")]


def _committee() -> list[Cast]:
    return [
        (BOTH, {"m1": "approve", "committee": ("li-wei", "zhang-min")}, None),
        (ONE, {"m1": "reject", "committee": ("zhang-min",)}, None),
        (FIRM, {"m1": "abstain", "committee": ("li-wei", "wang-fang", "zhao-lei")}, None),
        (ONE, {"m1": "approve", "committee": ("li-wei",)}, {"m1": "reject", "committee": ("zhang-min",)}),
    ]


def _rich() -> Meeting:
    base = json.loads(scenes()["revote"].meeting.record)
    test = _test("yes", "eligible", "fen", ">=", (2**53 - 2, 2**53 - 1))
    base["motions"] = [motion("m1", rules=TWO_THIRDS | {"tests": [test]})]
    base["roll"] |= {
        "size": 2,
        "heads": 2,
        "fen": 2**53 - 1,
        "classes": [{"class": "individual", "heads": 2, "fen": 2**53 - 1}],
    }
    return meeting_from_json(base)
