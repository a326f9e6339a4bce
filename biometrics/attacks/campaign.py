"""Run presentations against the liveness check as a server would: prompts out, frames in, a decision."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from biometrics.attacks.species import SPECIES, Scenario, genuine
from biometrics.challenge import Step, draw_challenge
from biometrics.decision import Outcome
from biometrics.frame import frame_of_pixels
from biometrics.live_decision import decide_live
from biometrics.liveness import LivenessSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from biometrics.face import Template
    from biometrics.live_decision import LiveDecision
    from biometrics.liveness import LivenessFinding, Models
    from biometrics.policy import Policy
    from biometrics.synthesis.render import Renderer

FRAME_TIME = 100  # milliseconds between the frames of a presentation
_LONGEST = 90_000  # milliseconds: no check of the default policy lasts so long
GENUINE = "genuine"


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody to impersonate: the portrait presented, somebody else, the template of a reference."""

    name: str
    victim: Renderer
    other: Renderer
    reference: Template


@dataclass(frozen=True, slots=True)
class Trial:
    """One presentation and what came of it.

    `matching` when a recording happened to show what was demanded: its movements, in order, with the blinks
    that everybody makes in between.
    """

    species: str
    target: str
    number: int
    matching: bool
    decision: LiveDecision
    finding: LivenessFinding


@dataclass(frozen=True, slots=True)
class Bench:
    """What is attacked: models and policy; and the seed that all presentations come from."""

    models: Models
    policy: Policy
    seed: int


def run_trial(bench: Bench, target: Target, species: str, number: int) -> Trial:
    """Run one presentation; the same arguments give the same presentation."""
    key = hashlib.sha256(f"{bench.seed}:{species}:{number}".encode()).digest()
    policy = bench.policy
    rng = np.random.default_rng(np.frombuffer(key, dtype=np.uint32))
    challenge = draw_challenge(policy.liveness, rng.bytes)
    scenario = Scenario(target.victim, target.other, challenge.steps, rng)
    presentation = genuine(scenario) if species == GENUINE else SPECIES[species](scenario)
    session = LivenessSession(bench.models, policy, challenge)
    asked, index = None, 0
    for at in range(0, _LONGEST, FRAME_TIME):
        frame = frame_of_pixels(presentation.frame(at, asked, index), at)
        progress = session.feed(frame)
        asked, index = progress.asked, progress.index
        if progress.over:
            break
    finding = session.finish()
    decision = decide_live(policy, target.reference, finding, second_factor=True)
    scheduled = [step for _, step in getattr(presentation, "schedule", ())]
    return Trial(species, target.name, number, shows(scheduled, challenge.steps), decision, finding)


def shows(scheduled: Sequence[Step], demanded: Sequence[Step]) -> bool:
    """Say whether a recording of the steps `scheduled` shows those demanded.

    Whoever is recorded blinks by themselves, so a blink that is demanded may come for nothing, and one that
    was recorded for another challenge goes unnoticed: what has to agree are the other movements.
    """
    wanted, shown = ([step for step in steps if step is not Step.BLINK] for steps in (demanded, scheduled))
    if len(wanted) == len(demanded):
        return shown == wanted
    return bool(shown) and shown[: len(wanted)] == wanted


def run_campaign(
    bench: Bench, targets: Sequence[Target], species: Sequence[str], presentations: int
) -> Iterator[Trial]:
    """Yield `presentations` trials a species, the targets taking turns."""
    for name in species:
        for number in range(presentations):
            yield run_trial(bench, targets[number % len(targets)], name, number)


def succeeded(trial: Trial) -> bool:
    """Whether the presentation was accepted."""
    return trial.decision.outcome is Outcome.ACCEPT
