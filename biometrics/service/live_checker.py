"""The checker of living faces: the challenge drawn for one check, judged while its frames arrive.

A step is told to the person with the answer to the chunk in which it was asked for; what was taken before
that can't complete it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2

from biometrics.challenge import Challenge, Step, draw_challenge
from biometrics.decision import Outcome
from biometrics.frame import Frame
from biometrics.live_decision import decide_live
from biometrics.liveness import LivenessSession, Models
from biometrics.matching import default_matcher
from biometrics.picture import read_picture
from biometrics.policy import default_policy, load_policy
from biometrics.reasons import Reason
from biometrics.service.checker import CheckResult, Progress
from biometrics.service.match_checker import MatchChecker, basis, read_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from biometrics.face import Template
    from biometrics.live_decision import LiveDecision
    from biometrics.liveness import LivenessFinding
    from biometrics.matching import Matcher
    from biometrics.picture import Picture
    from biometrics.service.checker import CheckRequest, SentFrame

FACE_POLICY: Final = "CONCORDAT_FACE_POLICY"
"""Names a file with thresholds, deadlines and the evaluation behind them (as biometrics/policy.toml)."""

CHECKS: Final = ("liveness-active", "liveness-passive", "match")
FRAME_PIXELS: Final = 4_000_000
"""A frame is judged at 640 pixels; what is far larger only costs the others in this process their time."""
_SPARE: Final = 2  # frames a second beyond those needed


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

    @property
    def frames_a_second(self) -> int:
        """Some more than the face policy asks for at least."""
        return self._matcher.policy.liveness.frames_a_second_at_least + _SPARE

    @property
    def attempts_before_other_route(self) -> int:
        """The face policy's number."""
        return self._matcher.policy.liveness.attempts_before_other_route

    def challenge(self, random_bytes: Callable[[int], bytes]) -> Mapping[str, Any]:
        """Draw the steps and the pauses (milliseconds) before them."""
        drawn = draw_challenge(self._matcher.policy.liveness, random_bytes)
        return {"v": 1, "steps": [step.value for step in drawn.steps], "pauses": list(drawn.pauses)}

    def prepare(self) -> None:
        """Load the models by using them once, and keep to one core: the pool's size is the parallelism."""
        cv2.setNumThreads(1)
        self._match.prepare()

    def begin(self, request: CheckRequest) -> RunningLiveCheck:
        """Begin with challenge and reference; raises PictureRefused."""
        policy = self._matcher.policy
        session = LivenessSession(self._models, policy, _parse(request.challenge), streamed=True)
        return RunningLiveCheck(self._matcher, session, *read_reference(self._matcher, request.reference))


class RunningLiveCheck:
    """One liveness session, fed in chunks."""

    def __init__(
        self, matcher: Matcher, session: LivenessSession, reference: Picture, known: Template
    ) -> None:
        self._matcher = matcher
        self._session = session
        self._reference = reference
        self._known = known
        self._digests: list[bytes] = []
        self._replayed = False

    def feed(self, frames: Sequence[SentFrame], prompted_at: int | None) -> Progress:
        """Judge the frames in their order; raises PictureRefused for one that can't be decoded.

        Frames after the one that ended the session are left unread: they can't change anything.
        """
        if prompted_at is not None:
            self._session.prompted(prompted_at)
        before, asked, index = len(self._digests), None, 0
        advice: tuple[Reason, ...] = ()
        for number, sent in enumerate(frames):
            picture = read_picture(sent.data, f"frame {number}", FRAME_PIXELS)
            self._digests.append(picture.pixel_digest)
            self._replayed = self._replayed or picture.same_as(self._reference)
            progress = self._session.feed(Frame(picture, sent.at))
            asked, index, advice = progress.asked, progress.index, progress.advice
            if progress.over:
                break
        return Progress(
            asked=None if asked is None else asked.value,
            index=index,
            advice=tuple(reason.value for reason in advice),
            over=self._session.over,
            digests=tuple(self._digests[before:]),
        )

    def conclude(self) -> CheckResult:
        """Decide: liveness, then the match over the frames of every step."""
        finding = self._session.finish()
        # The service lets nobody come this far without the second factor: the signature is verified before.
        decision = decide_live(self._matcher.policy, self._known, finding, second_factor=True)
        outcome, reasons = decision.outcome, decision.reasons
        if self._replayed:
            outcome, reasons = Outcome.REJECT, (Reason.REPLAYED_REFERENCE,)
        return CheckResult(
            outcome=outcome.value,
            reasons=tuple(reason.value for reason in reasons),
            distance=decision.match.per_mille,
            frames=decision.match.frames,
            basis=basis(self._matcher, CHECKS),
            measured=_measured(finding, decision),
            frame_digests=tuple(self._digests),
            reference_digest=self._reference.pixel_digest,
        )


def make() -> LiveChecker:
    """Return the checker with the models that come along, by the operator's policy or the packaged one.

    Raises PolicyError for a policy that can't be read, or was measured with another embedder.
    """
    named = os.environ.get(FACE_POLICY)
    return LiveChecker(default_matcher(load_policy(Path(named)) if named else default_policy()))


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
            "nose_parallax": [str(shown) for shown in passive.nose_parallax],
            "flat_frames": passive.flat_frames,
            "duplicates": passive.duplicates,
            "longest_still": passive.longest_still,
            "longest_loop": passive.longest_loop,
        },
    }
