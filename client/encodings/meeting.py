"""The meeting's frozen record: what is put to whom, when, under which rules."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from client.encodings import hashes, jcs, times
from client.encodings.errors import Refused
from client.encodings.ids import (
    arbitration_channel,
    is_count,
    is_hex_hash,
    is_meeting_id,
    is_motion_id,
    is_msp,
    is_name,
)
from client.encodings.roll_summary import RollSummary, parse_roll_summary
from client.encodings.rules import Rules, parse_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEME: Final = "open-v1"
MAX_TEXT: Final = 200
MAX_DOCUMENTS: Final = 50
MAX_MOTIONS: Final = 20
MAX_CHOICES: Final = 100
MAX_METHODS: Final = 20

Revote = Literal["none", "last"]


@dataclass(frozen=True, slots=True)
class Document:
    """A document put before the meeting: its name and the lower-case hex SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Motion:
    """One motion: its choices in the order shown, how many may be chosen, its rules."""

    id: str
    title: str
    choices: tuple[str, ...]
    max_choices: int
    rules: Rules


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
    if type(value["v"]) is not int or value["v"] != 1:
        raise ValueError("v is not 1")
    if not is_meeting_id(value["mtg"]):
        raise ValueError("mtg is not a meeting id")
    if not is_msp(value["institution"]):
        raise ValueError("institution is not an MSP id")
    if value["scheme"] != SCHEME:
        raise ValueError(f"the scheme is not {SCHEME}")
    if value["revote"] not in ("none", "last"):
        raise ValueError("revote is neither none nor last")
    _check_times(value)
    roll = parse_roll_summary(value["roll"])
    if times.parse(roll.snapshot) > times.parse(value["opens_at"]):
        raise ValueError("the roll's snapshot is after opens_at")
    return Meeting(
        mtg=value["mtg"],
        institution=value["institution"],
        title=_text(value["title"], "title"),
        documents=_documents(value["documents"]),
        roll=roll,
        motions=_motions(value["motions"], tuple(entry.cls for entry in roll.classes)),
        revote=cast("Revote", value["revote"]),
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


def _text(value: Any, where: str) -> str:
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= MAX_TEXT
        or any(character < " " or character == "\x7f" for character in value)
    ):
        raise ValueError(f"{where} is not a text of 1 to {MAX_TEXT} characters without control characters")
    return value


def _list(value: Any, where: str, least: int, most: int) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise ValueError(f"{where} is not a list of {least} to {most}")
    return value


def _unique(values: list[str], where: str) -> None:
    if len(set(values)) != len(values):
        raise ValueError(f"{where}: one is given twice")


def _documents(value: Any) -> tuple[Document, ...]:
    documents = []
    for item in _list(value, "documents", 0, MAX_DOCUMENTS):
        if not isinstance(item, dict) or item.keys() != {"name", "sha256"} or not is_hex_hash(item["sha256"]):
            raise ValueError("a document is not a name and a SHA-256 in lower-case hex")
        documents.append(Document(_text(item["name"], "a document's name"), item["sha256"]))
    _unique([document.name for document in documents], "documents")
    return tuple(documents)


def _motions(value: Any, classes: tuple[str, ...]) -> tuple[Motion, ...]:
    motions = tuple(_motion(item, classes) for item in _list(value, "motions", 1, MAX_MOTIONS))
    _unique([motion.id for motion in motions], "motions")
    return motions


def _motion(value: Any, classes: tuple[str, ...]) -> Motion:
    if not isinstance(value, dict) or value.keys() != {"id", "title", "choices", "max_choices", "rules"}:
        raise ValueError("a motion has other members than id, title, choices, max_choices, rules")
    if not is_motion_id(value["id"]):
        raise ValueError("a motion's id is not a motion id")
    choices = _list(value["choices"], "choices", 2, MAX_CHOICES)
    if not all(is_name(choice) for choice in choices):
        raise ValueError("a choice is not a name")
    _unique(choices, "choices")
    most = value["max_choices"]
    if not is_count(most) or not 1 <= most <= len(choices):
        raise ValueError("max_choices is not between 1 and the number of choices")
    return Motion(
        id=value["id"],
        title=_text(value["title"], "a motion's title"),
        choices=tuple(choices),
        max_choices=most,
        rules=parse_rules(value["rules"], tuple(choices), classes),
    )


def _methods(value: Any) -> tuple[str, ...]:
    methods = _list(value, "methods", 1, MAX_METHODS)
    if not all(is_name(method) for method in methods):
        raise ValueError("a method is not a name")
    _unique(methods, "methods")
    return tuple(methods)


def _genesis(value: Any, institution: str) -> Mapping[str, str]:
    expected = {"identity", arbitration_channel(institution)}
    if not isinstance(value, dict) or value.keys() != expected:
        raise ValueError(f"genesis doesn't name exactly {' and '.join(sorted(expected))}")
    if not all(is_hex_hash(item) for item in value.values()):
        raise ValueError("a genesis hash is not lower-case hex")
    return dict(value)
