"""Whole checks against synthetic presentations: what is rendered from a photo is named so throughout."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from biometrics.attacks.campaign import GENUINE, Bench, Target, Trial, run_trial, succeeded
from biometrics.attacks.report import report_of
from biometrics.attacks.species import SPECIES, Scenario
from biometrics.attacks.targets import target_of
from biometrics.challenge import Challenge, Step
from biometrics.decision import Outcome
from biometrics.face import Template
from biometrics.frame import frame_of_pixels
from biometrics.live_decision import decide_live
from biometrics.liveness import LivenessSession, default_models
from biometrics.policy import default_policy
from biometrics.reasons import Reason
from biometrics.repeats import SeenFrames
from biometrics.sample_face import sample_face

POLICY = default_policy()
MODELS = default_models()
CHALLENGE = Challenge((Step.BLINK, Step.NOD, Step.TURN_LEFT), (0, 0, 0))
BLANK = np.full((480, 640, 3), 90, dtype=np.uint8)


@pytest.fixture(scope="module")
def target() -> Target:
    return target_of(MODELS, sample_face(), reference=None, other=None)


@pytest.fixture(scope="module")
def genuine(target: Target) -> Trial:
    return run_trial(Bench(MODELS, POLICY, 3), target, GENUINE, 0)


def test_a_living_face_passes(genuine: Trial) -> None:
    assert genuine.decision.outcome is Outcome.ACCEPT, genuine.decision.reasons
    assert len(genuine.finding.steps) == 3
    assert len(genuine.finding.templates) >= POLICY.liveness.frames_at_least
    assert genuine.decision.factors == ("face", "enrolled-key")
    assert "262" not in genuine.decision.policy
    assert "11400 ppm" in genuine.decision.evaluation


def test_the_face_is_never_the_only_factor(genuine: Trial, target: Target) -> None:
    decision = decide_live(POLICY, target.reference, genuine.finding, second_factor=False)
    assert (decision.outcome, decision.reasons) == (Outcome.RETRY, (Reason.SECOND_FACTOR_MISSING,))


def test_too_few_matching_frames_do_not_accept(genuine: Trial, target: Target) -> None:
    few = replace(genuine.finding, templates=genuine.finding.templates[:4])
    decision = decide_live(POLICY, target.reference, few, second_factor=True)
    assert (decision.outcome, decision.reasons) == (Outcome.RETRY, (Reason.TOO_FEW_FRAMES,))


@pytest.mark.parametrize("species", ["print", "wrong-order", "frozen"])
def test_an_attack_does_not_pass(target: Target, species: str) -> None:
    trial = run_trial(Bench(MODELS, POLICY, 3), target, species, 1)
    assert not succeeded(trial)
    report = report_of(POLICY, [trial])["apcer"][species]
    assert (report["errors"], report["trials"]) == (0, 1)
    assert report["refused_for"]


@pytest.mark.parametrize(
    ("reasons", "outcome"),
    [
        ((Reason.STEP_TIMEOUT,), Outcome.RETRY),
        ((Reason.SCREEN_TEXTURE,), Outcome.REVIEW),
        ((Reason.STEP_TIMEOUT, Reason.SCREEN_TEXTURE), Outcome.RETRY),
        ((Reason.STEP_TIMEOUT, Reason.LOOPED_FRAMES), Outcome.REJECT),
    ],
)
def test_policy_says_what_a_reason_means(
    genuine: Trial, target: Target, reasons: tuple[Reason, ...], outcome: Outcome
) -> None:
    finding = replace(genuine.finding, reasons=reasons)
    assert decide_live(POLICY, target.reference, finding, second_factor=True).outcome is outcome


def test_a_challenge_that_was_not_completed_never_goes_to_review(genuine: Trial, target: Target) -> None:
    finding = replace(genuine.finding, complete=False, reasons=(Reason.FLAT_FACE,))
    assert decide_live(POLICY, target.reference, finding, second_factor=True).outcome is Outcome.RETRY


def test_another_face_is_rejected_whatever_else_was_found(genuine: Trial, target: Target) -> None:
    stranger = Template(-target.reference.vector)
    finding = replace(genuine.finding, reasons=(Reason.SCREEN_TEXTURE,))
    decision = decide_live(POLICY, stranger, finding, second_factor=True)
    assert (decision.outcome, decision.reasons[0]) == (Outcome.REJECT, Reason.MATCH_FAILED)


def test_whoever_makes_a_movement_has_to_match(genuine: Trial, target: Target) -> None:
    stranger = Template(-target.reference.vector)
    finding = replace(genuine.finding, made=(*genuine.finding.made[:2], stranger))
    decision = decide_live(POLICY, target.reference, finding, second_factor=True)
    assert (decision.outcome, decision.reasons) == (Outcome.REVIEW, (Reason.FRAMES_DISAGREE,))


def test_an_enlarged_frame_is_judged_at_the_size_that_the_limits_hold_for(target: Target) -> None:
    trial = Scenario(target.victim, target.other, CHALLENGE.steps, np.random.default_rng(4))
    replay = SPECIES["replay-matching"](trial)
    peaks = []
    for scale in (1.0, 2.5):
        session = LivenessSession(MODELS, POLICY, replace(CHALLENGE, pauses=(5000, 0, 0)))
        for at in range(0, 1600, 100):
            pixels = replay.frame(at, None, 0)
            larger = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            session.feed(frame_of_pixels(np.asarray(larger, dtype=np.uint8), at))
        peaks.append(session.finish().passive.texture_peak)
    assert min(peaks) > POLICY.passive.texture_at_most


def test_time_runs_forwards_and_without_gaps() -> None:
    for second, reason in ((100, Reason.TIME_BACKWARDS), (5000, Reason.TIME_GAP)):
        session = LivenessSession(MODELS, POLICY, CHALLENGE)
        session.feed(frame_of_pixels(BLANK, 100))
        assert session.feed(frame_of_pixels(BLANK, second)).over
        assert reason in session.finish().reasons


def test_frames_of_an_earlier_session_are_refused() -> None:
    seen = SeenFrames(b"secret")
    for ses, over in (("one", False), ("two", True)):
        session = LivenessSession(MODELS, POLICY, CHALLENGE, ses, seen)
        assert session.feed(frame_of_pixels(BLANK, 0)).over is over
    assert session.finish().reasons == (Reason.SEEN_BEFORE,)


def test_an_empty_check_did_not_pass() -> None:
    finding = LivenessSession(MODELS, POLICY, CHALLENGE).finish()
    assert (finding.passed, finding.reasons) == (False, (Reason.BASELINE_MISSING,))
