r"""One liveness check as it happens: frames in, prompts out, and at the end what was found.

frame -> pacing -> repeats -> tracking -> quality -> signals -> the challenge, texture, flatness
                                              \-> templates of good frames, one set a step
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from biometrics.active import ActiveChallenge, Phase, StepResult
from biometrics.aligned import correlation, grey_of
from biometrics.dlib_models import DlibEmbedder, DlibLandmarker, video_detector
from biometrics.errors import FaceRefused
from biometrics.flatness import TURNS, Flatness
from biometrics.frame import reduced
from biometrics.geometry import overlap
from biometrics.movements import is_neutral
from biometrics.parallax import nose_parallax
from biometrics.quality import assess, shortcomings
from biometrics.reasons import Reason
from biometrics.repeats import Repeats
from biometrics.signals import Baseline, Measures, baseline_of, compare, measure
from biometrics.texture import Texture
from biometrics.tracking import FaceTracker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from biometrics.challenge import Challenge, Step
    from biometrics.face import Face, Template
    from biometrics.frame import Frame
    from biometrics.geometry import Points
    from biometrics.interfaces import Detector, Embedder, Landmarker
    from biometrics.limits import LivenessLimits
    from biometrics.policy import Policy
    from biometrics.repeats import SeenFrames
    from biometrics.signals import Signals

_BLINKING = 0.35  # of the own eyes' openness


@dataclass(frozen=True, slots=True)
class Models:
    """The models that a check runs on; any of them can be replaced."""

    detector: Detector
    landmarker: Landmarker
    embedder: Embedder


def default_models() -> Models:
    """Return dlib's models, the detector set for video."""
    return Models(video_detector(), DlibLandmarker(), DlibEmbedder())


@dataclass(frozen=True, slots=True)
class Progress:
    """What to tell the person now: the step asked for, or advice, and whether the check is over."""

    asked: Step | None
    index: int
    advice: tuple[Reason, ...]
    over: bool


@dataclass(frozen=True, slots=True)
class PassiveFindings:
    """What the passive checks measured, in the units of policy.PassiveLimits."""

    texture_peak: int
    off_plane: int | None
    nose_parallax: tuple[int, ...]
    flat_frames: int
    duplicates: int
    longest_still: int
    longest_loop: int


@dataclass(frozen=True, slots=True, eq=False)
class LivenessFinding:
    """How a check ended. `passed` is true exactly when there are no reasons.

    `complete` says whether every step was made. `templates` are of good frames, the first ones from before
    the challenge and then at least one after each step; `made` those of the very frames that completed a
    step, good or not: whoever made the movement has to match too. `frames` and `milliseconds` count what
    was taken in.
    """

    reasons: tuple[Reason, ...]
    steps: tuple[StepResult, ...]
    passive: PassiveFindings
    complete: bool
    templates: tuple[Template, ...] = field(repr=False)
    made: tuple[Template, ...] = field(repr=False)
    frames: int
    milliseconds: int

    @property
    def passed(self) -> bool:
        """Whether a living person did what was asked, as far as these checks can tell."""
        return not self.reasons


