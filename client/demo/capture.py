"""What stands before the demonstration's camera, rendered, and how its frames reach the service."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2

from biometrics.challenge import Step
from biometrics.service.checker import SentFrame
from biometrics.service.proofs import chunk_digest, sign_chunk

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from biometrics.synthesis.actor import Actor
    from biometrics.synthesis.camera import Camera
    from biometrics.synthesis.render import Renderer
    from client.demo.visitor import Visitor

_QUALITY: Final = 85  # of the JPEG that a capture page sends
_CHUNK: Final = 5  # frames
_FRAME_TIME: Final = 100  # milliseconds


@dataclass(slots=True)
class CaptureClock:
    """The clock of the rendered capture, in milliseconds: rendering keeps no real time.

    The service of the demonstration goes by it, where a real one goes by its own.
    """

    now: int = 0

    def __call__(self) -> int:
        """Return the time of the latest frame."""
        return self.now


@dataclass(slots=True)
class Person:
    """Somebody before the camera, rendered: does what is asked, as a living face would."""

    renderer: Renderer
    camera: Camera
    actor: Actor

    def frame(self, at: int, asked: Step | None, index: int) -> bytes:
        """Return the frame at a time (milliseconds), `asked` being shown as step `index` just now."""
        return _jpeg(self.camera.take(self.renderer.render(self.actor.perform(at, asked, index))))


@dataclass(slots=True)
class StillPhoto:
    """A photo held up to the camera: it does nothing."""

    renderer: Renderer
    camera: Camera

    def frame(self, at: int, asked: Step | None, index: int) -> bytes:
        """Return the frame at a time."""
        del at, asked, index
        return _jpeg(self.camera.take(self.renderer.portrait.pixels))


def present(
    visitor: Visitor, opened: Mapping[str, Any], scope: str, shown: Person | StillPhoto, clock: CaptureClock
) -> dict[str, Any]:
    """Send signed chunks of frames, doing what each answer asks for; return the check's status.

    This is the one place that knows how frames reach the service.
    """
    ses, began = opened["ses"], clock.now
    told: dict[str, Any] = {"over": False, "asked": None, "index": 0}
    previous, number = "", 0
    while not told["over"]:
        asked = None if told["asked"] is None else Step(told["asked"])
        frames = []
        for _ in range(_CHUNK):
            clock.now += _FRAME_TIME
            at = clock.now - began
            frames.append(SentFrame(at, shown.frame(at, asked, told["index"])))
        proof = sign_chunk(
            visitor.lender.key,
            visitor.thumbprint,
            ses=ses,
            nonce=opened["nonce"],
            sub=visitor.lender.sub,
            mtg=scope,
            frames=frames,
            chunk=number,
            previous=previous,
        )
        parts = [("frames", (f"{index}.jpg", sent.data, "image/jpeg")) for index, sent in enumerate(frames)]
        times = json.dumps([sent.at for sent in frames])
        told = visitor.sent(
            "POST", f"/v1/checks/{ses}/frames", data={"proof": proof, "times": times}, files=parts
        )
        previous, number = chunk_digest(opened["nonce"], number, previous, frames), number + 1
    return visitor.sent("GET", f"/v1/checks/{ses}")


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    # OpenCV takes the channels in the other order.
    encoded: Any = cv2.imencode(".jpg", pixels[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1]
    return bytes(encoded)
