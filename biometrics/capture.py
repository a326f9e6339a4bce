"""Take a capture in: a video file as frames in order; or refuse it by name."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from biometrics.errors import BiometricsError, PictureRefused
from biometrics.frame import frame_of_pixels, reduced
from biometrics.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from biometrics.frame import Frame

MAX_VIDEO_BYTES = 200 * 1024 * 1024
MAX_VIDEO_PIXELS = 1920 * 1080
MAX_VIDEO_MS = 180_000
MAX_FRAMES = 60 * 180
_COMPLETE = 0.9  # of the frames that the header promises have to come
# Containers that cameras and browsers write; what else FFmpeg could open (playlists, sockets, images by
# pattern) is refused by its first bytes.
_SIGNATURES = ((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3"), (8, b"AVI "))
_HEADER = 16


def frames_of_video(path: Path) -> Iterator[Frame]:
    """Yield a video file's frames with their times, the longer side at most 640 pixels.

    Raises PictureRefused (VIDEO_EMPTY, VIDEO_TOO_LARGE, VIDEO_UNREADABLE; VIDEO_TRUNCATED after the last
    frame that could be decoded) and BiometricsError when the file can't be opened. A frame whose time
    the container doesn't tell later than that of the one before is one frame interval later.
    """
    _check_file(path)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # FFmpeg's own log, which OpenCV passes through
    with _quiet():
        video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not video.isOpened():
            raise PictureRefused(Reason.VIDEO_UNREADABLE, str(path), "can't be decoded as a video")
        yield from _decoded(video, str(path))
    finally:
        video.release()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep OpenCV's own complaints about a bad file off stderr: the refusal says it."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _check_file(path: Path) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except OSError as error:
        raise BiometricsError(f"{path}: the video can't be read: {error.strerror or error}") from error
    if not header:
        raise PictureRefused(Reason.VIDEO_EMPTY, str(path), "has no content")
    if size > MAX_VIDEO_BYTES:
        detail = f"has {size:,} bytes, at most {MAX_VIDEO_BYTES:,} are taken"
        raise PictureRefused(Reason.VIDEO_TOO_LARGE, str(path), detail)
    if not any(header[at : at + len(mark)] == mark for at, mark in _SIGNATURES):
        raise PictureRefused(Reason.VIDEO_UNREADABLE, str(path), "is no MP4, WebM, Matroska or AVI video")


def _decoded(video: Any, source: str) -> Iterator[Frame]:
    width, height = int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT))
    rate, promised = float(video.get(cv2.CAP_PROP_FPS)), float(video.get(cv2.CAP_PROP_FRAME_COUNT))
    if width * height > MAX_VIDEO_PIXELS:
        detail = f"is {width} x {height}, at most {MAX_VIDEO_PIXELS:,} pixels are taken"
        raise PictureRefused(Reason.VIDEO_TOO_LARGE, source, detail)
    interval = max(1, round(1000 / rate)) if rate > 0 else 40
    count, last = 0, -interval
    while True:
        read, pixels = video.read()
        if not read:
            break
        count += 1
        told = round(video.get(cv2.CAP_PROP_POS_MSEC))
        last = told if told > last else last + interval
        if last > MAX_VIDEO_MS or count > MAX_FRAMES:
            detail = f"is longer than {MAX_VIDEO_MS // 1000} seconds or {MAX_FRAMES:,} frames"
            raise PictureRefused(Reason.VIDEO_TOO_LARGE, source, detail)
        yield reduced(frame_of_pixels(_rgb(pixels), last))
    if not count:
        raise PictureRefused(Reason.VIDEO_UNREADABLE, source, "holds no frame that can be decoded")
    if 0 < promised < MAX_FRAMES and count < _COMPLETE * promised:
        detail = f"ends after {count} of {promised:.0f} frames"
        raise PictureRefused(Reason.VIDEO_TRUNCATED, source, detail)


def _rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), dtype=np.uint8)
