"""Tallies as files, for whoever evaluates rules without a chain: ballots, or figures already counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auditor.evaluation import Poll, eligible
from auditor.weights import Weights
from client.encodings import base64url, merkle
from client.encodings.ballot import chosen
from client.encodings.ids import is_count, is_first
from client.encodings.leaf import parse_claims
from client.encodings.motion import RESOLUTION, Motion, parse_motion
from client.encodings.roll_summary import RollSummary, parse_roll_summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.encodings.ballot import Vote
    from client.encodings.leaf import Claim

_NOT_ASKED: Final = {
    "root": base64url.encode(bytes(32)),
    "snapshot": "1970-01-01T00:00:00Z",
    "excluded": [],
    "disputed": [],
}


@dataclass(frozen=True, slots=True)
class TallyFile:
    """A motion's polls: as cast and, if the roll has disputed claims, without them."""

    roll: RollSummary
    whole: Poll
    undisputed: Poll | None

    @property
    def classes(self) -> tuple[str, ...]:
        """The roll's classes."""
        return tuple(entry.cls for entry in self.roll.classes)


def parse_roll(value: Any) -> RollSummary:
    """Return the figures of a roll, as in a record, of which `heads`, `fen` and `classes` are enough."""
    if not isinstance(value, dict) or not is_count(value.get("heads")) or not value["heads"]:
        raise ValueError("roll is not an object with a positive number of heads")
    height = {"size": value["heads"], "cap_height": merkle.cap_height(value["heads"])}
    return parse_roll_summary(_NOT_ASKED | height | value)


def parse_rules_file(value: Any, roll: RollSummary, name: str | None = None) -> Motion:
    """Return the motion of a rules file: a motion, a record's motion called `name`, or bare rules.

    Bare rules are a resolution's with the choices that they name and `reject`. Raise ValueError otherwise.
    """
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004  one error for every wrong form
    classes = tuple(entry.cls for entry in roll.classes)
    if "motions" in value:
        motions = value["motions"]
        if not isinstance(motions, list) or not all(isinstance(one, dict) for one in motions):
            raise ValueError("motions is not a list of objects")
        found = [one for one in motions if name in (None, one.get("id"))]
        if len(found) != 1:
            raise ValueError("the record has several motions, or none of that id: name one with --motion")
        return parse_motion(found[0], classes)
    if "kind" in value:
        return parse_motion(value, classes)
    named = [*_names(value, "yes"), "reject", *_names(value, "abstain")]
    bare = {"id": "m1", "kind": RESOLUTION, "title": "m1", "max_choices": 1, "rules": value}
    return parse_motion(bare | {"choices": list(dict.fromkeys(named))}, classes)


