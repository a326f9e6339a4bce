"""meeting.json: records that may be announced, and records that may not."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from client.encodings import cbor, jcs
from client.encodings.meeting import parse_meeting
from tests.vectors.scene import make_scene, motion, scenes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def meeting() -> dict[str, Any]:
    """Return the file's value; a record that is not UTF-8 has no place in it, so all are text."""
    return {"v": 1, "accept": list(_accept()), "reject": list(_reject()), "reject_cap": list(_reject_cap())}


def _accept() -> Iterator[dict[str, Any]]:
    variants: dict[str, dict[str, Any]] = {
        "no documents": {"documents": []},
        "one method": {"methods": ["face-v1"]},
        "objections end with the meeting": {"objections_until": "2026-03-09T10:00:00Z"},
        "a title of 200 characters": {"title": "债" * 200},
        "twenty motions": {"motions": [motion(f"m{number}") for number in range(1, 21)]},
    }
    small = scenes()["revote"]
    for name, scene in scenes().items():
        yield _accepted(name, scene.meeting.record, scene.cap)
    base = json.loads(small.meeting.record)
    for name, changes in variants.items():
        yield _accepted(name, jcs.dumps(base | changes), small.cap)


def _accepted(name: str, record: bytes, cap: tuple[bytes, ...]) -> dict[str, Any]:
    parsed = parse_meeting(record)
    return {
        "name": name,
        "record": record.decode(),
        "mh": parsed.mh,
        "channel": parsed.channel,
        "cap": cbor.dumps(list(cap)).hex(),
    }


