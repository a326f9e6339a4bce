"""What would have changed a motion, resolution or election, and that in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.election_margin import election_margin
from auditor.evaluation import all_pass, apply_tests
from auditor.margins import margin, motion_margin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.evaluation import Poll
    from client.encodings.motion import Motion


def margin_of(motion: Motion, poll: Poll, classes: Sequence[str]) -> dict[str, Any]:
    """Return `needs`, `switch` and `add` of a poll: of who is elected, or of whether the motion passes."""
    if motion.election is not None:
        return election_margin(motion, poll, classes)
    outcomes = apply_tests(motion, poll, classes, poll.favour)
    pairs = [(one, margin(one, poll, poll.favour)) for one in outcomes]
    return motion_margin(pairs, passed=all_pass(outcomes))


def in_words(found: Mapping[str, Any], *, election: bool) -> str | None:
    """Return a margin as a sentence, None where nothing would have changed it."""
    joined = " or " if found["needs"] == "any" else " and "
    ways = [
        joined.join(
            f"{weight:,} {'ballots' if unit == 'heads' else 'fen'}" for unit, weight in found[how].items()
        )
        + words
        for how, words in (("switch", " cast otherwise"), ("add", " more cast"))
        if found[how] is not None
    ]
    if not ways:
        return None
    if election:
        return f"no less than {', or '.join(ways)}, would have changed who is elected"
    least = "" if found["needs"] == "any" else "at least "
    return f"{least}{', or '.join(ways)}, would have changed it"
