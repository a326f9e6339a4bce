"""Decide on a live check: the match over its frames and what the liveness checks found, by policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from biometrics.decision import Outcome, decide
from biometrics.reasons import Reason

if TYPE_CHECKING:
    from biometrics.decision import Decision
    from biometrics.face import Template
    from biometrics.liveness import LivenessFinding
    from biometrics.policy import Policy


@dataclass(frozen=True, slots=True)
class LiveDecision:
    """The decision on a live check, what it rests on, and the evaluation behind its threshold."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    match: Decision
    factors: tuple[str, ...]
    evaluation: str
    policy: str


def decide_live(
    policy: Policy, reference: Template, finding: LivenessFinding, *, second_factor: bool
) -> LiveDecision:
    """Decide: what rules the person out, then what asks for another try, then what a person has to look at.

    A face that doesn't match, and what policy rejects, end the check whatever else was found. A challenge
    that wasn't completed asks for another try and never goes to review: an officer who looks at a few
    frames can't make up for movements that nobody saw. The match is the median over at least
    `frames_at_least` good frames, and every frame that completed a step has to match as well. The face
    alone never accepts: without the second factor (enrolled key, or invitation secret at enrolment) the
    best outcome is another try.
    """
    match = decide(
        policy,
        [template.distance(reference) for template in finding.templates],
        frames_at_least=policy.liveness.frames_at_least,
    )
    if match.outcome is Outcome.ACCEPT and not all(
        template.distance(reference) * 1000 <= policy.review_at_most for template in finding.made
    ):
        match = replace(match, outcome=Outcome.REVIEW, reasons=(Reason.FRAMES_DISAGREE,))
    outcome, reasons = _outcome(policy, match, finding, second_factor=second_factor)
    evaluation = policy.evaluation
    return LiveDecision(
        outcome=outcome,
        reasons=reasons,
        match=match,
        factors=("face", "enrolled-key") if second_factor else ("face",),
        evaluation=f"{evaluation.population}; FMR at most {evaluation.fmr_upper_ppm} ppm (95 %)",
        policy=policy.id,
    )


def _outcome(
    policy: Policy, match: Decision, finding: LivenessFinding, *, second_factor: bool
) -> tuple[Outcome, tuple[Reason, ...]]:
    found = frozenset(finding.reasons)
    if found & policy.rejecting:
        return Outcome.REJECT, finding.reasons
    if match.outcome is Outcome.REJECT:
        return Outcome.REJECT, (*match.reasons, *finding.reasons)
    if found:
        seen_whole = finding.complete and found <= policy.reviewing
        return (Outcome.REVIEW if seen_whole else Outcome.RETRY), finding.reasons
    if match.outcome is Outcome.ACCEPT and not second_factor:
        return Outcome.RETRY, (Reason.SECOND_FACTOR_MISSING,)
    return match.outcome, match.reasons