def _set(value: Any, path: str, item: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        value = value[int(step)] if step.isdigit() else value[step]
    if item is ...:
        del value[last]
    elif last.isdigit():
        value[int(last)] = item
    else:
        value[last] = item


_FORMAT: tuple[tuple[str, str, Any], ...] = (
    ("version 2", "v", 2),
    ("version as a string", "v", "1"),
    ("an id in capitals", "mtg", "2026-Committee"),
    ("an empty id", "mtg", ""),
    ("an id of 41 characters", "mtg", "a" * 41),
    ("no institution", "institution", ...),
    ("an institution that is no MSP id", "institution", "Institution A"),
    ("another scheme", "scheme", "sealed-v1"),
    ("an unknown member", "note", "x"),
    ("an empty title", "title", ""),
    ("a title of 201 characters", "title", "债" * 201),
    ("a line break in the title", "title", "a\nb"),
    ("documents as an object", "documents", {}),
    ("a document's hash in capitals", "documents.0.sha256", "A" * 64),
    ("a document's hash too short", "documents.0.sha256", "a" * 63),
    ("a document without a name", "documents.0.name", ...),
    ("a roll without a root", "roll.root", ...),
    ("a padded root", "roll.root", "A" * 43 + "="),
    ("a root in hex", "roll.root", "a" * 64),
    ("an empty roll", "roll.size", 0),
    ("a roll's size as a string", "roll.size", "7"),
    ("a roll without fen", "roll.fen", 0),
    ("a snapshot without a zone", "roll.snapshot", "2026-01-31T16:00:00"),
    ("a snapshot after opening", "roll.snapshot", "2026-03-02T01:00:01Z"),
    ("no classes", "roll.classes", []),
    ("a class in capitals", "roll.classes.0.class", "Enterprise"),
    ("a class called all", "roll.classes.0.class", "all"),
    ("a class without heads", "roll.classes.0.heads", 0),
    ("no motions", "motions", []),
    ("21 motions", "motions", [motion(f"m{number}") for number in range(21)]),
    ("two motions of one id", "motions", [motion("m1"), motion("m1")]),
    ("a motion's id in capitals", "motions.0.id", "M1"),
    ("a motion's id of 21 characters", "motions.0.id", "m" * 21),
    ("a motion without a title", "motions.0.title", ""),
    ("one choice", "motions.0.choices", ["approve"]),
    ("a choice twice", "motions.0.choices", ["approve", "reject", "approve"]),
    ("a choice in Chinese", "motions.0.choices", ["approve", "反对", "abstain"]),
    ("nothing may be chosen", "motions.0.max_choices", 0),
    ("more may be chosen than there is", "motions.0.max_choices", 4),
    ("no rules", "motions.0.rules", ...),
    ("rules of no profile", "motions.0.rules.profile", ""),
    ("nothing in favour", "motions.0.rules.yes", []),
    ("an unknown choice in favour", "motions.0.rules.yes", ["yes"]),
    ("a choice in favour and abstaining", "motions.0.rules.abstain", ["approve"]),
    ("no tests", "motions.0.rules.tests", []),
    ("a test of an unknown class", "motions.0.rules.tests.0.scope", "bondholder"),
    ("a test of an unknown count", "motions.0.rules.tests.0.count", "no"),
    ("a test of an unknown base", "motions.0.rules.tests.0.base", "yes"),
    ("a test in yuan", "motions.0.rules.tests.0.unit", "yuan"),
    ("a comparator <", "motions.0.rules.tests.0.comparator", "<"),
    ("a fraction of zero", "motions.0.rules.tests.0.fraction", [0, 2]),
    ("a fraction above one", "motions.0.rules.tests.0.fraction", [3, 2]),
    ("a fraction of three numbers", "motions.0.rules.tests.0.fraction", [1, 2, 3]),
    ("a fraction as a string", "motions.0.rules.tests.0.fraction", "1/2"),
    ("two tests of one name", "motions.0.rules.tests.1.name", "heads"),
    ("revote first", "revote", "first"),
    ("no methods", "methods", []),
    ("a method twice", "methods", ["face-v1", "face-v1"]),
    ("opening as a date", "opens_at", "2026-03-02"),
    ("closing with an offset", "closes_at", "2026-03-09T10:00:00+08:00"),
    ("closing at opening", "closes_at", "2026-03-02T01:00:00Z"),
    ("objections end before closing", "objections_until", "2026-03-09T09:59:59Z"),
    ("no genesis of identity", "genesis.identity", ...),
    ("the genesis of another channel", "genesis.arbitration-institutionb", "a" * 64),
    ("a genesis hash in base64url", "genesis.identity", "A" * 43),
)

_ROLL: tuple[tuple[str, str, Any], ...] = (
    ("more leaves than lenders", "roll.size", 8),
    ("more lenders than leaves", "roll.heads", 8),
    ("another total", "roll.fen", 1),
    ("another class total", "roll.classes.0.fen", 1),
    ("a class with more lenders than the roll", "roll.classes.0.heads", 8),
    ("a cap higher than need be", "roll.cap_height", 1),
)


def _reject() -> Iterator[dict[str, Any]]:
    record = scenes()["revote"].meeting.record
    base = json.loads(record)
    for code, mistakes in (("MEETING_FORMAT", _FORMAT), ("MEETING_ROLL", _ROLL)):
        for name, path, item in mistakes:
            value = copy.deepcopy(base)
            _set(value, path, item)
            yield {"name": name, "record": jcs.dumps(value).decode(), "code": code}
    swapped = copy.deepcopy(base)
    swapped["roll"]["classes"].reverse()
    yield {"name": "classes not in order", "record": jcs.dumps(swapped).decode(), "code": "MEETING_FORMAT"}
    few = copy.deepcopy(base)
    few["roll"]["classes"] = [{"class": "individual", "heads": 1, "fen": base["roll"]["fen"]}]
    few["motions"][0]["rules"]["tests"][0]["scope"] = "all"
    yield {
        "name": "fewer lenders in classes than on the roll",
        "record": jcs.dumps(few).decode(),
        "code": "MEETING_ROLL",
    }
    text = record.decode()
    texts: dict[str, Callable[[], str]] = {
        "no JSON": lambda: "meeting",
        "an array": lambda: "[]",
        "not canonical": lambda: json.dumps(base, ensure_ascii=False),
        "a member twice": lambda: text.replace('"v":1', '"v":1,"v":1'),
        "a fraction in a number": lambda: text.replace('"v":1', '"v":1.0'),
        "a line break at the end": lambda: text + "\n",
    }
    for name, make in texts.items():
        yield {"name": name, "record": make(), "code": "MEETING_FORMAT"}


def _reject_cap() -> Iterator[dict[str, Any]]:
    scene = scenes()["revote"]
    cap = list(scene.cap)
    other = make_scene("another-meeting", 2, revote="last").cap
    for name, nodes in (
        ("a node missing", cap[:-1]),
        ("a node too many", [*cap, cap[-1]]),
        ("no node", []),
        ("two nodes exchanged", [cap[1], cap[0], *cap[2:]]),
        ("another roll's cap", list(other)),
        ("a node of 31 bytes", [cap[0][:31], *cap[1:]]),
        ("the root alone", [scene.tree.root]),
    ):
        yield {
            "name": name,
            "record": scene.meeting.record.decode(),
            "cap": cbor.dumps(nodes).hex(),
            "code": "MEETING_ROLL",
        }
