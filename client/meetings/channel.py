"""What the channel says of meetings, parsed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.encodings import jcs
from client.encodings.meeting import meeting_from_json
from client.encodings.step import parse_step
from client.errors import UserError
from client.gateway.errors import EvaluateError

if TYPE_CHECKING:
    from client.encodings.meeting import Meeting
    from client.encodings.step import Step
    from client.platform.chain import Contract


@dataclass(frozen=True, slots=True)
class OnChannel:
    """A meeting as the channel has it: its record, its state, and the step that waits for confirmation."""

    meeting: Meeting
    state: str
    pending: Step | None


def look_up(contract: Contract, mtg: str) -> OnChannel:
    """Ask for a meeting; raise UserError (MEETING_NOT_FOUND) where the channel has none of this id."""
    answer = json.loads(_evaluate(contract, mtg, "GetMeeting", mtg))
    record, pending = answer["record"], answer.get("pending")
    meeting = meeting_from_json(json.loads(record) if isinstance(record, str) else record)
    if answer.get("mh") != meeting.mh:
        raise UserError(
            f"the channel's record of {mtg} doesn't hash to its mh: this peer is not to be trusted"
        )
    step = None
    if pending is not None:
        document = pending.get("step", pending) if isinstance(pending, dict) else json.loads(pending)
        step = parse_step(jcs.dumps(document))
    return OnChannel(meeting, str(answer["state"]), step)


def result_of(contract: Contract, mtg: str) -> dict[str, Any]:
    """Return the result that the channel wrote at closing; raise UserError while there is none."""
    answer: dict[str, Any] | None = json.loads(_evaluate(contract, mtg, "GetResult", mtg) or b"null")
    if answer is None:
        raise UserError(f"meeting {mtg!r} has no result yet: it has to be closed first", code="MEETING_STATE")
    return answer


def list_meetings(contract: Contract) -> list[dict[str, Any]]:
    """Return what the channel lists, in the order of ids."""
    answer = json.loads(contract.evaluate("ListMeetings") or b"[]")
    meetings: list[dict[str, Any]] = answer["meetings"] if isinstance(answer, dict) else answer
    return meetings


def _evaluate(contract: Contract, mtg: str, name: str, *arguments: str) -> bytes:
    try:
        return contract.evaluate(name, *arguments)
    except EvaluateError as error:
        for message in (*error.chaincode_messages, error.message):
            if "MEETING_NOT_FOUND" in message:
                raise UserError(
                    f"there is no meeting {mtg!r} on this channel: see `concordat meeting list`",
                    code="MEETING_NOT_FOUND",
                ) from error
            if "MEETING_STATE" in message:
                raise UserError(
                    f"meeting {mtg!r} has no result yet: it has to be closed first", code="MEETING_STATE"
                ) from error
        raise
