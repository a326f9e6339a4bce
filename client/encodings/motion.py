"""Motions: what is voted on. A resolution passes or fails; an election fills seats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from client.encodings.ids import is_count, is_motion_id, is_name
from client.encodings.record_parts import listed, text, unique
from client.encodings.rules import Rules, parse_rules

MAX_MOTIONS: Final = 20
MAX_CHOICES: Final = 100

RESOLUTION: Final = "resolution"
ELECTION: Final = "election"

Unit = Literal["heads", "fen"]
Tie = Literal["unfilled", "fen", "heads"]

_MEMBERS: Final = frozenset({"id", "kind", "title", "choices", "max_choices", "rules"})
_SEATS: Final = frozenset({"seats", "by", "tie"})


@dataclass(frozen=True, slots=True)
class Seats:
    """An election's seats: how many, ranked by heads or fen, and what decides between equals at the last one.

    `tie` is `unfilled` (the seat stays empty), or the unit that decides.
    """

    seats: int
    by: Unit
    tie: Tie


@dataclass(frozen=True, slots=True)
class Motion:
    """One motion: its choices in the order shown, how many may be chosen, its rules.

    `election` is None for a resolution.
    """

    id: str
    title: str
    choices: tuple[str, ...]
    max_choices: int
    rules: Rules
    election: Seats | None = None

    @property
    def kind(self) -> str:
        """`resolution` or `election`."""
        return RESOLUTION if self.election is None else ELECTION

    @property
    def candidates(self) -> tuple[str, ...]:
        """An election's candidates: the choices that are no abstention."""
        return tuple(choice for choice in self.choices if choice not in self.rules.abstain)


def parse_motion(value: Any, classes: tuple[str, ...]) -> Motion:
    """Return the motion of parsed JSON; raise ValueError, saying where, for any other form."""
    if not isinstance(value, dict) or value.get("kind") not in (RESOLUTION, ELECTION):
        raise ValueError("a motion's kind is neither resolution nor election")
    election = value["kind"] == ELECTION
    names = _MEMBERS | _SEATS if election else _MEMBERS
    if value.keys() != names:
        raise ValueError(f"a motion has other members than {', '.join(sorted(names))}")
    if not is_motion_id(value["id"]):
        raise ValueError("a motion's id is not a motion id")
    choices = listed(value["choices"], "choices", 2, MAX_CHOICES)
    if not all(is_name(choice) for choice in choices):
        raise ValueError("a choice is not a name")
    unique(choices, "choices")
    most = value["max_choices"]
    if not is_count(most) or not 1 <= most <= len(choices):
        raise ValueError("max_choices is not between 1 and the number of choices")
    motion = Motion(
        id=value["id"],
        title=text(value["title"], "a motion's title"),
        choices=tuple(choices),
        max_choices=most,
        rules=parse_rules(value["rules"], tuple(choices), classes, election=election),
        election=_seats(value) if election else None,
    )
    if motion.election is not None and motion.election.seats > len(motion.candidates):
        raise ValueError("an election has more seats than candidates")
    return motion


def _seats(value: dict[str, Any]) -> Seats:
    if not is_count(value["seats"]) or value["seats"] < 1:
        raise ValueError("an election's seats are not a positive integer")
    if value["by"] not in ("heads", "fen"):
        raise ValueError("an election ranks neither by heads nor by fen")
    if value["tie"] not in ("unfilled", "fen", "heads"):
        raise ValueError("an election's tie is none of unfilled, fen, heads")
    return Seats(value["seats"], cast("Unit", value["by"]), cast("Tie", value["tie"]))
