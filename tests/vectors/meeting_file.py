"""meeting.json: records that may be announced, and records that may not."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from client.encodings import cbor, jcs
from client.encodings.meeting import parse_meeting
from tests.vectors.scene import TWO_THIRDS, committee, election, make_scene, motion, scenes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


TESTS: Any = TWO_THIRDS["tests"]
AGAINST = TESTS[0] | {"count": "no", "scope": "each"}


def meeting() -> dict[str, Any]:
    """Return the file's value; a record that is not UTF-8 has no place in it, so all are text."""
    return {"v": 1, "accept": list(_accept()), "reject": list(_reject()), "reject_cap": list(_reject_cap())}


def _accept() -> Iterator[dict[str, Any]]:
    small = scenes()["revote"]
    variants: dict[str, dict[str, Any]] = {
        "no documents": {"documents": []},
        "one method": {"methods": ["face-v1"]},
        "objections end with the meeting": {"objections_until": "2026-03-09T10:00:00Z"},
        "a title of 200 characters": {"title": "债" * 200},
        "twenty motions": {"motions": [motion(f"m{number}") for number in range(1, 21)]},
        "a second vote, proxies": {"replaces": REPLACES, "proxies": True},
        "counts of no, each class": {
            "motions": [motion("m1", rules=TWO_THIRDS | {"tests": [AGAINST]}), committee(["a", "b"], 1)]
        },
        "an election for every seat": {"motions": [election(["li-wei", "wang-fang"], 2)]},
        "an election of one by heads": {
            "motions": [election(["li-wei", "wang-fang"], 1) | {"by": "heads", "tie": "unfilled"}]
        },
        "the root alone for a cap": {"roll": json.loads(small.meeting.record)["roll"] | {"cap_height": 3}},
    }
    caps = {"the root alone for a cap": small.tree.cap(3)}
    for name, scene in scenes().items():
        yield _accepted(name, scene.meeting.record, scene.cap)
    base = json.loads(small.meeting.record)
    for name, changes in variants.items():
        yield _accepted(name, jcs.dumps(base | changes), caps.get(name, small.cap))


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


REPLACES = {"mtg": "2026-before", "mh": "A" * 43, "why": "second-vote"}


def _line(cls: str, heads: Any = 1, fen: int = 1) -> dict[str, Any]:
    return {"class": cls, "heads": heads, "fen": fen}


def _out(motion_id: str, cls: str, heads: Any = 1, fen: int | None = None) -> dict[str, Any]:
    return {"motion": motion_id, **_line(cls, heads, heads if fen is None else fen)}


_OVERLAP = [_line("*"), _line("individual"), _out("m1", "*"), _out("m1", "individual")]

