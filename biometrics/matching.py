"""Match frames against a reference picture: the pipeline from pictures to a decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from biometrics.decision import decide, replayed
from biometrics.dlib_models import DlibDetector, DlibEmbedder, DlibLandmarker
from biometrics.errors import FaceRefused, PolicyError
from biometrics.locate import locate_face
from biometrics.policy import default_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.decision import Decision
    from biometrics.face import Template
    from biometrics.interfaces import Detector, Embedder, Landmarker
    from biometrics.picture import Picture
    from biometrics.policy import Policy


@dataclass(frozen=True, slots=True)
class Matcher:
    """Compares faces with one set of models under one policy.

    Raises PolicyError when the policy was measured with another embedder.
    """

    detector: Detector
    landmarker: Landmarker
    embedder: Embedder
    policy: Policy

    def __post_init__(self) -> None:
        if self.embedder.name != self.policy.embedder:
            raise PolicyError(
                f"policy {self.policy.id} holds for templates of {self.policy.embedder}, "
                f"not of {self.embedder.name}; name the policy measured with it"
            )

    def template(self, picture: Picture) -> Template:
        """Return the template of the picture's one face; raises FaceRefused."""
        face = locate_face(picture, self.detector, self.landmarker, self.policy.width_at_least)
        return self.embedder.embed(face)

    def match(self, reference: Picture, frames: Sequence[Picture]) -> Decision:
        """Decide whether the frames show the reference's person.

        A frame without one usable face is left out and its reason kept. Raises FaceRefused when the
        reference itself shows no usable face: that is no fault of the person before the camera.
        """
        if any(frame.same_as(reference) for frame in frames):
            return replayed(self.policy)
        known = self.template(reference)
        distances, refused = [], []
        for frame in frames:
            try:
                distances.append(self.template(frame).distance(known))
            except FaceRefused as error:
                refused.append(error.reason)
        return decide(self.policy, distances, refused)


def default_matcher(policy: Policy | None = None) -> Matcher:
    """Return a matcher with dlib's models and the given policy, or the packaged one."""
    return Matcher(DlibDetector(), DlibLandmarker(), DlibEmbedder(), policy or default_policy())
