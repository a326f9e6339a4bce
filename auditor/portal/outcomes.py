"""What a closed meeting came to, motion by motion: choices, tests, and what more would have changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.evaluation import apply_tests, decide
from auditor.margins import margin
from auditor.motion_margins import margin_of
from auditor.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.evaluation import Poll
    from auditor.replay.meetings import MeetingState
    from client.encodings.motion import Motion


def outcomes_of(state: MeetingState) -> tuple[dict[str, Any], ...]:
    """Return the motions of a meeting that has a result, as the replay counted it.

    Raises ValueError for a running one.

    Each has `id`, `title`, `passed`, `choices` ([choice, heads, fen]), `tests` and `margin` as
    `concordat rules evaluate` has them, or `election`.
    """
    if state.tally is None:
        raise ValueError("a running count is shown to nobody")
    amended = state.amended
    counted = state.tally
    classes = tuple(entry.cls for entry in amended.roll.classes)
    return tuple(_motion(motion, counted.motions[motion.id].whole, classes) for motion in amended.motions)


def _motion(motion: Motion, poll: Poll, classes: Sequence[str]) -> dict[str, Any]:
    decision = decide(motion, poll, classes)
    weights = {choice: poll.choices.get(choice, Weights()) for choice in motion.choices}
    value: dict[str, Any] = {
        "id": motion.id,
        "title": motion.title,
        "passed": decision["passed"],
        "choices": [
            [choice, one.of("all", "heads"), one.of("all", "fen")] for choice, one in weights.items()
        ],
        "tests": [],
        "margin": margin_of(motion, poll, classes),
        "election": None,
    }
    if motion.election is not None:
        return value | {"election": _election(decision["election"])}
    outcomes = apply_tests(motion, poll, classes, poll.favour)
    pairs = [(one, margin(one, poll, poll.favour)) for one in outcomes]
    return value | {"tests": [one.as_json() | {"margin": own.as_json()} for one, own in pairs]}


def _election(election: dict[str, Any]) -> dict[str, Any]:
    return {name: election[name] for name in ("outcome", "elected", "tied", "candidates")}
