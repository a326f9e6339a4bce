"""Measure what a liveness check costs on one core: CPU a tracked frame, and the wait for the decision."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from biometrics.attacks.campaign import FRAME_TIME
from biometrics.challenge import Challenge, Step
from biometrics.frame import frame_of_pixels
from biometrics.live_decision import decide_live
from biometrics.liveness import LivenessSession
from biometrics.synthesis.actor import Actor
from biometrics.synthesis.camera import Camera

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from biometrics.attacks.campaign import Target
    from biometrics.liveness import Models
    from biometrics.policy import Policy

_CHALLENGE = Challenge((Step.TURN_LEFT, Step.OPEN_MOUTH, Step.NOD), (300, 300, 300))
_LONGEST = 40_000  # milliseconds


@dataclass(frozen=True, slots=True)
class _Run:
    frame_ms: float
    decision_ms: float
    outcome: str
    frames: int


def bench_liveness(models: Models, policy: Policy, target: Target, sessions: int) -> dict[str, Any]:
    """Run `sessions` checks over one rendered sequence and return the figures.

    `cpu_ms_per_frame` is processor time spent on a frame of 640 x 480 from decoded pixels on, templates
    included, as a mean over a session; `decision_ms` the time by the clock from the last frame to the
    decision. `resident_kib` is the memory resident after each tenth of the sessions, as it is then, not its
    peak; `growth_kib` what it gained from the first tenth to the last.
    """
    cv2.setNumThreads(1)
    recording = _recorded(models, policy, target)
    _run(models, policy, target, recording)  # models load on first use
    runs, resident = [], []
    marks = {max(1, sessions * tenth // 10) for tenth in range(1, 11)}
    for number in range(1, sessions + 1):
        runs.append(_run(models, policy, target, recording))
        if number in marks:
            resident.append(_resident())
    return {
        "sessions": sessions,
        "frames_a_session": runs[0].frames,
        "outcome": runs[0].outcome,
        "cpu_ms_per_frame": round(median(run.frame_ms for run in runs), 2),
        "cpu_ms_per_frame_worst_session": round(max(run.frame_ms for run in runs), 2),
        "decision_ms": round(median(run.decision_ms for run in runs), 1),
        "decision_ms_worst": round(max(run.decision_ms for run in runs), 1),
        "resident_kib": resident,
        "growth_kib": resident[-1] - resident[0],
        "synthetic": True,
    }


def _recorded(models: Models, policy: Policy, target: Target) -> list[tuple[int, NDArray[np.uint8]]]:
    """Render one whole session in advance, so that rendering isn't measured."""
    rng = np.random.default_rng(20260301)
    actor, camera = Actor(rng), Camera(rng)
    session = LivenessSession(models, policy, _CHALLENGE)
    recording: list[tuple[int, NDArray[np.uint8]]] = []
    asked: Step | None = None
    index = 0
    for at in range(0, _LONGEST, FRAME_TIME):
        pixels = camera.take(target.victim.render(actor.perform(at, asked, index)))
        recording.append((at, pixels))
        progress = session.feed(frame_of_pixels(pixels, at))
        asked, index = progress.asked, progress.index
        if progress.over:
            break
    return recording


def _run(
    models: Models, policy: Policy, target: Target, recording: list[tuple[int, NDArray[np.uint8]]]
) -> _Run:
    session = LivenessSession(models, policy, _CHALLENGE)
    begun = time.process_time()
    for at, pixels in recording[:-1]:
        session.feed(frame_of_pixels(pixels, at))
    last = time.perf_counter()
    at, pixels = recording[-1]
    session.feed(frame_of_pixels(pixels, at))
    decision = decide_live(policy, target.reference, session.finish(), second_factor=True)
    decided = time.perf_counter()
    return _Run(
        frame_ms=1000 * (time.process_time() - begun) / len(recording),
        decision_ms=1000 * (decided - last),
        outcome=decision.outcome.value,
        frames=len(recording),
    )


def _resident() -> int:
    """Return the memory resident now, in KiB (proc(5): the second number of statm, in pages)."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize() // 1024