_FORMAT: tuple[tuple[str, str, Any], ...] = (
    ("version 1", "v", 1),
    ("version 3", "v", 3),
    ("version as a string", "v", "2"),
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
    ("a class called each", "roll.classes.0.class", "each"),
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
    ("a test of an unknown count", "motions.0.rules.tests.0.count", "abstain"),
    ("a test of an unknown base", "motions.0.rules.tests.0.base", "yes"),
    ("a test in yuan", "motions.0.rules.tests.0.unit", "yuan"),
    ("a comparator <", "motions.0.rules.tests.0.comparator", "<"),
    ("a fraction of zero", "motions.0.rules.tests.0.fraction", [0, 2]),
    ("a fraction above one", "motions.0.rules.tests.0.fraction", [3, 2]),
    ("a fraction of three numbers", "motions.0.rules.tests.0.fraction", [1, 2, 3]),
    ("a fraction as a string", "motions.0.rules.tests.0.fraction", "1/2"),
    ("two tests of one name", "motions.0.rules.tests.1.name", "heads"),
    ("revote always", "revote", "always"),
    ("no word on proxies", "proxies", ...),
    ("proxies as a number", "proxies", 0),
    ("proxies as a word", "proxies", "none"),
    ("no word on another meeting", "replaces", ...),
    ("replaces a meeting by its id alone", "replaces", "2026-before"),
    ("replaces nothing, in an object", "replaces", {}),
    ("replaces itself", "replaces", REPLACES | {"mtg": "2026-committee"}),
    ("replaces a meeting of no id", "replaces", REPLACES | {"mtg": "2026 before"}),
    ("replaces a record of no hash", "replaces", REPLACES | {"mh": "a" * 64}),
    ("replaces for no reason", "replaces", REPLACES | {"why": "better"}),
    ("a motion of no kind", "motions.0.kind", ...),
    ("a motion of an unknown kind", "motions.0.kind", "poll"),
    ("a resolution with seats", "motions.0.seats", 1),
    ("exclusions as an object", "roll.excluded", {}),
    ("no exclusions", "roll.excluded", ...),
    ("an exclusion from an unknown motion", "roll.excluded", [_out("m9", "*"), _out("m9", "individual")]),
    ("an exclusion from no motion", "roll.excluded", [_out("M1", "*"), _out("M1", "individual")]),
    ("exclusions out of order", "roll.excluded", [_out("m1", "individual"), _out("m1", "*")]),
    ("an exclusion twice", "roll.excluded", [_out("m1", "*"), _out("m1", "*"), _out("m1", "individual")]),
    ("an exclusion of a class in capitals", "roll.excluded", [_out("m1", "*"), _out("m1", "I")]),
    ("an exclusion with a reason", "roll.excluded", [_out("m1", "*") | {"reason": "x"}]),
    ("an exclusion of -1 heads", "roll.excluded", [_out("m1", "*", "-1")]),
    ("no disputed figures", "roll.disputed", ...),
    ("disputed figures out of order", "roll.disputed", [_line("individual"), _line("*")]),
    ("disputed fen as a string", "roll.disputed", [_line("*"), _line("individual") | {"fen": "1"}]),
    ("disputed and excluded from no motion", "roll.disputed", [_line("*"), _line("*") | {"motion": None}]),
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
    ("a cap above the root", "roll.cap_height", 4),
    ("excluded from a motion, without everybody's line", "roll.excluded", [_out("m1", "individual")]),
    ("excluded from a motion, without a class", "roll.excluded", [_out("m1", "*")]),
    ("an exclusion of a class not on the roll", "roll.excluded", [_out("m1", "*"), _out("m1", "bonds")]),
    ("an exclusion of nobody", "roll.excluded", [_out("m1", "*", 0), _out("m1", "individual", 0)]),
    ("more excluded than a class has", "roll.excluded", [_out("m1", "*", 7), _out("m1", "individual", 7)]),
    ("another sum excluded", "roll.excluded", [_out("m1", "*", 1, 2), _out("m1", "individual", 1, 1)]),
    ("more excluded than by class", "roll.excluded", [_out("m1", "*", 2, 2), _out("m1", "individual", 1, 2)]),
    (
        "fewer excluded than of a class",
        "roll.excluded",
        [_out("m1", "*", 1, 2), _out("m1", "individual", 2, 2)],
    ),
    ("disputed and excluded, from a motion that excludes nobody", "roll.disputed", _OVERLAP),
    ("disputed, without everybody's line", "roll.disputed", [_line("individual")]),
    ("disputed, without a class", "roll.disputed", [_line("*")]),
    ("another sum disputed", "roll.disputed", [_line("*", 1, 2), _line("individual")]),
    ("more lenders disputed than claims", "roll.disputed", [_line("*", 2, 2), _line("individual", 1, 2)]),
    (
        "more fen disputed than a class has",
        "roll.disputed",
        [_line("*", 1, 2**50), _line("individual", 1, 2**50)],
    ),
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
    yield from _elections(base)
    wide = copy.deepcopy(base)
    wide["roll"] |= {"size": 40_000, "heads": 40_000, "fen": 40_000, "cap_height": 0}
    wide["roll"]["classes"] = [{"class": "individual", "heads": 40_000, "fen": 40_000}]
    yield {"name": "a cap of 40,000 nodes", "record": jcs.dumps(wide).decode(), "code": "MEETING_ROLL"}
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
        "a member twice": lambda: text.replace('"v":2', '"v":2,"v":2'),
        "a fraction in a number": lambda: text.replace('"v":2', '"v":2.0'),
        "a line break at the end": lambda: text + "\n",
    }
    for name, make in texts.items():
        yield {"name": name, "record": make(), "code": "MEETING_FORMAT"}


def _elections(base: dict[str, Any]) -> Iterator[dict[str, Any]]:
    good = election(["li-wei", "wang-fang"], 2)
    for name, changes in (
        ("an election without seats", {"seats": ...}),
        ("an election of nobody", {"seats": 0}),
        ("an election with more seats than candidates", {"seats": 3}),
        ("an election's seats as a string", {"seats": "1"}),
        ("an election by yuan", {"by": "yuan"}),
        ("an election whose ties are drawn by lot", {"tie": "lot"}),
        ("an election with a choice in favour", {"rules": good["rules"] | {"yes": ["li-wei"]}}),
        ("an election with a quorum", {"quorum": 1}),
    ):
        changed = {key: item for key, item in (good | changes).items() if item is not ...}
        yield {
            "name": name,
            "record": jcs.dumps(base | {"motions": [changed]}).decode(),
            "code": "MEETING_FORMAT",
        }


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