@dataclass(slots=True)
class LivenessSession:
    """Takes the frames of one session in order. Not thread-safe: a session has one stream."""

    models: Models
    policy: Policy
    challenge: Challenge
    ses: str = ""
    seen: SeenFrames | None = None
    streamed: bool = False  # prompts reach the person after whole chunks: `prompted` says when
    _reasons: list[Reason] = field(default_factory=list, init=False)
    _tracker: FaceTracker = field(init=False)
    _repeats: Repeats = field(init=False)
    _flatness: Flatness = field(init=False)
    _texture: Texture = field(default_factory=Texture, init=False)
    _calm: list[Measures] = field(default_factory=list, init=False)
    _baseline: Baseline | None = field(default=None, init=False)
    _active: ActiveChallenge | None = field(default=None, init=False)
    _last: tuple[Face, Measures] | None = field(default=None, init=False)
    _first_at: int | None = field(default=None, init=False)
    _last_at: int = field(default=0, init=False)
    _lost: int = field(default=0, init=False)
    _frames: int = field(default=0, init=False)
    _templates: list[Template] = field(default_factory=list, init=False)
    _made: list[Template] = field(default_factory=list, init=False)
    _rest: tuple[NDArray[np.uint8], Points] | None = field(default=None, init=False)  # a frame at rest
    _wanted: int = field(default=2, init=False)  # good frames still to be embedded before the next event

    def __post_init__(self) -> None:
        self._tracker = FaceTracker(
            self.models.detector, self.models.landmarker, self.policy.quality.width_at_least
        )
        self._repeats = Repeats(self.policy.passive)
        self._flatness = Flatness(self.policy.passive)

    @property
    def over(self) -> bool:
        """Whether nothing that follows can change the finding."""
        return bool(self._reasons) or (
            self._active is not None and self._active.phase is Phase.DONE and not self._wanted
        )

    def feed(self, frame: Frame) -> Progress:
        """Take the next frame and say what to show the person."""
        advice: tuple[Reason, ...] = ()
        frame = reduced(frame)
        if not self.over and self._keeps_pace(frame):
            self._repeats.add(frame)
            self._judge_repeats(frame)
            try:
                face = self._tracker.follow(frame)
            except FaceRefused as error:
                advice = (error.reason,)
                self._miss(error.reason, frame)
            else:
                advice = self._take(face, frame)
        active = self._active
        asked = None if active is None or self._reasons else active.asked
        return Progress(asked, 0 if active is None else len(active.results), advice, self.over)

    def prompted(self, at: int) -> None:
        """Note when the person was told of the step asked for, in the frames' time (`streamed` only)."""
        if self._active is not None:
            self._active.prompted(at)

    def finish(self) -> LivenessFinding:
        """Return the finding; a challenge that isn't done by now is incomplete."""
        reasons = list(self._reasons)
        if not reasons and (self._active is None or self._active.phase is not Phase.DONE):
            reasons.append(Reason.BASELINE_MISSING if self._active is None else Reason.CHALLENGE_INCOMPLETE)
        passive, limits = self._findings(), self.policy.passive
        seconds = (self._last_at - (self._first_at or 0)) / 1000
        if seconds > 1 and self._frames / seconds < self.policy.liveness.frames_a_second_at_least:
            reasons.append(Reason.TIME_GAP)
        if self._flatness.flat:
            reasons.append(Reason.FLAT_FACE)
        if passive.texture_peak > limits.texture_at_most:
            reasons.append(Reason.SCREEN_TEXTURE)
        if not reasons and self._texture.frames < limits.texture_frames:
            reasons.append(Reason.TOO_FEW_FRAMES)
        return LivenessFinding(
            reasons=tuple(dict.fromkeys(reasons)),
            steps=() if self._active is None else self._active.results,
            passive=passive,
            complete=self._active is not None and self._active.phase is Phase.DONE,
            templates=tuple(self._templates),
            made=tuple(self._made),
            frames=self._frames,
            milliseconds=self._last_at - (self._first_at or 0),
        )

    def _findings(self) -> PassiveFindings:
        flatness = self._flatness
        return PassiveFindings(
            texture_peak=round(1000 * self._texture.peak()),
            off_plane=None if flatness.shallowest is None else round(1000 * flatness.shallowest),
            nose_parallax=tuple(round(1000 * shown) for shown in flatness.parallax),
            flat_frames=self._flatness.suspicious,
            duplicates=self._repeats.duplicates,
            longest_still=self._repeats.longest_still,
            longest_loop=self._repeats.looped,
        )

    def _keeps_pace(self, frame: Frame) -> bool:
        """Whether the frame comes after the last one, and not too long after."""
        if self._first_at is None:
            self._first_at = frame.at
        elif frame.at <= self._last_at:
            self._reasons.append(Reason.TIME_BACKWARDS)
            return False
        elif frame.at - self._last_at > self.policy.liveness.frame_gap_at_most:
            self._reasons.append(Reason.TIME_GAP)
            return False
        self._last_at = frame.at
        self._frames += 1
        return True

    def _judge_repeats(self, frame: Frame) -> None:
        limits, repeats = self.policy.passive, self._repeats
        found = {
            Reason.SEEN_BEFORE: self.seen is not None and self.seen.seen_elsewhere(frame, self.ses),
            Reason.DUPLICATE_FRAMES: repeats.duplicates > limits.duplicates_at_most,
            Reason.FROZEN_FRAMES: repeats.frozen,
            Reason.LOOPED_FRAMES: repeats.looped >= limits.loop_frames,
        }
        self._reasons.extend(reason for reason, is_so in found.items() if is_so)

    def _miss(self, reason: Reason, frame: Frame) -> None:
        """A frame without one usable face: before the challenge it only delays, after it it counts."""
        self._last = None
        if self._active is None:
            self._calm.clear()
            self._judge_baseline_time(frame)
            return
        self._lost += 1
        if reason is Reason.SEVERAL_FACES or self._lost > self.policy.liveness.lost_frames_at_most:
            self._reasons.append(reason if reason is Reason.SEVERAL_FACES else Reason.FACE_LOST)

    def _take(self, face: Face, frame: Frame) -> tuple[Reason, ...]:
        measures = measure(face, frame.at)
        if self._active is not None and not self._continues(face, measures):
            self._reasons.append(Reason.CONTINUITY_BROKEN)
            return ()
        self._last, self._lost = (face, measures), 0
        wanting = shortcomings(self.policy.quality, assess(face))
        if self._active is None:
            self._settle(face, frame, measures, wanting)
        else:
            self._answer(face, frame, measures, wanting)
        return wanting

    def _continues(self, face: Face, measures: Measures) -> bool:
        if self._last is None:
            return True
        limits, (before, earlier) = self.policy.liveness, self._last
        alike = correlation(measures.thumbnail, earlier.thumbnail) * 1000 >= limits.likeness_at_least
        return alike and overlap(before.box, face.box) * 1000 >= limits.overlap_at_least

    def _settle(self, face: Face, frame: Frame, measures: Measures, wanting: tuple[Reason, ...]) -> None:
        """Collect the baseline: good frames in a row, in which nothing much moves."""
        limits = self.policy.liveness
        self._judge_baseline_time(frame)
        if wanting:
            self._calm.clear()
            return
        self._calm.append(measures)
        if len(self._calm) < limits.baseline_frames:
            return
        baseline = baseline_of(self._calm)
        if not all(_is_calm(limits, compare(baseline, one)) for one in self._calm):
            self._calm.pop(0)
            return
        self._baseline = baseline
        self._rest = (grey_of(frame.picture.pixels), measures.points)
        self._active = ActiveChallenge(limits, self.challenge, frame.at, self.streamed)
        self._embed(face, self._templates)

    def _judge_baseline_time(self, frame: Frame) -> None:
        if frame.at - (self._first_at or 0) > self.policy.liveness.baseline_within:
            self._reasons.append(Reason.BASELINE_MISSING)

    def _answer(self, face: Face, frame: Frame, measures: Measures, wanting: tuple[Reason, ...]) -> None:
        active, baseline = self._active, self._baseline
        if active is None or baseline is None:
            raise AssertionError("the challenge begins after the baseline")
        signals = compare(baseline, measures)
        done = len(active.results)
        active.advance(signals)
        finished = active.results[-1].step if len(active.results) > done else None
        self._flatness.add(signals, finished)
        if active.reason is not None:
            self._reasons.append(active.reason)
            return
        if finished is not None:
            self._embed(face, self._made)
            self._wanted = 1
            if finished in TURNS and self._rest is not None:
                grey = grey_of(frame.picture.pixels)
                self._flatness.turned(signals.yaw, nose_parallax(*self._rest, grey, measures.points))
        elif not wanting:
            self._texture.add(frame, measures.points)
            if self._wanted and active.phase is not Phase.ASKED:
                self._embed(face, self._templates)
                self._wanted -= 1

    def _embed(self, face: Face, among: list[Template]) -> None:
        among.append(self.models.embedder.embed(face))
        # The same embedder and policy that compare with the reference tell whether it is still the same face.
        if self._templates[0].distance(among[-1]) * 1000 > self.policy.review_at_most:
            self._reasons.append(Reason.FACE_CHANGED)


def _is_calm(limits: LivenessLimits, signals: Signals) -> bool:
    """Whether a frame is at rest, its eyes neither closing nor wider than usual."""
    return is_neutral(limits, signals) and abs(signals.eyes - 1) <= _BLINKING
