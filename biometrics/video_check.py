"""Check a recorded video for life, as if its movements had been asked for one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from biometrics.capture import frames_of_video
from biometrics.errors import PictureRefused
from biometrics.live_decision import decide_live
from biometrics.liveness import LivenessSession, default_models
from biometrics.matching import default_matcher
from biometrics.reasons import Reason

if TYPE_CHECKING:
    from pathlib import Path

    from biometrics.challenge import Challenge
    from biometrics.liveness import LivenessFinding
    from biometrics.picture import Picture
    from biometrics.policy import Policy


def check_video(
    video: Path, challenge: Challenge, policy: Policy, reference: Picture | None
) -> dict[str, Any]:
    """Return the finding for `concordat face liveness --json`.

    A video that ends early is judged by what it holds, with VIDEO_TRUNCATED among the reasons. Raises
    PictureRefused when it can't be read at all, FaceRefused for an unusable reference.
    """
    session = LivenessSession(default_models(), policy, challenge)
    truncated = False
    try:
        for frame in frames_of_video(video):
            session.feed(frame)
            if session.over:
                break
    except PictureRefused as error:
        if error.reason is not Reason.VIDEO_TRUNCATED:
            raise
        truncated = True
    finding = session.finish()
    reasons = (*finding.reasons, *((Reason.VIDEO_TRUNCATED,) if truncated else ()))
    matched = None if reference is None else _match(policy, reference, finding)
    rejected = matched is not None and matched["decision"] != "accept"
    return {
        "passed": not reasons and not rejected,
        "reasons": [reason.value for reason in reasons]
        or (matched["reasons"] if matched and rejected else []),
        "advice": reasons[0].advice if reasons else Reason.MATCH_FAILED.advice if rejected else "",
        "steps": _steps(challenge, finding),
        "passive": {
            name: getattr(finding.passive, name) for name in type(finding.passive).__dataclass_fields__
        },
        "match": matched,
        "frames": finding.frames,
        "milliseconds": finding.milliseconds,
        "policy": policy.id,
    }


def _match(policy: Policy, reference: Picture, finding: LivenessFinding) -> dict[str, Any]:
    known = default_matcher(policy).template(reference)
    decision = decide_live(policy, known, finding, second_factor=True)
    return {
        "distance": decision.match.distance,
        "decision": decision.outcome.value,
        "reasons": [reason.value for reason in decision.reasons],
    }


def _steps(challenge: Challenge, finding: LivenessFinding) -> list[dict[str, Any]]:
    """Return each step's time, measured value and verdict; a step that wasn't reached has neither."""
    steps: list[dict[str, Any]] = [
        {
            "step": result.step.value,
            "asked_ms": result.asked_at,
            "at_ms": result.shown_at,
            "value": round(result.value, 3),
            "verdict": "shown",
        }
        for result in finding.steps
    ]
    for number, step in enumerate(challenge.steps[len(steps) :]):
        verdict = "failed" if number == 0 else "not reached"
        steps.append({"step": step.value, "asked_ms": None, "at_ms": None, "value": None, "verdict": verdict})
    return steps
