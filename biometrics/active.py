"""The challenge as it is answered: a state that advances frame by frame, in one order only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from biometrics.challenge import Step
from biometrics.movements import extent, is_neutral, measured_value, shown_step
from biometrics.reasons import Reason

if TYPE_CHECKING:
    from biometrics.challenge import Challenge
    from biometrics.limits import LivenessLimits
    from biometrics.signals import Signals


class Phase(StrEnum):
    """Where the challenge stands: at rest before a step, a step asked for, all done, or failed."""

    NEUTRAL = "neutral"
    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step as it was answered; times in milliseconds, `value` as measured at its peak."""

    step: Step
    asked_at: int
    shown_at: int
    value: float


@dataclass(slots=True)
class ActiveChallenge:
    """Judges the answer to one challenge from signals in the order of time.

    Each step is asked for only after the face was at rest for `neutral_hold` and the step's pause; a
    movement in that time is too early. While a step is asked for, another movement held for
    `wrong_frames` fails it: STEP_ORDER when it belongs to the challenge, else STEP_WRONG. A short blink
    is never wrong: people blink. One that comes before anybody could have answered is no answer either:
    a blink that is asked for has to begin after it. The last step too has to end at rest.

    Where a step reaches the person only later than it is asked for (`streamed`), what is seen before the
    time given to `prompted` can't complete it: a movement in that time is too early, as at rest.
    """

    limits: LivenessLimits
    challenge: Challenge
    started_at: int
    streamed: bool = False
    phase: Phase = Phase.NEUTRAL
    reason: Reason | None = None
    results: tuple[StepResult, ...] = ()
    _since: int = field(default=0, init=False)  # when the phase began
    _rest: int | None = field(default=None, init=False)  # since when the face has been at rest
    _held: int = field(default=0, init=False)  # frames in which the step asked for was shown
    _peak: float = field(default=0.0, init=False)
    _first: int = field(default=0, init=False)
    _wrong: int = field(default=0, init=False)
    _closed: int | None = field(default=None, init=False)  # since when the eyes have been closed
    _reflex: bool = field(default=False, init=False)  # the eyes closed too early to be an answer
    _prompted: int | None = field(default=None, init=False)  # when the person was told of the step

    def __post_init__(self) -> None:
        self._since = self.started_at

    @property
    def asked(self) -> Step | None:
        """The step that the person is asked for now."""
        return self.challenge.steps[len(self.results)] if self.phase is Phase.ASKED else None

    def advance(self, signals: Signals) -> None:
        """Take the next frame's signals; after DONE or FAILED nothing changes any more."""
        if self.phase is Phase.NEUTRAL:
            self._at_rest(signals)
        elif self.phase is Phase.ASKED:
            if self.streamed and (self._prompted is None or signals.at < self._prompted):
                self._unprompted(signals)
            else:
                self._asked(signals)

    def prompted(self, at: int) -> None:
        """Note that the step asked for was told to the person at `at`; its time runs from then on."""
        if self.phase is Phase.ASKED and self._prompted is None:
            self._prompted = at
            self._since = max(self._since, at)

    def _unprompted(self, signals: Signals) -> None:
        shown = shown_step(self.limits, signals)
        self._reflex = shown is Step.BLINK  # eyes that are still closed at the prompt answer nothing
        early = shown not in (None, Step.BLINK)
        self._wrong = self._wrong + 1 if early else 0
        if self._wrong >= self.limits.wrong_frames:
            self._fail(Reason.STEP_TOO_FAST)

    def _at_rest(self, signals: Signals) -> None:
        if not is_neutral(self.limits, signals):
            moved = shown_step(self.limits, signals)
            if self._rest is not None and moved not in (None, Step.BLINK):
                self._wrong += 1
                if self._wrong >= self.limits.wrong_frames:
                    self._fail(Reason.STEP_TOO_FAST)
                return
            if self._rest is None and signals.at - self._since > self.limits.neutral_within:
                self._fail(Reason.STEP_NOT_NEUTRAL)
            return
        self._wrong = 0
        if self._rest is None:
            self._rest = signals.at
        rested = signals.at - self._rest
        if rested < self.limits.neutral_hold:
            return
        if len(self.results) == len(self.challenge.steps):
            self.phase = Phase.DONE
        elif rested >= self.limits.neutral_hold + self.challenge.pauses[len(self.results)]:
            self.phase, self._since = Phase.ASKED, signals.at
            self._held, self._wrong, self._peak, self._reflex = 0, 0, 0.0, False
            self._prompted = None

    def _asked(self, signals: Signals) -> None:
        step = self.challenge.steps[len(self.results)]
        made = extent(self.limits, signals, step)
        if signals.at - self._since > self.limits.step_within:
            self._fail(Reason.STEP_TIMEOUT)
        elif made >= 1:
            self._shown(step, signals)
        elif step is Step.BLINK and self._held:
            self._finish(step, signals)  # the eyes are open again
        elif made < 0.5:  # noqa: PLR2004  half way into the right movement nothing else is held against it
            self._held, self._reflex = 0, False
            self._other(step, signals)

    def _shown(self, step: Step, signals: Signals) -> None:
        if not self._held:
            self._first = signals.at
            early = signals.at - self._since < self.limits.reaction_at_least
            if step is Step.BLINK and (early or self._reflex):
                self._reflex = True
                return
            if early:
                self._fail(Reason.STEP_TOO_FAST)
                return
        self._held += 1
        value = measured_value(signals, step)
        best = min if step is Step.BLINK else max
        self._peak = value if self._held == 1 else best(self._peak, value)
        if step is Step.BLINK:
            if signals.at - self._first > self.limits.long_closure:
                self._fail(Reason.STEP_WRONG)
        elif self._held >= self.limits.hold_frames:
            self._finish(step, signals)

    def _other(self, step: Step, signals: Signals) -> None:
        other = shown_step(self.limits, signals)
        if other is Step.BLINK:
            self._closed = signals.at if self._closed is None else self._closed
            wrong = signals.at - self._closed > self.limits.long_closure
        else:
            self._closed = None
            self._wrong = 0 if other is None else self._wrong + 1
            wrong = self._wrong >= self.limits.wrong_frames
        if wrong and other is not None:
            belongs = other in self.challenge.steps and other is not step
            self._fail(Reason.STEP_ORDER if belongs else Reason.STEP_WRONG)

    def _finish(self, step: Step, signals: Signals) -> None:
        self.results = (*self.results, StepResult(step, self._since, self._first, self._peak))
        self.phase, self._since, self._rest, self._wrong = Phase.NEUTRAL, signals.at, None, 0

    def _fail(self, reason: Reason) -> None:
        self.phase, self.reason = Phase.FAILED, reason
