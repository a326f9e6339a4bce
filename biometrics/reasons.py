"""Why a picture, a face or a match was not accepted: stable names, and advice a person can follow."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Reason(StrEnum):
    """A named reason. The name is stable and goes into decisions; `advice` is for the person."""

    IMAGE_EMPTY = "IMAGE_EMPTY"
    IMAGE_FORMAT = "IMAGE_FORMAT"
    IMAGE_UNREADABLE = "IMAGE_UNREADABLE"
    IMAGE_TOO_LARGE = "IMAGE_TOO_LARGE"
    IMAGE_TOO_SMALL = "IMAGE_TOO_SMALL"
    IMAGE_ANIMATED = "IMAGE_ANIMATED"
    IMAGE_COLOUR = "IMAGE_COLOUR"
    NO_FACE = "NO_FACE"
    SEVERAL_FACES = "SEVERAL_FACES"
    FACE_TOO_SMALL = "FACE_TOO_SMALL"
    FACE_CUT_OFF = "FACE_CUT_OFF"
    TOO_FEW_FRAMES = "TOO_FEW_FRAMES"
    REPLAYED_REFERENCE = "REPLAYED_REFERENCE"
    FRAMES_DISAGREE = "FRAMES_DISAGREE"
    MATCH_BORDERLINE = "MATCH_BORDERLINE"
    MATCH_FAILED = "MATCH_FAILED"

    @property
    def advice(self) -> str:
        """One sentence that says what to do about it."""
        return _ADVICE[self]


_ADVICE = {
    Reason.IMAGE_EMPTY: "Send the picture again: what arrived has no content.",
    Reason.IMAGE_FORMAT: "Send a JPEG or PNG picture.",
    Reason.IMAGE_UNREADABLE: "Take the picture again: this one is damaged or incomplete.",
    Reason.IMAGE_TOO_LARGE: "Send a smaller picture.",
    Reason.IMAGE_TOO_SMALL: "Send a larger picture.",
    Reason.IMAGE_ANIMATED: "Send a still picture, not an animation.",
    Reason.IMAGE_COLOUR: "Send the picture in ordinary colour (RGB) or grey, without transparent parts.",
    Reason.NO_FACE: "Look straight at the camera, in good light, with nothing before your face.",
    Reason.SEVERAL_FACES: "Be alone in the picture.",
    Reason.FACE_TOO_SMALL: "Come closer to the camera.",
    Reason.FACE_CUT_OFF: "Keep your whole face inside the picture.",
    Reason.TOO_FEW_FRAMES: "Stay before the camera a little longer.",
    Reason.REPLAYED_REFERENCE: "Use the camera: this is the reference picture itself.",
    Reason.FRAMES_DISAGREE: "Nobody else may come before the camera; a person will look at this.",
    Reason.MATCH_BORDERLINE: "The comparison is too close to call; a person will look at it.",
    Reason.MATCH_FAILED: "This face is not the one on record; use the other route if that is wrong.",
}
