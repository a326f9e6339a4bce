"""Sum trials up: APCER for each species, BPCER, and why the rest was refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from biometrics.attacks.campaign import GENUINE, shows, succeeded
from biometrics.attacks.species import GENERATORS
from biometrics.attacks.statistics import Rate
from biometrics.challenge import SEQUENCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biometrics.attacks.campaign import Trial
    from biometrics.policy import Policy

_RANDOM, _MATCHING = "random-replay", "replay-matching"


def report_of(policy: Policy, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return the report as JSON.

    APCER is the share of a species' presentations that were accepted, BPCER the share of genuine ones that
    were not; ISO/IEC 30107-3 counts a species' worst case, so species are never pooled. Replays that
    happened to show the demanded sequence, their own blinks included, are counted apart from the rest of
    their species.
    """
    by_species: dict[str, list[Trial]] = {}
    for trial in trials:
        by_species.setdefault(trial.species, []).append(trial)
    species = {
        name: _species([one for one in some if not one.matching])
        for name, some in by_species.items()
        if name not in (GENUINE, _MATCHING)
    }
    return {
        "policy": policy.id,
        "generators": GENERATORS,
        "withheld_from_tuning": policy.attacks.withheld,
        "synthetic": "every presentation, genuine ones too, is rendered from a photo",
        "apcer": species,
        "replays_that_match": _matching(by_species),
        "bpcer": _genuine(by_species.get(GENUINE, [])),
    }


def _species(trials: Sequence[Trial]) -> dict[str, Any]:
    rate = Rate(sum(map(succeeded, trials)), len(trials))
    # A person who looks at a case may be deceived as well: what reaches one is counted beside.
    reviewed = sum(trial.decision.outcome == "review" for trial in trials)
    return {**rate.to_json(), "sent_to_review": reviewed, "refused_for": _reasons(trials)}


def _matching(by_species: dict[str, list[Trial]]) -> dict[str, Any] | None:
    by_chance = [
        trial for name, some in by_species.items() if name != _MATCHING for trial in some if trial.matching
    ]
    if not by_chance and not {_RANDOM, _MATCHING} & set(by_species):
        return None
    on_purpose = by_species.get(_MATCHING, [])
    return {
        "bound_by_chance": _share_that_matches(),
        "by_chance": Rate(sum(map(succeeded, by_chance)), len(by_chance)).to_json(),
        "on_purpose": Rate(sum(map(succeeded, on_purpose)), len(on_purpose)).to_json(),
        "refused_for": _reasons([*by_chance, *on_purpose]),
    }


def _share_that_matches() -> float:
    """Return how many of all pairs of sequences agree as `shows` says: what a recording has by chance."""
    agreeing = sum(shows(recorded, demanded) for recorded in SEQUENCES for demanded in SEQUENCES)
    return round(agreeing / len(SEQUENCES) ** 2, 4)


def _genuine(trials: Sequence[Trial]) -> dict[str, Any]:
    refused = Rate(sum(not succeeded(trial) for trial in trials), len(trials))
    return {**refused.to_json(), "synthetic": True, "refused_for": _reasons(trials)}


def _reasons(trials: Sequence[Trial]) -> dict[str, int]:
    """Count the reasons of the presentations that were not accepted; one may have several."""
    counted = Counter(
        reason.value for trial in trials if not succeeded(trial) for reason in trial.decision.reasons
    )
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
