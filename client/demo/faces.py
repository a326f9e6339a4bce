"""Identity checks by a real face: one public-domain portrait stands for a few of the lenders."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import skimage.data
from PIL import Image, ImageEnhance

from biometrics.errors import BiometricsError
from biometrics.matching import default_matcher
from biometrics.picture import picture_of_pixels, read_picture
from biometrics.references import HeldReferences
from biometrics.session import Subject
from biometrics.verification import IdentityVerifier
from client.demo.errors import DemoFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from biometrics.picture import Picture
    from client.encodings.meeting import Meeting
    from client.encodings.records import Session
    from client.enrolment.lender import LenderKey
    from client.sessions import SessionRecorder

METHOD = "face-v1"
_LEAST, _MOST = -9, 9  # degrees by which the probe is turned against the reference


class FaceChecks:
    """Verifies lenders by their face, against the institution's reference, with other pictures of it."""

    def __init__(self, recorder: SessionRecorder, lenders: Sequence[LenderKey]) -> None:
        portrait = picture_of_pixels(_astronaut(), "portrait")
        references = HeldReferences("demonstration-portrait", {lender.sub: portrait for lender in lenders})
        self._verifier = IdentityVerifier(default_matcher(), references, recorder)

    def check(self, meeting: Meeting, lender: LenderKey, number: int) -> tuple[Session, str]:
        """Return the session of lender `number`, recorded on `identity`, and the distance measured."""
        angle = _LEAST + 5 * number % (_MOST - _LEAST)
        verification = self._complete(meeting, lender, [_probe(angle or 4, 0.9 + 0.05 * (number % 5))])
        if verification[0] is None:
            raise DemoFailed(f"the face of {lender.sub} was not accepted: {', '.join(verification[1])}")
        return verification[0], verification[2]

    def check_without_face(self, meeting: Meeting, lender: LenderKey) -> str:
        """Hold a picture without a face to the camera; return the reason why no session came of it."""
        session, reasons, _ = self._complete(meeting, lender, [picture_of_pixels(_coffee(), "frame")])
        if session is not None or not reasons:
            raise DemoFailed("a picture without a face passed the identity check")
        return reasons[0]

    def _complete(
        self, meeting: Meeting, lender: LenderKey, frames: Sequence[Picture]
    ) -> tuple[Session | None, list[str], str]:
        subject = Subject(lender.sub, lender.x5t, lender.institution, meeting.mtg)
        opened = self._verifier.open(subject)
        try:
            verification = self._verifier.complete(opened.ses, subject, frames)
        except BiometricsError as error:
            raise DemoFailed(f"the identity check failed: {error}") from error
        decision = verification.decision
        return verification.session, [str(reason) for reason in decision.reasons], f"{decision.distance}"


def _astronaut() -> NDArray[np.uint8]:
    """Return a portrait in the public domain, which comes with the package."""
    return np.asarray(skimage.data.astronaut(), dtype=np.uint8)  # type: ignore[no-untyped-call]


def _coffee() -> NDArray[np.uint8]:
    return np.asarray(skimage.data.coffee(), dtype=np.uint8)  # type: ignore[no-untyped-call]


def _probe(angle: float, brightness: float) -> Picture:
    """Return another picture of the portrait: turned, brighter or darker, larger, compressed."""
    picture = Image.fromarray(_astronaut())
    turned = picture.rotate(angle, Image.Resampling.BICUBIC)
    resized = ImageEnhance.Brightness(turned).enhance(brightness).resize((600, 600), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    resized.save(stream, "JPEG", quality=85)
    return read_picture(stream.getvalue(), "probe")
