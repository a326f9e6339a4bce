"""Measure how long the person waits at the end: from the last chunk handed in to the decision."""

from __future__ import annotations

import io
import time
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from biometrics.challenge import Step
from biometrics.service.checker import CheckRequest, SentFrame
from biometrics.service.pool import FacePool, PoolSize
from biometrics.service.service import DEFAULT_CHECKER
from biometrics.synthesis.actor import Actor
from biometrics.synthesis.camera import Camera

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.attacks.campaign import Target
    from biometrics.picture import Picture

CHUNK: Final = 5  # frames
_FRAME_TIME: Final = 100  # milliseconds
_LONGEST: Final = 40_000  # milliseconds
_CHALLENGE: Final = {"v": 1, "steps": ["turn-left", "open-mouth", "nod"], "pauses": [300, 300, 300]}
_Chunk = tuple[list[SentFrame], int | None]


def bench_service(target: Target, reference: Picture, sessions: int) -> dict[str, Any]:
    """Run checks of the packaged checker and policy in a process of a `FacePool`; return the figures.

    `service_decision_ms` is the time by the clock from handing in the last of the chunks (5 frames,
    640 x 480, JPEG) until the decision is back: decoding, tracking, embedding, and the way to the process.
    """
    pool = FacePool(DEFAULT_CHECKER, PoolSize(workers=1, places=1))
    request = CheckRequest(_CHALLENGE, _encoded(reference.pixels, "PNG"))
    try:
        pool.start()
        chunks = _recorded(pool, request, target)
        runs = [_run(pool, request, chunks) for _ in range(sessions)]
    finally:
        pool.close()
    return {
        "service_outcome": runs[0][1],
        "service_decision_ms": round(median(took for took, _ in runs), 1),
        "service_decision_ms_worst": round(max(took for took, _ in runs), 1),
    }


def _recorded(pool: FacePool, request: CheckRequest, target: Target) -> list[_Chunk]:
    """Play one check, prompts followed as they come, and return its chunks, each with its prompt's time."""
    rng = np.random.default_rng(20260301)
    actor, camera = Actor(rng), Camera(rng)
    asked: Step | None = None
    index, told, prompted_at = 0, -1, None
    chunks: list[_Chunk] = []
    place = pool.take()
    try:
        place.begin(request)
        for begins in range(0, _LONGEST, CHUNK * _FRAME_TIME):
            times = range(begins, begins + CHUNK * _FRAME_TIME, _FRAME_TIME)
            frames = [
                SentFrame(at, _encoded(camera.take(target.victim.render(actor.perform(at, asked, index)))))
                for at in times
            ]
            chunks.append((frames, prompted_at))
            fed = place.feed(frames, prompted_at, last=False)
            if fed.result is not None:
                break
            asked = None if fed.progress.asked is None else Step(fed.progress.asked)
            index = fed.progress.index
            if asked is not None and index != told:
                told, prompted_at = index, begins + CHUNK * _FRAME_TIME
    finally:
        place.release()
    return chunks


def _run(pool: FacePool, request: CheckRequest, chunks: list[_Chunk]) -> tuple[float, str]:
    place = pool.take()
    try:
        place.begin(request)
        for frames, prompted_at in chunks[:-1]:
            place.feed(frames, prompted_at, last=False)
        frames, prompted_at = chunks[-1]
        handed_in = time.perf_counter()
        fed = place.feed(frames, prompted_at, last=True)
        took = 1000 * (time.perf_counter() - handed_in)
    finally:
        place.release()
    if fed.result is None:
        raise AssertionError("the last chunk brings the decision")
    return took, fed.result.outcome


def _encoded(pixels: NDArray[np.uint8], kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, quality=95)
    return buffer.getvalue()
