"""What becomes of an objection: the institution's answer, and the arbitration commission's award."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, Self

from client.encodings import jcs, times
from client.encodings.errors import Refused
from client.encodings.ids import is_hash, is_meeting_id, is_random_id

POSITIONS: Final = ("accepts", "contests")
AWARDS: Final = ("upheld", "partial", "dismissed")
REMEDIES: Final = (
    "none",
    "amend",  # the roll is to be amended
    "recount",  # certification waits for an audit that is anchored after the award
    "revote",  # the meeting can't be certified: it is voided, and another takes its place
)


@dataclass(frozen=True, slots=True)
class _Document:
    """A text of fixed members, all of them strings, with a version; refused with ARGUMENT_FORMAT."""

    mtg: str
    obj: str

    @classmethod
    def parse(cls, document: bytes) -> Self:
        """Return the document of JSON in any form."""
        try:
            value = jcs.loads(document)
        except jcs.JsonError as error:
            raise Refused("ARGUMENT_FORMAT", str(error)) from error
        names = [one.name for one in fields(cls)]
        if not isinstance(value, dict) or value.keys() != {"v", *names}:
            raise Refused("ARGUMENT_FORMAT", "missing or unknown members")
        if type(value["v"]) is not int or value["v"] != 1:
            raise Refused("ARGUMENT_FORMAT", "the version is not 1")
        return cls(**{name: value[name] for name in names})

    def as_json(self) -> dict[str, Any]:
        """Return the members with the version."""
        return {"v": 1, **{one.name: getattr(self, one.name) for one in fields(self)}}

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return jcs.dumps(self.as_json())

    def _demand(self, **checks: bool) -> None:
        known = {"mtg": is_meeting_id(self.mtg), "obj": is_random_id(self.obj), **checks}
        for name, good in known.items():
            if not good:
                raise Refused("ARGUMENT_FORMAT", name)


@dataclass(frozen=True, slots=True)
class Answer(_Document):
    """The institution's answer: `position` is one of POSITIONS, `evidence` a salted commitment."""

    position: str
    evidence: str
    at: str

    def __post_init__(self) -> None:
        """Refuse (ARGUMENT_FORMAT) what no answer may hold."""
        self._demand(
            position=self.position in POSITIONS, evidence=is_hash(self.evidence), at=times.is_time(self.at)
        )


@dataclass(frozen=True, slots=True)
class Award(_Document):
    """The commission's decision; what is dismissed has no remedy. `evidence` is a salted commitment."""

    award: str
    remedy: str
    evidence: str
    at: str

    def __post_init__(self) -> None:
        """Refuse (ARGUMENT_FORMAT) what no award may hold."""
        self._demand(
            award=self.award in AWARDS,
            remedy=self.remedy in REMEDIES and (self.award != "dismissed" or self.remedy == "none"),
            evidence=is_hash(self.evidence),
            at=times.is_time(self.at),
        )
