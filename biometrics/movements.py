"""Which movement a frame shows, by policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from biometrics.challenge import Step

if TYPE_CHECKING:
    from biometrics.limits import LivenessLimits
    from biometrics.signals import Signals


def shown_step(limits: LivenessLimits, signals: Signals) -> Step | None:
    """Return the movement that the frame shows in full, None for none; closed eyes count last."""
    shown = max(Step, key=lambda step: extent(limits, signals, step))
    return shown if extent(limits, signals, shown) >= 1 else None


def extent(limits: LivenessLimits, signals: Signals, step: Step) -> float:
    """Return how far a movement is made: 1 and above is in full, 0 and below is not at all."""
    if step is Step.BLINK:
        return 1.0 if eyes_closed(limits, signals) else 0.0
    if step is Step.OPEN_MOUTH:
        return signals.mouth * 1000 / limits.mouth_at_least
    if step is Step.NOD:
        return signals.pitch / limits.nod_at_least
    yaw = signals.yaw if step is Step.TURN_LEFT else -signals.yaw
    return yaw / limits.turn_at_least


def measured_value(signals: Signals, step: Step) -> float:
    """Return the number that a step is judged by: degrees, or a share of the own baseline."""
    if step is Step.BLINK:
        return signals.eyes
    if step is Step.OPEN_MOUTH:
        return signals.mouth
    if step is Step.NOD:
        return signals.pitch
    return abs(signals.yaw)


def eyes_closed(limits: LivenessLimits, signals: Signals) -> bool:
    """Whether the eyes are closed: narrower than when open, and unlike the own open eyes.

    The landmarker follows some people's lids badly, so narrowness and unlikeness make up for each other,
    but never wholly: a hand over the eyes changes their look and not their landmarks.
    """
    # A head that is turned or bent far narrows the eyes too.
    upright = max(abs(signals.yaw), abs(signals.pitch)) < limits.nod_at_least
    narrow = signals.eyes * 1000 <= limits.eyes_narrow_at_most
    both = (min(signals.eyes, 1.0) + signals.eyes_likeness) / 2
    return upright and narrow and both * 1000 <= limits.eyes_closed_at_most


def is_neutral(limits: LivenessLimits, signals: Signals) -> bool:
    """Whether the person looks at the camera at rest."""
    return (
        abs(signals.yaw) <= limits.neutral_angle_at_most
        and abs(signals.pitch) <= limits.neutral_angle_at_most
        and signals.mouth * 1000 <= limits.mouth_at_least / 2
        and not eyes_closed(limits, signals)
    )
