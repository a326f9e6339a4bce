"""What the channel says of meetings, parsed."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.encodings import jcs
from client.encodings.meeting import meeting_from_json
from client.encodings.step import parse_step
from client.errors import UserError
from client.gateway.errors import EvaluateError
from client.platform.chain import LAG_SECONDS, refusal_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.encodings.meeting import Meeting
    from client.encodings.step import Step
    from client.platform.chain import Contract

_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class OnChannel:
    """A meeting as the channel has it: its record, its state, and the step that waits for confirmation.

    `count` is (ballots, subtotals) as the channel finds them while the meeting is closing.
    """

    meeting: Meeting
    state: str
    pending: Step | None
    count: tuple[int, int] | None


def look_up(contract: Contract, mtg: str) -> OnChannel:
    """Ask for a meeting; raise UserError (MEETING_NOT_FOUND) where the channel has none of this id."""
    try:
        answer = json.loads(contract.evaluate("GetMeeting", mtg))
    except EvaluateError as error:
        if refusal_code(error) == "MEETING_NOT_FOUND":
            raise _unknown(mtg) from error
        raise
    record, pending = answer["record"], answer.get("pending")
    meeting = meeting_from_json(record)
    if answer.get("mh") != meeting.mh:
        raise UserError(
            f"the channel's record of {mtg} doesn't hash to its mh: this peer is not to be trusted"
        )
    step = None if pending is None else parse_step(jcs.dumps(pending["step"]))
    count = answer.get("count")
    found = None if count is None else (int(count["ballots"]), int(count["subtotals"]))
    return OnChannel(meeting, str(answer["state"]), step, found)


def wait_until(
    contract: Contract, mtg: str, condition: Callable[[OnChannel], bool], seconds: float = LAG_SECONDS
) -> OnChannel:
    """Ask until a meeting is as expected; return it as it is when the time is over, like `look_up`.

    What is committed at one org's peer reaches the others' a moment later.
    """
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() >= deadline
        try:
            there = look_up(contract, mtg)
        except UserError as error:
            if late or error.code != "MEETING_NOT_FOUND":
                raise
        else:
            if late or condition(there):
                return there
        time.sleep(_POLL_SECONDS)


def result_of(contract: Contract, mtg: str, seconds: float = 0.0) -> dict[str, Any]:
    """Return the result that the channel wrote at closing; raise UserError while there is none.

    `seconds` is how long to wait for a peer that may be behind the one where the closing was confirmed.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            result: dict[str, Any] = json.loads(contract.evaluate("GetResult", mtg))
        except EvaluateError as error:
            code = refusal_code(error)
            if code == "MEETING_NOT_FOUND":
                raise _unknown(mtg) from error
            if code != "MEETING_STATE":
                raise
            if time.monotonic() >= deadline:
                raise UserError(
                    f"meeting {mtg!r} has no result yet: it has to be closed first", code=code
                ) from error
        else:
            return result
        time.sleep(_POLL_SECONDS)


def list_meetings(contract: Contract) -> list[dict[str, Any]]:
    """Return what the channel lists, in the order of ids."""
    answer = json.loads(contract.evaluate("ListMeetings") or b"[]")
    return list(answer)


def _unknown(mtg: str) -> UserError:
    return UserError(
        f"there is no meeting {mtg!r} on this channel: see `concordat meeting list`", code="MEETING_NOT_FOUND"
    )
