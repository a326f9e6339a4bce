from __future__ import annotations

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biometrics.decision import Outcome, decide
from biometrics.policy import default_policy
from biometrics.reasons import Reason

POLICY = default_policy()
DISTANCES = st.floats(0, 2, allow_nan=False)


@pytest.mark.parametrize(
    ("distances", "refused", "outcome", "per_mille", "reasons"),
    [
        ([0.5], [], Outcome.ACCEPT, 500, ()),
        ([0.5001], [], Outcome.REVIEW, 501, (Reason.MATCH_BORDERLINE,)),
        ([0.6], [], Outcome.REVIEW, 600, (Reason.MATCH_BORDERLINE,)),
        ([0.6001], [], Outcome.REJECT, 601, (Reason.MATCH_FAILED,)),
        ([0.3, 0.4, 0.35], [], Outcome.ACCEPT, 350, ()),
        ([0.3, 0.4], [], Outcome.ACCEPT, 350, ()),
        ([0.3, 0.3, 0.9], [], Outcome.REVIEW, 300, (Reason.FRAMES_DISAGREE,)),
        ([0.3, 0.9, 0.9], [], Outcome.REJECT, 900, (Reason.MATCH_FAILED,)),
        ([0.3], [Reason.NO_FACE], Outcome.ACCEPT, 300, ()),
        ([0.3], [Reason.SEVERAL_FACES], Outcome.RETRY, 300, (Reason.SEVERAL_FACES,)),
        ([], [Reason.NO_FACE, Reason.NO_FACE], Outcome.RETRY, None, (Reason.NO_FACE,)),
        ([], [], Outcome.RETRY, None, (Reason.TOO_FEW_FRAMES,)),
    ],
)
def test_bands(
    distances: list[float],
    refused: list[Reason],
    outcome: Outcome,
    per_mille: int | None,
    reasons: tuple[Reason, ...],
) -> None:
    decision = decide(POLICY, distances, refused)
    assert (decision.outcome, decision.per_mille, decision.reasons) == (outcome, per_mille, reasons)
    assert decision.policy == POLICY.id


@given(st.lists(DISTANCES, min_size=1, max_size=9))
def test_what_is_accepted_lies_within_the_threshold(distances: list[float]) -> None:
    decision = decide(POLICY, distances)
    limit = POLICY.accept_at_most / 1000
    if decision.outcome is Outcome.ACCEPT:
        assert median(distances) <= limit
        assert max(distances) <= POLICY.review_at_most / 1000
    if median(distances) > POLICY.review_at_most / 1000:
        assert decision.outcome is Outcome.REJECT


@given(st.lists(DISTANCES, min_size=1, max_size=9))
def test_the_recorded_thousandths_alone_give_the_same_decision(distances: list[float]) -> None:
    decision = decide(POLICY, distances)
    # Half of the smallest step below each, so that no float product lands above the integer.
    again = decide(POLICY, [max(0.0, frame / 1000 - 0.0005) for frame in decision.frames])
    assert again == decision


@given(st.lists(DISTANCES, min_size=1, max_size=9), st.randoms())
def test_the_order_of_frames_does_not_matter(distances: list[float], random: object) -> None:
    shuffled = list(distances)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = decide(POLICY, distances), decide(POLICY, shuffled)
    assert (first.outcome, first.per_mille) == (second.outcome, second.per_mille)


def test_every_reason_has_advice() -> None:
    assert all(reason.advice.endswith(".") for reason in Reason)
