"""The meeting's frozen record: what is put to whom, when, under which rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from client.encodings import hashes, jcs, times
from client.encodings.errors import Refused
from client.encodings.ids import (
    arbitration_channel,
    is_hash,
    is_hex_hash,
    is_meeting_id,
    is_msp,
    is_name,
)
from client.encodings.motion import MAX_MOTIONS, Motion, parse_motion
from client.encodings.record_parts import listed, text, unique
from client.encodings.roll_summary import RollSummary, parse_roll_summary

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEME: Final = "open-v1"
VERSION: Final = 2
MAX_DOCUMENTS: Final = 50
MAX_METHODS: Final = 20

Revote = Literal["none", "last", "first"]
Why = Literal["postponed", "second-vote"]

REVOTES: Final = ("none", "last", "first")
WHYS: Final = ("postponed", "second-vote")


@dataclass(frozen=True, slots=True)
class Document:
    """A document put before the meeting: its name and the lower-case hex SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Replaces:
    """The meeting in whose place this one is held, and why: postponed, or a motion is voted on again."""

    mtg: str
    mh: str
    why: Why


@dataclass(frozen=True)
class Meeting:
    """A valid meeting record. Make one with `parse_meeting` or `meeting_from_json`."""

    mtg: str
    institution: str
    title: str
    documents: tuple[Document, ...]
    roll: RollSummary
    motions: tuple[Motion, ...]
    revote: Revote
    replaces: Replaces | None
    proxies: bool
    methods: tuple[str, ...]
    opens_at: str
    closes_at: str
    objections_until: str
    genesis: Mapping[str, str]
    record: bytes
    """The record's canonical bytes, which `mh` is the hash of."""

    @cached_property
    def mh(self) -> str:
        """The hash that names this record and these networks in every ballot."""
        return hashes.digest(hashes.MEETING, self.record)

    @cached_property
    def opens(self) -> int:
        """Opening, in seconds since 1970."""
        return times.parse(self.opens_at)

    @cached_property
    def closes(self) -> int:
        """Closing, in seconds since 1970; a ballot acknowledged in this second is in time."""
        return times.parse(self.closes_at)

    @cached_property
    def class_index(self) -> dict[str, int]:
        """The position of each class in the record, as compact entries name it."""
        return {entry.cls: index for index, entry in enumerate(self.roll.classes)}

    @property
    def channel(self) -> str:
        """The institution's channel."""
        return arbitration_channel(self.institution)


def parse_meeting(record: bytes) -> Meeting:
    """Return the meeting of canonical record bytes; refuse with MEETING_FORMAT or MEETING_ROLL."""
    try:
        value = jcs.loads_canonical(record)
    except jcs.JsonError as error:
        raise Refused("MEETING_FORMAT", str(error)) from error
    return meeting_from_json(value)


def meeting_from_json(value: Any) -> Meeting:
    """Return the meeting of a parsed record; refuse with MEETING_FORMAT or MEETING_ROLL."""
    try:
        return _meeting(value)
    except ValueError as error:
        raise Refused("MEETING_FORMAT", str(error)) from error


_MEMBERS: Final = frozenset(
    {
        "v",
        "mtg",
        "institution",
        "title",
        "scheme",
        "documents",
        "roll",
        "motions",
        "revote",
        "replaces",
        "proxies",
        "methods",
        "opens_at",
        "closes_at",
        "objections_until",
        "genesis",
    }
)


def _meeting(value: Any) -> Meeting:
    if not isinstance(value, dict) or value.keys() != _MEMBERS:
        raise ValueError("other members than the record's")
    if type(value["v"]) is not int or value["v"] != VERSION:
        raise ValueError(f"v is not {VERSION}")
    if not is_meeting_id(value["mtg"]):
        raise ValueError("mtg is not a meeting id")
    if not is_msp(value["institution"]):
        raise ValueError("institution is not an MSP id")
    if value["scheme"] != SCHEME:
        raise ValueError(f"the scheme is not {SCHEME}")
    if value["revote"] not in REVOTES:
        raise ValueError("revote is neither none, last nor first")
    if type(value["proxies"]) is not bool:
        raise ValueError("proxies is neither true nor false")
    _check_times(value)
    roll = parse_roll_summary(value["roll"])
    if times.parse(roll.snapshot) > times.parse(value["opens_at"]):
        raise ValueError("the roll's snapshot is after opens_at")
    motions = _motions(value["motions"], tuple(entry.cls for entry in roll.classes))
    unknown = {line.motion for line in roll.excluded} - {motion.id for motion in motions}
    if unknown:
        raise ValueError(f"roll.excluded: there is no motion {min(unknown)}")
    return Meeting(
        mtg=value["mtg"],
        institution=value["institution"],
        title=text(value["title"], "title"),
        documents=_documents(value["documents"]),
        roll=roll,
        motions=motions,
        revote=cast("Revote", value["revote"]),
        replaces=_replaces(value["replaces"], value["mtg"]),
        proxies=value["proxies"],
        methods=_methods(value["methods"]),
        opens_at=value["opens_at"],
        closes_at=value["closes_at"],
        objections_until=value["objections_until"],
        genesis=_genesis(value["genesis"], value["institution"]),
        record=jcs.dumps(value),
    )


def _check_times(value: dict[str, Any]) -> None:
    names = ("opens_at", "closes_at", "objections_until")
    for name in names:
        if not times.is_time(value[name]):
            raise ValueError(f"{name} is not a time of the form 2026-01-31T08:00:00Z")
    opens, closes, objections = (times.parse(value[name]) for name in names)
    if not opens < closes <= objections:
        raise ValueError("not opens_at < closes_at <= objections_until")


def _documents(value: Any) -> tuple[Document, ...]:
    documents = []
    for item in listed(value, "documents", 0, MAX_DOCUMENTS):
        if not isinstance(item, dict) or item.keys() != {"name", "sha256"} or not is_hex_hash(item["sha256"]):
            raise ValueError("a document is not a name and a SHA-256 in lower-case hex")
        documents.append(Document(text(item["name"], "a document's name"), item["sha256"]))
    unique([document.name for document in documents], "documents")
    return tuple(documents)


def _motions(value: Any, classes: tuple[str, ...]) -> tuple[Motion, ...]:
    motions = tuple(parse_motion(item, classes) for item in listed(value, "motions", 1, MAX_MOTIONS))
    unique([motion.id for motion in motions], "motions")
    return motions


def _replaces(value: Any, mtg: str) -> Replaces | None:
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != {"mtg", "mh", "why"}:
        raise ValueError("replaces is neither null nor a meeting's mtg, mh and why")
    if not is_meeting_id(value["mtg"]) or value["mtg"] == mtg or not is_hash(value["mh"]):
        raise ValueError("replaces names no other meeting")
    if value["why"] not in WHYS:
        raise ValueError("replaces.why is neither postponed nor second-vote")
    return Replaces(value["mtg"], value["mh"], cast("Why", value["why"]))


def _methods(value: Any) -> tuple[str, ...]:
    methods = listed(value, "methods", 1, MAX_METHODS)
    if not all(is_name(method) for method in methods):
        raise ValueError("a method is not a name")
    unique(methods, "methods")
    return tuple(methods)


def _genesis(value: Any, institution: str) -> Mapping[str, str]:
    expected = {"identity", arbitration_channel(institution)}
    if not isinstance(value, dict) or value.keys() != expected:
        raise ValueError(f"genesis doesn't name exactly {' and '.join(sorted(expected))}")
    if not all(is_hex_hash(item) for item in value.values()):
        raise ValueError("a genesis hash is not lower-case hex")
    return dict(value)
