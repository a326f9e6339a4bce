"""rules.json: ballots counted under rules, to the subtotal and the result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from client.encodings import jcs
from client.encodings.ballot import votes_json
from client.encodings.leaf import Claim, claims_json
from client.encodings.meeting import Meeting, meeting_from_json
from client.encodings.tally import Tally
from tests.vectors.scene import TWO_THIRDS, motion, scenes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from client.encodings.ballot import Vote


def rules() -> dict[str, Any]:
    """Return the file's value."""
    return {"v": 1, "vectors": [_vector(*item) for item in _tallies()]}


Cast = tuple[tuple[Claim, ...], "Mapping[str, Vote]", "Mapping[str, Vote] | None"]


def _vector(name: str, meeting: Meeting, cast: list[Cast]) -> dict[str, Any]:
    tally = Tally(meeting)
    change = Tally(meeting)
    ballots = []
    for claims, votes, replaces in cast:
        if replaces is None:
            tally.add(claims, votes)
        else:
            tally.replace(claims, replaces, votes)
            change.replace(claims, replaces, votes)
        ballots.append(
            {
                "claims": claims_json(claims),
                "votes": votes_json(votes),
                "replaces": votes_json(replaces) if replaces is not None else None,
            }
        )
    return {
        "name": name,
        "record": meeting.record.decode(),
        "ballots": ballots,
        "subtotal": tally.subtotal().decode(),
        "revotes": change.subtotal().decode(),
        "result": tally.result().decode(),
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
    yield "the largest amounts", _rich(), _cast("approve", claims=(Claim("individual", 2**53 - 2),))


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
