"""Anchored audits, objections and awards as the pages list them: who objects, by pseudonym, is not public."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from auditor.replay.meetings import MeetingState

_OBJECTION: Final = ("obj", "ground", "evidence", "door", "ack_time", "tx", "answer", "award")


def objections_of(state: MeetingState) -> tuple[dict[str, Any], ...]:
    """Return a meeting's objections in the chain's order, each with `answer` and `award` or None."""
    disputes = [one.as_json() for one in state.disputes.values()]
    return tuple({name: one[name] for name in _OBJECTION} for one in disputes)


def anchors_of(state: MeetingState) -> tuple[dict[str, Any], ...]:
    """Return the audits that were anchored, in the chain's order."""
    return tuple(one.as_json() for one in state.anchors)
