"""Frames as they arrive: counted, measured, told apart from what is no picture at all; not decoded here."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from biometrics.picture import SIGNATURES
from biometrics.reasons import Reason
from biometrics.service.checker import SentFrame
from biometrics.terms.errors import ServiceRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.terms.policy import ServicePolicy

_STATUS: Final = {Reason.IMAGE_TOO_LARGE: 413, Reason.IMAGE_FORMAT: 415}
UNPROCESSABLE: Final = 422
_DAY_MS: Final = 86_400_000


class PictureTurnedAway(ServiceRefused):
    """A frame can't be used; `code` is the picture's own reason, `status` the HTTP status for it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__("REQUEST_FORMAT", detail, reasons=(reason.value,))
        self.code = reason.value
        self.status = _STATUS.get(reason, UNPROCESSABLE)


def parse_chunk(times: Any, pictures: Sequence[bytes], policy: ServicePolicy) -> tuple[SentFrame, ...]:
    """Return the frames of a chunk.

    `times` are milliseconds since the capture began, rising, of one day at most. Raises ServiceRefused
    (FRAMES_COUNT, FRAMES_TIMES) and PictureTurnedAway for bytes that can't be a picture.
    """
    if not 1 <= len(pictures) <= policy.chunk_frames_at_most:
        raise ServiceRefused("FRAMES_COUNT", f"{len(pictures)} frames")
    if not isinstance(times, list) or len(times) != len(pictures):
        raise ServiceRefused("FRAMES_TIMES", "one time a frame is needed")
    if not all(type(at) is int and 0 <= at <= _DAY_MS for at in times):
        raise ServiceRefused("FRAMES_TIMES", f"times are integers from 0 to {_DAY_MS}")
    if not all(earlier < later for earlier, later in pairwise(times)):
        raise ServiceRefused("FRAMES_TIMES", "times must rise")
    for number, data in enumerate(pictures):
        _look_at(number, data, policy)
    return tuple(SentFrame(at, data) for at, data in zip(times, pictures, strict=True))


def _look_at(number: int, data: bytes, policy: ServicePolicy) -> None:
    where = f"frame {number}"
    if not data:
        raise PictureTurnedAway(Reason.IMAGE_EMPTY, f"{where} has no content")
    if len(data) > policy.frame_bytes_at_most:
        raise PictureTurnedAway(
            Reason.IMAGE_TOO_LARGE, f"{where} has more than {policy.frame_bytes_at_most} bytes"
        )
    if not data.startswith(SIGNATURES):
        raise PictureTurnedAway(Reason.IMAGE_FORMAT, f"{where} is neither JPEG nor PNG")


def turned_away(reason: str, source: str) -> PictureTurnedAway:
    """Return the refusal of a picture that a process of the pool couldn't use."""
    known = Reason(reason) if reason in set(Reason) else Reason.IMAGE_UNREADABLE
    return PictureTurnedAway(known, source)
