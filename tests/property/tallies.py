"""Random meetings and ballots, from a seed: rolls with exclusions and disputes, rules of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.rules import CountedBallot
from client.encodings import base64url
from client.encodings.ballot import votes_json
from client.encodings.leaf import Claim, Leaf, claims_json
from client.encodings.meeting import Meeting, meeting_from_json
from tests.vectors.scene import motion, record

if TYPE_CHECKING:
    from random import Random

    from client.encodings.ballot import Vote

CLASSES = ("a", "b", "c")
CHOICES = ("p", "q", "r", "s")


@dataclass(frozen=True, slots=True)
class Assembly:
    """A meeting and the roll that it is of."""

    meeting: Meeting
    leaves: tuple[Leaf, ...]

    def ballots(self, random: Random) -> list[CountedBallot]:
        """The ballots of some of the lenders, answered at random."""
        cast = random.sample(self.leaves, random.randint(0, len(self.leaves)))
        return [CountedBallot(leaf.claims, self.votes(random), leaf.excluded) for leaf in cast]

    def votes(self, random: Random) -> dict[str, Vote]:
        """An answer to every motion."""
        return {
            one.id: random.choice(one.choices)
            if one.max_choices == 1
            else tuple(sorted(random.sample(one.choices, random.randint(1, one.max_choices))))
            for one in self.meeting.motions
        }


def assembly(random: Random) -> Assembly:
    """Return a meeting of up to eight lenders with one or two motions."""
    names = ("m1", "m2")[: random.randint(1, 2)]
    scale = random.choice((1, 3, 100, 2**45))
    leaves = tuple(
        sorted(
            (_leaf(random, number, names, scale) for number in range(random.randint(1, 8))),
            key=lambda one: base64url.decode(one.sub, 16),
        )
    )
    classes = sorted({claim.cls for leaf in leaves for claim in leaf.claims})
    motions = [_motion(random, name, classes) for name in names]
    return Assembly(meeting_from_json(record("m", leaves, motions=motions)), leaves)


def as_json(ballot: CountedBallot) -> dict[str, Any]:
    """Return a ballot as chaincode/cmd/rules reads it."""
    return {
        "claims": claims_json(ballot.claims),
        "excluded": list(ballot.excluded),
        "votes": votes_json(ballot.votes),
    }


def _leaf(random: Random, number: int, motions: tuple[str, ...], scale: int) -> Leaf:
    claims = tuple(
        Claim(name, random.randint(1, 5) * scale, "cd" * 32 if random.random() < 0.25 else "")
        for name in sorted(random.sample(CLASSES, random.choice((1, 1, 2, 3))))
    )
    excluded = tuple(name for name in motions if random.random() < 0.2)
    return Leaf("m", base64url.encode(bytes([number]) * 16), claims, bytes(16), excluded)


def _motion(random: Random, name: str, classes: list[str]) -> dict[str, Any]:
    choices = list(CHOICES[: random.randint(2, 4)])
    abstain = [choices[-1]] if random.random() < 0.7 else []
    candidates = [choice for choice in choices if choice not in abstain]
    rules: dict[str, Any] = {"profile": "random", "yes": [], "abstain": abstain}
    rules["tests"] = [_test(random, f"t{number}", classes) for number in range(random.randint(1, 3))]
    named = {"choices": choices, "max_choices": random.randint(1, len(choices)), "rules": rules}
    if random.random() < 0.4:
        seats = random.randint(1, len(candidates))
        tie = random.choice(("unfilled", "heads", "fen"))
        seating = {"seats": seats, "by": random.choice(("heads", "fen")), "tie": tie}
        return motion(name, kind="election", **named, **seating)
    rules["yes"] = random.sample(candidates, random.randint(1, len(candidates)))
    return motion(name, **named)


def _test(random: Random, name: str, classes: list[str]) -> dict[str, Any]:
    whole = random.choice((1, 2, 3, 4, 10, 2**53 - 1))
    return {
        "name": name,
        "scope": random.choice(("all", "all", "each", *classes)),
        "count": random.choice(("yes", "yes", "yes", "no", "present", "voted")),
        "base": random.choice(("eligible", "present", "voted")),
        "unit": random.choice(("heads", "fen")),
        "comparator": random.choice((">", ">=")),
        "fraction": [random.randint(1, whole), whole],
    }
