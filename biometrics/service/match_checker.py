"""INSECURE: the checker that only matches faces, without liveness. A picture held to the camera passes it.

Its method says so, and no meeting takes it unless its record names it. For tests.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from biometrics.errors import FaceRefused, PictureRefused
from biometrics.matching import default_matcher
from biometrics.picture import picture_of_pixels, read_picture
from biometrics.service.checker import CheckResult
from client.encodings import hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from biometrics.matching import Matcher
    from biometrics.picture import Picture
    from biometrics.service.checker import CheckRequest

INSECURE_METHOD: Final = "insecure-match"
_log = logging.getLogger(__name__)
_POLICY: Final = b"concordat/face-policy/v1"


class MatchChecker:
    """Decides by `Matcher.match` alone; its evidence says so: `"checks": ["match"]`."""

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

    def check(self, request: CheckRequest) -> CheckResult:
        """Match every frame with the reference; raises PictureRefused."""
        reference = read_picture(request.reference, "reference")
        frames = [read_picture(sent.data, f"frame {number}") for number, sent in enumerate(request.frames)]
        try:
            decision = self._matcher.match(reference, frames)
        except FaceRefused as error:
            raise PictureRefused(error.reason, "reference", error.detail) from error
        return CheckResult(
            outcome=decision.outcome.value,
            reasons=tuple(reason.value for reason in decision.reasons),
            distance=decision.per_mille,
            frames=decision.frames,
            basis=basis(self._matcher, ("match",)),
            measured={},
            frame_digests=tuple(frame.pixel_digest for frame in frames),
            reference_digest=reference.pixel_digest,
        )


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
