"""Why a picture, a face, a movement or a match was not accepted: stable names, advice for a person."""

from __future__ import annotations

import tomllib
from enum import StrEnum, unique
from functools import cache
from importlib import resources

LANGUAGES = ("en", "zh-CN")


@unique
class Reason(StrEnum):
    """A named reason. The name is stable and goes into decisions; the advice is for the person."""

    # the file
    IMAGE_EMPTY = "IMAGE_EMPTY"
    IMAGE_FORMAT = "IMAGE_FORMAT"
    IMAGE_UNREADABLE = "IMAGE_UNREADABLE"
    IMAGE_TOO_LARGE = "IMAGE_TOO_LARGE"
    IMAGE_TOO_SMALL = "IMAGE_TOO_SMALL"
    IMAGE_ANIMATED = "IMAGE_ANIMATED"
    IMAGE_COLOUR = "IMAGE_COLOUR"
    VIDEO_EMPTY = "VIDEO_EMPTY"
    VIDEO_UNREADABLE = "VIDEO_UNREADABLE"
    VIDEO_TRUNCATED = "VIDEO_TRUNCATED"
    VIDEO_TOO_LARGE = "VIDEO_TOO_LARGE"
    # the face in a frame
    NO_FACE = "NO_FACE"
    SEVERAL_FACES = "SEVERAL_FACES"
    FACE_TOO_SMALL = "FACE_TOO_SMALL"
    FACE_CUT_OFF = "FACE_CUT_OFF"
    HEAD_TURNED = "HEAD_TURNED"
    HEAD_LIFTED = "HEAD_LIFTED"
    HEAD_TILTED = "HEAD_TILTED"
    BLURRED = "BLURRED"
    TOO_DARK = "TOO_DARK"
    TOO_BRIGHT = "TOO_BRIGHT"
    UNEVEN_LIGHT = "UNEVEN_LIGHT"
    OCCLUDED = "OCCLUDED"
    # the match
    TOO_FEW_FRAMES = "TOO_FEW_FRAMES"
    REPLAYED_REFERENCE = "REPLAYED_REFERENCE"
    FRAMES_DISAGREE = "FRAMES_DISAGREE"
    MATCH_BORDERLINE = "MATCH_BORDERLINE"
    MATCH_UNSURE = "MATCH_UNSURE"
    MATCH_FAILED = "MATCH_FAILED"
    SECOND_FACTOR_MISSING = "SECOND_FACTOR_MISSING"
    # the movements asked for
    BASELINE_MISSING = "BASELINE_MISSING"
    STEP_TIMEOUT = "STEP_TIMEOUT"
    STEP_WRONG = "STEP_WRONG"
    STEP_ORDER = "STEP_ORDER"
    STEP_TOO_FAST = "STEP_TOO_FAST"
    STEP_NOT_NEUTRAL = "STEP_NOT_NEUTRAL"
    CHALLENGE_INCOMPLETE = "CHALLENGE_INCOMPLETE"
    # continuity
    FACE_LOST = "FACE_LOST"
    CONTINUITY_BROKEN = "CONTINUITY_BROKEN"
    FACE_CHANGED = "FACE_CHANGED"
    TIME_BACKWARDS = "TIME_BACKWARDS"
    TIME_GAP = "TIME_GAP"
    # what was before the camera, or instead of one
    DUPLICATE_FRAMES = "DUPLICATE_FRAMES"
    SEEN_BEFORE = "SEEN_BEFORE"
    FROZEN_FRAMES = "FROZEN_FRAMES"
    LOOPED_FRAMES = "LOOPED_FRAMES"
    FLAT_FACE = "FLAT_FACE"
    SCREEN_TEXTURE = "SCREEN_TEXTURE"

    @property
    def advice(self) -> str:
        """One English sentence that says what to do about it."""
        return self.advise("en")

    def advise(self, language: str) -> str:
        """Return the advice in one of LANGUAGES; raises KeyError for any other."""
        return advice_table()[self.value][language]


@cache
def advice_table() -> dict[str, dict[str, str]]:
    """Return the packaged advice: reason, language, sentence."""
    text = resources.files("biometrics").joinpath("advice.toml").read_text("utf-8")
    return tomllib.loads(text)
