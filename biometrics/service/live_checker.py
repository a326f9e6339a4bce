"""The checker of living faces: the challenge drawn for one check, then liveness and match over its frames.

All frames of a check arrive together, so the client paces the person by itself: `pace` says when to
show each step, slowly enough that the checks see rest before and after every movement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from biometrics.challenge import Challenge, Step, draw_challenge
from biometrics.decision import Outcome
from biometrics.errors import FaceRefused, PictureRefused
from biometrics.frame import Frame
from biometrics.live_decision import decide_live
from biometrics.liveness import LivenessSession, Models
from biometrics.matching import default_matcher
from biometrics.picture import read_picture
from biometrics.reasons import Reason
from biometrics.service.checker import CheckResult
from biometrics.service.match_checker import MatchChecker, basis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from biometrics.live_decision import LiveDecision
    from biometrics.liveness import LivenessFinding
    from biometrics.matching import Matcher
    from biometrics.service.checker import CheckRequest

CHECKS: Final = ("liveness-active", "liveness-passive", "match")
_MOVEMENT_MS: Final = 2500  # for a movement and the way back, by somebody who takes their time


class LiveChecker:
    """Decides by liveness first, then by the match over the frames of every step."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._models = Models(matcher.detector, matcher.landmarker, matcher.embedder)
        self._match = MatchChecker(matcher)

    @property
    def method(self) -> str:
        """The face policy's method."""
        return self._matcher.policy.method

    @property
    def complete_within(self) -> int:
        """Seconds from opening to the last frame."""
        return self._matcher.policy.complete_within

    @property
    def valid_for(self) -> int:
        """Seconds that a passed check holds."""
        return self._matcher.policy.valid_for

    def challenge(self, random_bytes: Callable[[int], bytes]) -> Mapping[str, Any]:
        """Draw the steps and the pauses before them; times in milliseconds."""
        limits = self._matcher.policy.liveness
        drawn = draw_challenge(limits, random_bytes)
        between = _MOVEMENT_MS + limits.neutral_hold + limits.pause_at_most
        return {
            "v": 1,
            "steps": [step.value for step in drawn.steps],
            "pauses": list(drawn.pauses),
            "pace": {
                "first_at": limits.neutral_hold + limits.pause_at_most + _MOVEMENT_MS // 2,
                "between": between,
                "rest": _MOVEMENT_MS + 2 * limits.neutral_hold,
                "frames_a_second": limits.frames_a_second_at_least + 2,
            },
        }

    def prepare(self) -> None:
        """Load the models by using them once."""
        self._match.prepare()

    def check(self, request: CheckRequest) -> CheckResult:
        """Judge the frames in their order; raises PictureRefused for one that can't be decoded."""
        reference = read_picture(request.reference, "reference")
        try:
            known = self._matcher.template(reference)
        except FaceRefused as error:
            raise PictureRefused(error.reason, "reference", error.detail) from error
        session = LivenessSession(self._models, self._matcher.policy, _parse(request.challenge))
        digests, replayed = [], False
        for number, sent in enumerate(request.frames):
            picture = read_picture(sent.data, f"frame {number}")
            digests.append(picture.pixel_digest)
            replayed = replayed or picture.same_as(reference)
            session.feed(Frame(picture, sent.at))
        finding = session.finish()
        # The service lets nobody come this far without the second factor: the signature is verified before.
        decision = decide_live(self._matcher.policy, known, finding, second_factor=True)
        outcome, reasons = decision.outcome, decision.reasons
        if replayed:
            outcome, reasons = Outcome.REJECT, (Reason.REPLAYED_REFERENCE,)
        return CheckResult(
            outcome=outcome.value,
            reasons=tuple(reason.value for reason in reasons),
            distance=decision.match.per_mille,
            frames=decision.match.frames,
            basis=basis(self._matcher, CHECKS),
            measured=_measured(finding, decision),
            frame_digests=tuple(digests),
            reference_digest=reference.pixel_digest,
        )


def make() -> LiveChecker:
    """Return the checker with the packaged policy and models."""
    return LiveChecker(default_matcher())


def _parse(challenge: Mapping[str, Any]) -> Challenge:
    return Challenge(tuple(Step(name) for name in challenge["steps"]), tuple(challenge["pauses"]))


def _measured(finding: LivenessFinding, decision: LiveDecision) -> dict[str, Any]:
    """Return what was measured, for the evidence: integers, or text where a value may be negative."""
    passive = finding.passive
    return {
        "frames": finding.frames,
        "milliseconds": finding.milliseconds,
        "match": decision.match.outcome.value,
        "steps": [
            {
                "step": result.step.value,
                "asked_at": result.asked_at,
                "shown_at": result.shown_at,
                "value": f"{result.value:.3f}",
            }
            for result in finding.steps
        ],
        "passive": {
            "texture_peak": str(passive.texture_peak),
            "off_plane": str(passive.off_plane),
            "flat_frames": passive.flat_frames,
            "duplicates": passive.duplicates,
            "longest_still": passive.longest_still,
            "longest_loop": passive.longest_loop,
        },
    }
