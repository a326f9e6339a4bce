"""An election's margin against every way in which its ballots could have been cast otherwise."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from auditor.election_margin import election_margin
from auditor.evaluation import Poll, decide
from auditor.weights import Weights
from client.encodings.leaf import Claim
from client.encodings.motion import Motion, parse_motion

if TYPE_CHECKING:
    from collections.abc import Iterator

Cast = tuple[tuple[str, ...] | None, ...]
"""What each lender chose; None for one who did not come."""
NAMES = ("a", "b", "c")


def election(draw: st.DrawFn, names: tuple[str, ...], most: int) -> Motion:
    by = draw(st.sampled_from(("heads", "fen")))
    base, unit = (
        draw(st.sampled_from(("eligible", "present", "voted"))),
        draw(st.sampled_from(("heads", "fen"))),
    )
    part, whole = sorted(draw(st.tuples(st.integers(1, 4), st.integers(1, 4))))
    value: dict[str, Any] = {
        "id": "m1",
        "kind": "election",
        "title": "m1",
        "choices": [*names, "abstain"],
        "max_choices": most,
        "seats": draw(st.integers(1, len(names) - 1)),
        "by": by,
        "tie": draw(st.sampled_from(("unfilled", "fen" if by == "heads" else "heads"))),
        "rules": {
            "profile": "own",
            "yes": [],
            "abstain": ["abstain"],
            "tests": [
                {
                    "name": "t",
                    "scope": "all",
                    "count": "yes",
                    "base": base,
                    "unit": unit,
                    "comparator": draw(st.sampled_from((">", ">="))),
                    "fraction": [part, whole],
                }
            ],
        },
    }
    return parse_motion(value, ())


def votes(motion: Motion) -> list[tuple[str, ...]]:
    """Return every legal vote."""
    names = motion.candidates
    sizes = range(1, min(motion.max_choices, len(names)) + 1)
    return [*(chosen for size in sizes for chosen in combinations(names, size)), ("abstain",)]


def poll_of(motion: Motion, amounts: tuple[int, ...], cast: Cast) -> Poll:
    poll = Poll(Weights())
    for fen, vote in zip(amounts, cast, strict=True):
        claims = (Claim("any", fen),)
        poll.eligible.add(claims)
        if vote is not None:
            poll.add(motion, claims, vote if motion.max_choices > 1 else vote[0])
    return poll


def elected(motion: Motion, amounts: tuple[int, ...], cast: Cast) -> frozenset[str]:
    return frozenset(decide(motion, poll_of(motion, amounts, cast), ())["election"]["elected"])


@st.composite
def cases(draw: st.DrawFn, names: tuple[str, ...] = NAMES, most: int | None = None) -> tuple[Any, ...]:
    motion = election(draw, names, most or draw(st.integers(1, len(names))))
    amounts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple))
    legal = st.sampled_from([None, *votes(motion)])
    return motion, amounts, tuple(draw(legal) for _ in amounts)


def others(motion: Motion, cast: Cast, how: str) -> Iterator[Cast]:
    """Yield what else could have been cast: by those present (`switch`), or the absent (`add`)."""
    every = votes(motion)
    if how == "switch":
        yield from product(*([vote] if vote is None else every for vote in cast))
    else:
        yield from product(*([vote] if vote is not None else [None, *every] for vote in cast))


def changed(amounts: tuple[int, ...], cast: Cast, other: Cast) -> tuple[int, int]:
    """Return the heads and fen of those who answered otherwise."""
    turned = [fen for fen, one, two in zip(amounts, cast, other, strict=True) if one != two]
    return len(turned), sum(turned)


@given(cases())
def test_nothing_less_would_have_changed_who_is_elected(case: tuple[Motion, tuple[int, ...], Cast]) -> None:
    motion, amounts, cast = case
    found = election_margin(motion, poll_of(motion, amounts, cast), ())
    before = elected(motion, amounts, cast)
    for how in ("switch", "add"):
        for other in others(motion, cast, how):
            if elected(motion, amounts, other) != before:
                heads, fen = changed(amounts, cast, other)
                least = found[how]
                assert least is not None
                assert heads >= least.get("heads", heads + 1) or fen >= least.get("fen", fen + 1)


@given(cases(names=("a", "b"), most=2))
def test_between_two_by_heads_it_is_exact(case: tuple[Motion, tuple[int, ...], Cast]) -> None:
    """With one seat, a ballot for either or both, and lenders of one fen, the least number does change it."""
    motion, amounts, cast = case
    amounts = (1,) * len(amounts)
    found = election_margin(motion, poll_of(motion, amounts, cast), ())
    before = elected(motion, amounts, cast)
    for how in ("switch", "add"):
        ways = [
            changed(amounts, cast, other)[0]
            for other in others(motion, cast, how)
            if elected(motion, amounts, other) != before
        ]
        least = None if found[how] is None else min(found[how].values())
        assert least == min(ways, default=None)
