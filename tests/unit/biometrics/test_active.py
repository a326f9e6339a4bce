from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from biometrics.active import ActiveChallenge, Phase
from biometrics.challenge import Challenge, Step
from biometrics.policy import default_policy
from biometrics.reasons import Reason
from biometrics.signals import Signals

LIMITS = default_policy().liveness
REST = Signals(0, 0.0, 0.0, 1.0, 1.0, 0.0, 5.0, 0.01)
MADE = {
    Step.TURN_LEFT: replace(REST, yaw=15.0),
    Step.TURN_RIGHT: replace(REST, yaw=-15.0),
    Step.NOD: replace(REST, pitch=12.0),
    Step.OPEN_MOUTH: replace(REST, mouth=0.25),
    Step.BLINK: replace(REST, eyes=0.4, eyes_likeness=0.4),
}
STEPS = (Step.TURN_LEFT, Step.BLINK, Step.NOD)


@dataclass
class Person:
    """Answers one challenge; what isn't said stays at rest."""

    active: ActiveChallenge = field(
        default_factory=lambda: ActiveChallenge(LIMITS, Challenge(STEPS, (200, 200, 200)), 0)
    )
    at: int = 0

    def show(self, signals: Signals, frames: int = 1) -> None:
        for _ in range(frames):
            self.at += 100
            self.active.advance(replace(signals, at=self.at))

    def wait(self) -> None:
        while self.active.phase is Phase.NEUTRAL:
            self.show(REST)

    def answer(self, step: Step) -> None:
        self.wait()
        self.show(REST, 3)
        self.show(MADE[step], 3)
        self.show(REST)


def test_the_right_movements_in_order_pass() -> None:
    person = Person()
    for step in STEPS:
        person.answer(step)
    person.wait()
    assert person.active.phase is Phase.DONE
    assert [result.step for result in person.active.results] == list(STEPS)
    assert all(result.shown_at > result.asked_at for result in person.active.results)


def test_left_is_the_persons_own_left() -> None:
    person = Person()
    person.wait()
    person.show(REST, 3)
    person.show(MADE[Step.TURN_RIGHT], 3)
    assert person.active.reason is Reason.STEP_WRONG


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (Step.NOD, Reason.STEP_ORDER),
        (Step.TURN_RIGHT, Reason.STEP_WRONG),
        (Step.OPEN_MOUTH, Reason.STEP_WRONG),
    ],
)
def test_another_movement_fails(shown: Step, reason: Reason) -> None:
    person = Person()
    person.answer(shown)
    assert (person.active.phase, person.active.reason) == (Phase.FAILED, reason)


def test_a_spontaneous_blink_is_no_mistake() -> None:
    person = Person()
    person.wait()
    person.show(MADE[Step.BLINK], 2)
    person.answer(Step.TURN_LEFT)
    assert len(person.active.results) == 1


def test_moving_before_being_asked_fails() -> None:
    person = Person()
    person.show(REST, 2)
    person.show(MADE[Step.TURN_LEFT], 3)
    assert person.active.reason is Reason.STEP_TOO_FAST


def test_moving_with_the_prompt_fails() -> None:
    person = Person()
    person.wait()
    person.show(MADE[Step.TURN_LEFT])
    assert person.active.reason is Reason.STEP_TOO_FAST


def test_a_blink_with_the_prompt_is_neither_an_answer_nor_a_mistake() -> None:
    person = Person(ActiveChallenge(LIMITS, Challenge((Step.BLINK,), (0,)), 0))
    person.wait()
    person.show(MADE[Step.BLINK], 3)
    person.show(REST)
    assert (person.active.phase, person.active.results) == (Phase.ASKED, ())
    person.show(MADE[Step.BLINK], 3)
    person.show(REST)
    assert [result.step for result in person.active.results] == [Step.BLINK]


def test_eyes_that_are_closed_when_the_prompt_comes_answer_nothing() -> None:
    person = Person(ActiveChallenge(LIMITS, Challenge((Step.BLINK,), (0,)), 0, streamed=True))
    person.wait()
    person.show(MADE[Step.BLINK])
    person.active.prompted(person.at + 1)
    person.at += 200  # a slow camera: the next frame is later than anybody's least reaction
    person.show(MADE[Step.BLINK])
    person.show(REST)
    assert (person.active.phase, person.active.results) == (Phase.ASKED, ())


def test_doing_nothing_ends_at_the_deadline() -> None:
    person = Person()
    person.wait()
    asked = person.at
    person.show(REST, LIMITS.step_within // 100 + 1)
    assert person.active.reason is Reason.STEP_TIMEOUT
    assert person.at - asked > LIMITS.step_within


def test_never_returning_to_rest_ends_too() -> None:
    person = Person()
    person.wait()
    person.show(REST, 3)
    person.show(MADE[Step.TURN_LEFT], LIMITS.neutral_within // 100 + 5)
    assert person.active.reason is Reason.STEP_NOT_NEUTRAL


def test_eyes_kept_shut_are_no_blink() -> None:
    person = Person(ActiveChallenge(LIMITS, Challenge((Step.BLINK,), (0,)), 0))
    person.wait()
    person.show(REST, 3)
    person.show(MADE[Step.BLINK], LIMITS.long_closure // 100 + 3)
    assert person.active.reason is Reason.STEP_WRONG


def test_after_a_failure_nothing_passes() -> None:
    person = Person()
    person.answer(Step.NOD)
    person.show(MADE[Step.TURN_LEFT], 5)
    person.show(REST, 50)
    assert person.active.phase is Phase.FAILED
    assert person.active.asked is None


def streamed() -> Person:
    person = Person(ActiveChallenge(LIMITS, Challenge(STEPS, (200, 200, 200)), 0, streamed=True))
    person.wait()
    return person


def test_what_is_seen_before_the_prompt_was_told_completes_no_step() -> None:
    person = streamed()
    person.show(MADE[Step.TURN_LEFT], LIMITS.hold_frames)
    assert (person.active.reason, person.active.results) == (Reason.STEP_TOO_FAST, ())


def test_frames_from_before_the_prompt_do_not_count_though_they_arrive_after_it() -> None:
    person = streamed()
    person.active.prompted(person.at + 1000)
    person.show(MADE[Step.TURN_LEFT], LIMITS.hold_frames)
    assert person.active.reason is Reason.STEP_TOO_FAST


def test_a_blink_before_the_prompt_is_neither_a_mistake_nor_the_answer() -> None:
    person = Person(ActiveChallenge(LIMITS, Challenge((Step.BLINK,), (0,)), 0, streamed=True))
    person.wait()
    person.show(MADE[Step.BLINK], 2)
    person.show(REST)
    assert (person.active.phase, person.active.results) == (Phase.ASKED, ())


def test_a_steps_time_begins_when_it_was_told() -> None:
    person = streamed()
    person.show(REST, LIMITS.step_within // 100 + 1)
    person.active.prompted(person.at)
    told = person.at
    person.active.prompted(person.at + 5000)  # the same step is told once
    person.show(REST, 3)
    person.show(MADE[Step.TURN_LEFT], 3)
    assert [result.asked_at for result in person.active.results] == [told]
