"""Decide by policy: distances in, one of accept, retry, review, reject out, with reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from biometrics.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.policy import Policy


class Outcome(StrEnum):
    """What happens next: vote, try again, a person looks, or no."""

    ACCEPT = "accept"
    RETRY = "retry"
    REVIEW = "review"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision and what it rests on.

    `per_mille` is the deciding distance in thousandths, rounded up, or None where no distance could
    be taken; `frames` are those of the usable frames, in order. `policy` is the policy's id.
    """

    outcome: Outcome
    per_mille: int | None
    frames: tuple[int, ...]
    reasons: tuple[Reason, ...]
    policy: str

    @property
    def distance(self) -> float | None:
        """The deciding distance, None where none could be taken."""
        return None if self.per_mille is None else self.per_mille / 1000


def decide(  # noqa: PLR0911  one return a band
    policy: Policy,
    distances: Sequence[float],
    refused: Sequence[Reason] = (),
    frames_at_least: int | None = None,
) -> Decision:
    """Decide from the distances of the usable frames and the reasons why others were refused.

    The median decides, on thousandths rounded up, so that the recorded number alone gives the same
    outcome. `frames_at_least` stands for the policy's number for stills. A frame with several faces,
    or too few usable frames, asks for another try.
    """
    frames = tuple(math.ceil(distance * 1000) for distance in distances)
    reasons = tuple(dict.fromkeys(refused))
    deciding = math.ceil(median(frames)) if frames else None
    if deciding is None or len(frames) < (frames_at_least or policy.frames_at_least):
        return Decision(Outcome.RETRY, deciding, frames, reasons or (Reason.TOO_FEW_FRAMES,), policy.id)
    if Reason.SEVERAL_FACES in reasons:
        return Decision(Outcome.RETRY, deciding, frames, reasons, policy.id)
    if deciding > policy.review_at_most:
        return Decision(Outcome.REJECT, deciding, frames, (Reason.MATCH_FAILED,), policy.id)
    if deciding > policy.accept_at_most:
        # An evaluation that can't exclude one false match in a thousand leaves the border to a person.
        if policy.evaluation.is_loose:
            return Decision(Outcome.REVIEW, deciding, frames, (Reason.MATCH_BORDERLINE,), policy.id)
        return Decision(Outcome.RETRY, deciding, frames, (Reason.MATCH_UNSURE,), policy.id)
    if max(frames) > policy.review_at_most:
        # Someone else was before the camera for a while: most frames match, and still a person looks.
        return Decision(Outcome.REVIEW, deciding, frames, (Reason.FRAMES_DISAGREE,), policy.id)
    return Decision(Outcome.ACCEPT, deciding, frames, (), policy.id)


def replayed(policy: Policy) -> Decision:
    """Return the decision on a probe that is the reference itself."""
    return Decision(Outcome.REJECT, None, (), (Reason.REPLAYED_REFERENCE,), policy.id)
