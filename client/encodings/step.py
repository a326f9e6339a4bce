"""Steps of a meeting's life: proposed by one org, confirmed by the Regulator by digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from client.encodings import hashes, jcs, times
from client.encodings.errors import Refused
from client.encodings.ids import is_count

To = Literal["open", "closing", "closed", "objections", "certified", "void"]

STATES: Final = ("open", "closing", "closed", "objections", "certified", "void")
MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Step:
    """A transition of a meeting to the state `to`, at a time.

    `void` needs a reason; `closed` needs the number of ballots and subtotals found. No
    other step carries them.
    """

    to: To
    at: str
    reason: str | None = None
    ballots: int | None = None
    subtotals: int | None = None

    def __post_init__(self) -> None:
        """Refuse (STEP_FORMAT) a step that lacks what it needs, or carries what it doesn't."""
        if self.to not in STATES:
            raise Refused("STEP_FORMAT", "the state is none that a step leads to")
        if not times.is_time(self.at):
            raise Refused("STEP_FORMAT", "at is not a time")
        if (self.reason is None) != (self.to != "void"):
            raise Refused("STEP_FORMAT", "void needs a reason, no other step has one")
        if self.reason is not None and not is_reason(self.reason):
            raise Refused("STEP_FORMAT", f"the reason is not 1 to {MAX_REASON} printable characters")
        counts = (self.ballots, self.subtotals)
        if self.to == "closed":
            if not all(is_count(count) for count in counts):
                raise Refused("STEP_FORMAT", "closed needs the numbers of ballots and subtotals")
        elif counts != (None, None):
            raise Refused("STEP_FORMAT", "only closed carries numbers of ballots and subtotals")

    def encode(self) -> bytes:
        """Return the step's canonical bytes."""
        value: dict[str, Any] = {"to": self.to, "at": self.at}
        for name in ("reason", "ballots", "subtotals"):
            member = getattr(self, name)
            if member is not None:
                value[name] = member
        return jcs.dumps(value)

    @property
    def digest(self) -> str:
        """What the Regulator confirms."""
        return hashes.digest(hashes.STEP, self.encode())


def is_reason(value: object) -> bool:
    """Say whether `value` is a reason: 1 to 500 printable characters."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= MAX_REASON
        and not any(character < " " or character == "\x7f" for character in value)
    )


def parse_step(data: bytes) -> Step:
    """Return the step of canonical bytes; refuse with STEP_FORMAT."""
    try:
        value = jcs.loads_canonical(data)
    except jcs.JsonError as error:
        raise Refused("STEP_FORMAT", str(error)) from error
    if (
        not isinstance(value, dict)
        or not {"to", "at"} <= value.keys() <= {"to", "at", "reason", "ballots", "subtotals"}
        or None in value.values()
    ):
        raise Refused("STEP_FORMAT", "missing or unknown members")
    if not isinstance(value["to"], str):
        raise Refused("STEP_FORMAT", "to is no string")
    return Step(
        cast("To", value["to"]),
        value["at"],
        value.get("reason"),
        value.get("ballots"),
        value.get("subtotals"),
    )
