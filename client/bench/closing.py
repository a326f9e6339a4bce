"""How long closing and counting take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from client.bench.stage import REGULATOR
from client.errors import Negative
from client.meetings.channel import result_of

if TYPE_CHECKING:
    from client.bench.stage import Staged
    from client.services import Services

_RESULT_SECONDS = 60.0


def close_meeting(services: Services, staged: Staged, accepted: int) -> dict[str, Any]:
    """Close a meeting; return the seconds of both steps, and what the count found.

    `closed_s` is from the proposal of closing to the result at the Regulator's peer; `closing_s` is the
    step before it, which ends acknowledgements. Raises Negative unless every accepted ballot is counted.
    """
    mtg, institution = staged.meeting.mtg, staged.meeting.institution
    convener, supervisor = services.convener(institution), services.supervisor(institution)
    at = staged.meeting.closes_at  # what a step names is its proposer's word: chaincode has no clock
    begin = time.monotonic()
    supervisor.confirm_step(mtg, convener.propose_step(mtg, "closing", at=at), insecure_ahead=True)
    middle = time.monotonic()
    step = convener.propose_step(mtg, "closed", at=at)
    proposed = time.monotonic()
    supervisor.confirm_step(mtg, step, insecure_ahead=True)
    result = result_of(services.arbitration(REGULATOR, "officer", institution), mtg, _RESULT_SECONDS)
    end = time.monotonic()
    if result["ballots"] != accepted:
        raise Negative(f"{accepted} ballots were accepted, the result counts {result['ballots']}")
    return {
        "closing_s": round(middle - begin, 3),
        "closed_s": round(end - middle, 3),
        "proposed_s": round(proposed - middle, 3),
        "subtotals": step.subtotals,
        "counted": result["ballots"],
        "passed": {name: motion["passed"] for name, motion in result["motions"].items()},
    }
