from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biometrics.service.kept import MOST, KeptFrames
from biometrics.service.pace import Pace
from biometrics.terms.errors import ServiceRefused
from biometrics.terms.policy import default_service_policy

POLICY = default_service_policy()
AHEAD, LAG = POLICY.ahead_ms_at_most, POLICY.lag_ms_at_most


def test_allowances_are_taken_and_not_a_millisecond_more() -> None:
    begun = Pace(opened=0).after([0, 400], 500, POLICY)
    assert begun.after([900], 1000 - AHEAD, POLICY)
    assert begun.after([900], 1000 + LAG, POLICY)
    for arrived in (1000 - AHEAD - 1, 1000 + LAG + 1):
        with pytest.raises(ServiceRefused) as refused:
            begun.after([900], arrived, POLICY)
        assert refused.value.code == "CHECK_PACE"


def test_no_frame_of_a_chunk_may_have_been_held_back() -> None:
    begun = Pace(opened=0).after([0, 400], 500, POLICY)
    assert begun.after([900, 900 + LAG], 1000 + LAG, POLICY)
    # The last frame comes promptly; what a person would have to answer lies in those before it.
    with pytest.raises(ServiceRefused, match="CHECK_PACE"):
        begun.after([900, 901 + LAG], 1001 + LAG, POLICY)
    with pytest.raises(ServiceRefused, match="CHECK_PACE"):
        Pace(opened=0).after([0, LAG + 1], 60_000, POLICY)


def test_a_frame_taken_before_a_moment_is_told_from_one_taken_after() -> None:
    pace = Pace(opened=0).after([0, 400], 1500, POLICY).after([800], 1850, POLICY)
    # The least delay so far is 1050: whatever is claimed for before 950 was taken before 2000.
    assert pace.captured_from(2000) == 950


@given(
    spans=st.lists(st.integers(1, 2000), min_size=1, max_size=40),
    delays=st.lists(st.integers(0, min(AHEAD, LAG)), min_size=40, max_size=40),
    zero=st.integers(0, 10**6),
)
def test_honest_times_over_any_tolerable_network_are_taken(
    spans: list[int], delays: list[int], zero: int
) -> None:
    pace = Pace(opened=0)
    for taken, delay in zip(accumulate(spans), delays, strict=False):
        pace = pace.after([zero + taken], taken + delay, POLICY)


@given(steps=st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 3000)), min_size=2, max_size=40))
def test_whatever_is_claimed_total_times_agree(steps: list[tuple[int, int]]) -> None:
    pace, arrived, taken = Pace(opened=0), 0, []
    for span, passes in steps:
        arrived += passes
        try:
            pace = pace.after([pace.last + span], arrived, POLICY)
        except ServiceRefused:
            break
        taken.append((pace.last, arrived))
    for claimed, came in taken:
        assert -LAG <= (claimed - taken[0][0]) - (came - taken[0][1]) <= AHEAD


@given(st.lists(st.integers(1, 15), max_size=60))
def test_kept_frames_are_few_in_order_and_evenly_spread(chunks: list[int]) -> None:
    kept, number = KeptFrames(), 0
    for size in chunks:
        kept.take(b"%d" % n for n in range(number, number + size))
        number += size
    numbers = [int(data) for data in kept.frames]
    assert len(numbers) <= MOST
    assert len(numbers) >= min(number, MOST // 2)
    assert numbers[:1] == ([0] if number else [])
    assert len({later - earlier for earlier, later in pairwise(numbers)}) <= 1
    if numbers:
        kept.drop()
        assert kept.frames == []
