from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from biometrics.capture import frames_of_video
from biometrics.errors import BiometricsError, PictureRefused

if TYPE_CHECKING:
    from pathlib import Path

    from biometrics.frame import Frame


def written(path: Path, frames: int = 20, size: tuple[int, int] = (320, 240)) -> Path:
    code = cv2.VideoWriter.fourcc(*"MJPG")
    video = cv2.VideoWriter(str(path), code, 10, size)
    rng = np.random.default_rng(1)
    for _ in range(frames):
        video.write(rng.integers(0, 255, (size[1], size[0], 3)).astype(np.uint8))
    video.release()
    return path


def test_frames_come_in_order_with_their_times(tmp_path: Path) -> None:
    frames = list(frames_of_video(written(tmp_path / "v.avi")))
    times = [frame.at for frame in frames]
    assert len(frames) == 20
    assert times == sorted(set(times))
    assert 1800 <= times[-1] - times[0] <= 2000


def test_large_frames_are_reduced(tmp_path: Path) -> None:
    frame = next(iter(frames_of_video(written(tmp_path / "v.avi", 2, (1280, 720)))))
    assert (frame.picture.width, frame.picture.height) == (640, 360)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "VIDEO_EMPTY"),
        (b"no video at all", "VIDEO_UNREADABLE"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "VIDEO_UNREADABLE"),
        (b"\0\0\0\x20ftypisom" + bytes(100), "VIDEO_UNREADABLE"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "v.mp4").write_bytes(data)
    with pytest.raises(PictureRefused) as caught:
        list(frames_of_video(tmp_path / "v.mp4"))
    assert caught.value.reason == reason


def test_a_cut_video_is_refused_after_its_last_frame(tmp_path: Path) -> None:
    whole = written(tmp_path / "v.avi", 40).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) // 2])
    frames: list[Frame] = []
    with pytest.raises(PictureRefused) as caught:
        frames.extend(frames_of_video(tmp_path / "cut.avi"))
    assert caught.value.reason in {"VIDEO_TRUNCATED", "VIDEO_UNREADABLE"}
    assert len(frames) < 36


def test_a_video_larger_than_full_hd_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureRefused, match="VIDEO_TOO_LARGE"):
        list(frames_of_video(written(tmp_path / "v.avi", 1, (2048, 1152))))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BiometricsError, match=r"none\.mp4"):
        list(frames_of_video(tmp_path / "none.mp4"))
