"""The result: what the channel wrote, and whether the rules make it of the figures in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.evaluation import decide
from auditor.evidence.errors import EvidenceRefused
from auditor.tally_file import parse_tally
from client.encodings import jcs

if TYPE_CHECKING:
    from auditor.evidence.records import Held
    from client.encodings.motion import Motion


def verify_result(held: Held, *, amended: bool) -> None:
    """Refuse (EVIDENCE_RESULT) a result of another meeting, or whose figures the rules judge otherwise.

    Figures alone don't tell enough where a ballot may choose several, claims are disputed or the roll was
    `amended`; there the result stands as the channel's transaction has it. That the figures are the ballots'
    sum, no package shows: the Regulator's auditor counted them.
    """
    if not held.result:
        return
    meeting = held.meeting
    try:
        result: Any = jcs.loads_canonical(held.result)
        if (result["v"], result["mtg"], result["mh"]) != (1, meeting.mtg, meeting.mh):
            raise ValueError("it is another meeting's")  # noqa: TRY301  one error for every wrong form
        if result["motions"].keys() != {motion.id for motion in meeting.motions}:
            raise ValueError("it has other motions")  # noqa: TRY301  one error for every wrong form
        if not amended and not meeting.roll.disputed:
            roll = jcs.loads(meeting.record)["roll"]
            for motion in meeting.motions:
                _verify_motion(motion, result["motions"][motion.id], roll)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvidenceRefused("EVIDENCE_RESULT", str(error)) from error


def _verify_motion(motion: Motion, found: dict[str, Any], roll: dict[str, Any]) -> None:
    if motion.max_choices > 1:
        return
    present: dict[str, list[int]] = {}
    for cells in found["choices"].values():
        for scope, (heads, fen) in cells.items():
            cell = present.setdefault(scope, [0, 0])
            cell[0] += heads
            cell[1] += fen
    figures = {"v": 1, "roll": roll, "present": present, "choices": found["choices"]}
    tally = parse_tally(figures, motion)
    decision = decide(motion, tally.whole, tally.classes)
    for name, value in decision.items():
        if found.get(name) != value:
            raise ValueError(f"{motion.id}: {name} should be {value}, not {found.get(name)}")
