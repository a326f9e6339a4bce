"""The errors of identity verification: one small tree, each with one sentence for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from biometrics.reasons import Reason


class BiometricsError(Exception):
    """Base; the message is one sentence with what, where and what to do."""


class Refused(BiometricsError):  # noqa: N818  a verdict, not a failure
    """A picture, or the face in it, can't be used; `reason` says why, `source` which picture."""

    def __init__(self, reason: Reason, source: str, detail: str) -> None:
        super().__init__(f"{source}: {detail} ({reason}). {reason.advice}")
        self.reason = reason
        self.source = source
        self.detail = detail


class PictureRefused(Refused):
    """The bytes are not a picture that is taken in."""


class FaceRefused(Refused):
    """The picture is readable, but does not show exactly one usable face."""


class PolicyError(BiometricsError):
    """The decision policy can't be read, contradicts itself, or doesn't fit the models."""
