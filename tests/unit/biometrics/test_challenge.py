from __future__ import annotations

import random
from collections import Counter

import pytest

from biometrics.challenge import SEQUENCES, Challenge, Step, draw_challenge, parse_challenge
from biometrics.policy import default_policy

LIMITS = default_policy().liveness


def test_every_sequence_is_about_as_likely() -> None:
    source = random.Random(7)  # noqa: S311  repeatable
    drawn = Counter(draw_challenge(LIMITS, source.randbytes).steps for _ in range(6000))
    assert len(SEQUENCES) == len(drawn) == 60
    assert min(drawn.values()) > 60
    assert max(drawn.values()) < 150


def test_pauses_lie_within_the_policy() -> None:
    source = random.Random(8)  # noqa: S311  repeatable
    pauses = [pause for _ in range(500) for pause in draw_challenge(LIMITS, source.randbytes).pauses]
    assert LIMITS.pause_at_least <= min(pauses) < LIMITS.pause_at_least + 100
    assert LIMITS.pause_at_most - 100 < max(pauses) <= LIMITS.pause_at_most


def test_a_number_that_would_favour_some_is_drawn_again() -> None:
    numbers = iter([b"\xff\xff\xff\xff", bytes(4), bytes(4), bytes(4), bytes(4)])
    assert draw_challenge(LIMITS, lambda _: next(numbers)).steps == SEQUENCES[0]


def test_parse() -> None:
    assert parse_challenge("blink, turn-left").steps == (Step.BLINK, Step.TURN_LEFT)
    assert parse_challenge("left,right, mouth").steps == (Step.TURN_LEFT, Step.TURN_RIGHT, Step.OPEN_MOUTH)
    for text in ("", "wink", "blink,blink", "left,turn-left"):
        with pytest.raises(ValueError, match=r"movement|step twice"):
            parse_challenge(text)


def test_one_pause_a_step() -> None:
    with pytest.raises(ValueError, match="pause"):
        Challenge((Step.BLINK,), ())
