from __future__ import annotations

import pytest

from biometrics.attacks.campaign import shows
from biometrics.challenge import SEQUENCES, Step

LEFT, RIGHT, NOD, MOUTH, BLINK = Step.TURN_LEFT, Step.TURN_RIGHT, Step.NOD, Step.OPEN_MOUTH, Step.BLINK


@pytest.mark.parametrize(
    ("recorded", "demanded", "matching"),
    [
        ((LEFT, NOD, MOUTH), (LEFT, NOD, MOUTH), True),
        ((LEFT, NOD, RIGHT), (LEFT, NOD, MOUTH), False),
        ((NOD, LEFT, MOUTH), (LEFT, NOD, MOUTH), False),
        ((LEFT, NOD, MOUTH), (LEFT, BLINK, NOD), True),  # the blink comes by itself, the third isn't needed
        ((BLINK, LEFT, NOD), (LEFT, NOD, BLINK), True),
        ((LEFT, MOUTH, NOD), (LEFT, BLINK, NOD), False),
        ((LEFT, NOD, BLINK), (LEFT, NOD, MOUTH), False),
        ((), (BLINK, LEFT, NOD), False),
    ],
)
def test_whether_a_recording_shows_what_is_demanded(
    recorded: tuple[Step, ...], demanded: tuple[Step, ...], matching: bool
) -> None:
    assert shows(recorded, demanded) is matching


def test_every_sequence_shows_itself() -> None:
    assert all(shows(steps, steps) for steps in SEQUENCES)