def _names(value: dict[str, Any], member: str) -> list[str]:
    """Return the names of a list that may be missing; raise ValueError for anything else."""
    names = value.get(member, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{member} is not a list of names")
    return names


def parse_tally(value: Any, motion: Motion) -> TallyFile:
    """Return a motion's polls of parsed JSON; raise ValueError, saying where, for any other form."""
    if not isinstance(value, dict) or not is_first(value.get("v")):
        raise ValueError("not an object with v 1")
    roll = parse_roll(value.get("roll"))
    if "ballots" in value:
        if value.keys() - {"revote"} != {"v", "roll", "ballots"}:
            raise ValueError("other members than v, roll, revote, ballots")
        return _from_ballots(value, roll, motion)
    if roll.disputed:
        raise ValueError("a roll with disputed claims needs the ballots, since figures don't tell them apart")
    return TallyFile(roll, poll_of(value, roll, motion), None)


def _from_ballots(value: dict[str, Any], roll: RollSummary, motion: Motion) -> TallyFile:
    whole = Poll(eligible(roll, motion.id))
    undisputed = Poll(eligible(roll, motion.id, undisputed=True))
    for claims, vote in _standing(value["ballots"], value.get("revote", "none"), motion):
        whole.add(motion, claims, vote)
        firm = tuple(claim for claim in claims if not claim.decision)
        if firm:
            undisputed.add(motion, firm, vote)
    _check(whole, roll)
    return TallyFile(roll, whole, undisputed if roll.disputed else None)


def _standing(items: Any, revote: Any, motion: Motion) -> Iterator[tuple[tuple[Claim, ...], Vote]]:
    """Yield the ballots that count: of a voter's several the last or first, none of those excluded."""
    if not isinstance(items, list) or revote not in ("none", "last", "first"):
        raise ValueError("ballots is not a list, or revote none of none, last, first")
    held: dict[tuple[bool, str | int], dict[str, Any]] = {}
    for place, item in enumerate(items):
        key = _voter(item, place)
        earlier = held.get(key)
        if earlier is None:
            held[key] = item
            continue
        if revote == "none":
            raise ValueError(f"ballot {place}: {key[1]} has voted, and the file's revote is none")
        later: Any = item.get("seq")
        before: Any = earlier.get("seq")
        if not is_count(later) or not is_count(before) or later == before:
            raise ValueError(f"ballot {place}: several of {key[1]}'s ballots need a seq each, of its own")
        if (later > before) == (revote == "last"):
            held[key] = item
    for item in held.values():
        if motion.id not in _names(item, "excluded"):
            yield parse_claims(item["claims"]), _vote(item["vote"], motion)


def _voter(item: Any, place: int) -> tuple[bool, str | int]:
    """Return what tells a ballot's voter from all others, whether it is named or not."""
    names = {"claims", "vote"}
    if not isinstance(item, dict) or item.keys() - {"voter", "seq", "excluded"} != names:
        raise ValueError(f"ballot {place}: other members than claims, vote, voter, seq, excluded")
    voter = item.get("voter", place)
    if isinstance(voter, bool) or not isinstance(voter, (str, int)):
        raise ValueError(f"ballot {place}: voter is neither a text nor a number")  # noqa: TRY004  as above
    # A voter who is called by a number is not whoever stands at that place without a name.
    return "voter" in item, voter


def _vote(value: Any, motion: Motion) -> Vote:
    vote = tuple(_names({"vote": value}, "vote")) if isinstance(value, list) else value
    if not isinstance(vote, (str, tuple)):
        raise ValueError(f"{value!r} is no vote on the motion")  # noqa: TRY004  as above
    picked = chosen(vote)
    if isinstance(vote, tuple) != (motion.max_choices > 1) or not (
        1 <= len(picked) <= motion.max_choices
        and len(set(picked)) == len(picked)
        and set(picked) <= set(motion.choices)
    ):
        raise ValueError(f"{value!r} is no vote on the motion")
    return vote


def poll_of(value: dict[str, Any], roll: RollSummary, motion: Motion) -> Poll:
    """Return the poll of a file's figures, whatever its `roll`, among those of a roll; raise ValueError."""
    several = motion.max_choices > 1
    marks = {"voted"} if several and motion.rules.abstain else set[str]()
    marks |= {"yes"} if several and len(motion.rules.yes) > 1 else set()
    if value.keys() != {"v", "roll", "present", "choices"} | marks:
        raise ValueError(f"other members than v, roll, {', '.join(sorted(marks | {'present', 'choices'}))}")
    if not isinstance(value["choices"], dict) or not value["choices"].keys() <= set(motion.choices):
        raise ValueError("choices is not an object of the motion's choices")
    poll = Poll(eligible(roll, motion.id), present=_weights(value["present"], roll))
    for choice, cells in value["choices"].items():
        poll.choices[choice] = _weights(cells, roll)
    poll.favour = _weights(value["yes"], roll) if "yes" in marks else _sum(poll, motion.rules.yes)
    if "voted" in marks:
        poll.voted = _weights(value["voted"], roll)
    else:
        poll.voted = poll.present if several else _sum(poll, motion.candidates)
    _check(poll, roll)
    if not several and _sum(poll, motion.choices).changed() != poll.present.changed():
        raise ValueError("the choices don't add up to those present")
    return poll


def _weights(value: Any, roll: RollSummary) -> Weights:
    scopes = {"*", *(entry.cls for entry in roll.classes)}
    if not isinstance(value, dict) or not value.keys() <= scopes:
        raise ValueError("figures are not an object of * and the roll's classes")
    for cell in value.values():
        if not isinstance(cell, list) or len(cell) != len(("heads", "fen")) or not all(map(is_count, cell)):
            raise ValueError("a figure is not [heads, fen]")
    return Weights({scope: list(cell) for scope, cell in value.items()})


def _sum(poll: Poll, choices: tuple[str, ...]) -> Weights:
    total = Weights()
    for choice in choices:
        for scope, (heads, fen) in poll.choices.get(choice, Weights()).scopes.items():
            total.add_line(scope, heads, fen)
    return total


def _check(poll: Poll, roll: RollSummary) -> None:
    """Raise ValueError for more votes than presence, or more presence than is eligible."""
    inside = [(poll.present, poll.eligible), (poll.voted, poll.present), (poll.favour, poll.voted)]
    inside += [(weights, poll.present) for weights in poll.choices.values()]
    for part, whole in inside:
        for scope in ("all", *(entry.cls for entry in roll.classes)):
            if any(part.of(scope, unit) > whole.of(scope, unit) for unit in ("heads", "fen")):
                raise ValueError(f"more in {scope} than there can be: the roll's figures are exceeded")
