"""The result: what the channel wrote, and whether the rules make it of the figures in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.evaluation import decide
from auditor.evidence.errors import EvidenceRefused
from auditor.tally_file import poll_of
from client.encodings import jcs
from client.encodings.errors import Refused
from client.encodings.ids import is_first

if TYPE_CHECKING:
    from auditor.evidence.records import Held
    from client.encodings.motion import Motion
    from client.encodings.roll_summary import RollSummary


def verify_result(held: Held) -> None:
    """Refuse (EVIDENCE_RESULT) a result of another meeting, or whose figures the rules judge otherwise.

    Who is eligible are those on the roll as the amendments in the package left it. Figures alone don't tell
    enough where a ballot may choose several or claims are disputed; there the result stands as the channel's
    transaction has it. That the figures are the ballots' sum, no package shows: the Regulator's auditor
    counted them.
    """
    if not held.result:
        return
    meeting = held.amendments[-1].overlay.meeting(held.meeting) if held.amendments else held.meeting
    try:
        result: Any = jcs.loads_canonical(held.result)
        if not is_first(result["v"]) or (result["mtg"], result["mh"]) != (meeting.mtg, meeting.mh):
            raise ValueError("it is another meeting's")  # noqa: TRY301  one error for every wrong form
        if result["motions"].keys() != {motion.id for motion in meeting.motions}:
            raise ValueError("it has other motions")  # noqa: TRY301  one error for every wrong form
        if not meeting.roll.disputed:
            for motion in meeting.motions:
                _verify_motion(motion, result["motions"][motion.id], meeting.roll)
    except Refused as error:
        raise EvidenceRefused("EVIDENCE_RESULT", error.message) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvidenceRefused("EVIDENCE_RESULT", str(error)) from error


def _verify_motion(motion: Motion, found: dict[str, Any], roll: RollSummary) -> None:
    if motion.max_choices > 1:
        return
    present: dict[str, list[int]] = {}
    for cells in found["choices"].values():
        for scope, (heads, fen) in cells.items():
            cell = present.setdefault(scope, [0, 0])
            cell[0] += heads
            cell[1] += fen
    figures = {"v": 1, "roll": None, "present": present, "choices": found["choices"]}
    decision = decide(motion, poll_of(figures, roll, motion), tuple(entry.cls for entry in roll.classes))
    if found.keys() != decision.keys() | {"choices", "excluded"}:
        raise ValueError(f"{motion.id}: other members than {', '.join(decision)}, choices, excluded")
    for name, value in decision.items():
        if jcs.dumps(found[name]) != jcs.dumps(value):  # as bytes: to Python `true` is equal to 1
            raise ValueError(f"{motion.id}: {name} should be {value}, not {found[name]}")
