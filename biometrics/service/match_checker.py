"""INSECURE: the checker that only matches faces, without liveness. A picture held to the camera passes it.

It asks for nothing and is over only with the client's last frame. Its method says so, and no meeting takes it
unless its record names it. For tests.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometrics.decision import decide, replayed
from biometrics.errors import FaceRefused, PictureRefused
from biometrics.matching import default_matcher
from biometrics.picture import picture_of_pixels, read_picture
from biometrics.service.checker import CheckResult, Progress
from client.encodings import hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from biometrics.face import Template
    from biometrics.matching import Matcher
    from biometrics.picture import Picture
    from biometrics.reasons import Reason
    from biometrics.service.checker import CheckRequest, SentFrame

INSECURE_METHOD: Final = "insecure-match"
_log = logging.getLogger(__name__)
_POLICY: Final = b"concordat/face-policy/v1"
_FRAMES_A_SECOND: Final = 4


class MatchChecker:
    """Decides by the match alone; its evidence says so: `"checks": ["match"]`."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    @property
    def method(self) -> str:
        """Not the face policy's: nobody was seen to be alive."""
        return INSECURE_METHOD

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
        """A few, to choose from."""
        return _FRAMES_A_SECOND

    @property
    def attempts_before_other_route(self) -> int:
        """The face policy's number."""
        return self._matcher.policy.liveness.attempts_before_other_route

    def challenge(self, random_bytes: Callable[[int], bytes]) -> Mapping[str, Any]:
        """Ask for nothing but a face."""
        del random_bytes
        return {"v": 1, "steps": []}

    def prepare(self) -> None:
        """Load the models by using them once."""
        blank = _blank()
        try:
            self._matcher.template(blank)
        except FaceRefused:
            return

    def begin(self, request: CheckRequest) -> RunningMatch:
        """Begin with the reference; raises PictureRefused."""
        return RunningMatch(self._matcher, *read_reference(self._matcher, request.reference))


class RunningMatch:
    """The distances of the frames so far; no picture is kept."""

    def __init__(self, matcher: Matcher, reference: Picture, known: Template) -> None:
        self._matcher = matcher
        self._reference = reference
        self._known = known
        self._distances: list[float] = []
        self._refused: list[Reason] = []
        self._digests: list[bytes] = []
        self._replayed = False

    def feed(self, frames: Sequence[SentFrame], prompted_at: int | None) -> Progress:
        """Match the frames with the reference; raises PictureRefused."""
        del prompted_at
        before = len(self._digests)
        advice: tuple[str, ...] = ()
        for number, sent in enumerate(frames):
            picture = read_picture(sent.data, f"frame {number}")
            self._digests.append(picture.pixel_digest)
            self._replayed = self._replayed or picture.same_as(self._reference)
            advice = self._match(picture)
        return Progress(None, 0, advice, over=False, digests=tuple(self._digests[before:]))

    def conclude(self) -> CheckResult:
        """Decide by the median distance."""
        policy = self._matcher.policy
        decision = replayed(policy) if self._replayed else decide(policy, self._distances, self._refused)
        return CheckResult(
            outcome=decision.outcome.value,
            reasons=tuple(reason.value for reason in decision.reasons),
            distance=decision.per_mille,
            frames=decision.frames,
            basis=basis(self._matcher, ("match",)),
            measured={},
            frame_digests=tuple(self._digests),
            reference_digest=self._reference.pixel_digest,
        )

    def _match(self, picture: Picture) -> tuple[str, ...]:
        try:
            self._distances.append(self._matcher.template(picture).distance(self._known))
        except FaceRefused as error:
            self._refused.append(error.reason)
            return (error.reason.value,)
        return ()


def read_reference(matcher: Matcher, data: bytes) -> tuple[Picture, Template]:
    """Return the reference picture and its template; raises PictureRefused, also where no face is usable."""
    reference = read_picture(data, "reference")
    try:
        return reference, matcher.template(reference)
    except FaceRefused as error:
        raise PictureRefused(error.reason, "reference", error.detail) from error


def basis(matcher: Matcher, checks: tuple[str, ...]) -> dict[str, Any]:
    """Return what a verdict rests on: checks made, policy, evaluation, models."""
    policy = matcher.policy
    return {
        "checks": list(checks),
        "policy": {"id": policy.id, "digest": hashes.digest(_POLICY, policy.canonical)},
        "evaluation": {
            "population": policy.evaluation.population,
            "impostor_pairs": policy.evaluation.impostor_pairs,
            "fmr_upper_ppm": policy.evaluation.fmr_upper_ppm,
        },
        "models": {
            "detector": matcher.detector.name,
            "landmarker": matcher.landmarker.name,
            "embedder": matcher.embedder.name,
        },
    }


def make() -> MatchChecker:
    """Return the checker with the packaged policy and models. It warns."""
    _log.warning("checks by method %s: NO LIVENESS, a picture passes; for tests only", INSECURE_METHOD)
    return MatchChecker(default_matcher())


def _blank() -> Picture:
    return picture_of_pixels(np.zeros((128, 128, 3), dtype=np.uint8), "blank")
