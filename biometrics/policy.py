"""The decision policy, read from data and valid ever after."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from biometrics.errors import PolicyError
from biometrics.limits import LivenessLimits, PassiveLimits, QualityLimits
from biometrics.reasons import Reason
from biometrics.tables import Table
from client.encodings import jcs

if TYPE_CHECKING:
    from pathlib import Path

_LOOSE_BOUND_PPM = 1000  # 0.1 %: above it the evaluation can't carry a decision near the threshold
_FURTHEST = 2000  # thousandths; templates lie in or on the unit sphere


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The measurement that a policy's accept distance rests on."""

    population: str
    genuine_pairs: int
    impostor_pairs: int
    false_matches: int
    fmr_upper_ppm: int

    @property
    def is_loose(self) -> bool:
        """Whether the upper bound on false matches is above 0.1 %."""
        return self.fmr_upper_ppm > _LOOSE_BOUND_PPM


@dataclass(frozen=True, slots=True)
class AttackEvaluation:
    """Which frozen attack generators the passive limits were tuned on, and the species kept out of it."""

    generators: str
    withheld: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds in thousandths of template distance, sizes in pixels, times in seconds.

    `canonical` is the JCS form of the whole policy; evidence carries its digest beside `id`.
    """

    id: str
    method: str
    embedder: str
    width_at_least: int
    frames_at_least: int
    accept_at_most: int
    review_at_most: int
    complete_within: int
    valid_for: int
    evaluation: Evaluation
    quality: QualityLimits
    liveness: LivenessLimits
    passive: PassiveLimits
    rejecting: frozenset[Reason]
    reviewing: frozenset[Reason]
    attacks: AttackEvaluation
    canonical: bytes


def default_policy() -> Policy:
    """Return the policy that comes with the package."""
    return parse_policy(resources.files("biometrics").joinpath("policy.toml").read_text("utf-8"))


def load_policy(path: Path) -> Policy:
    """Read a policy file; raises PolicyError."""
    try:
        return parse_policy(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: the face policy can't be read: {error}") from error


def parse_policy(text: str) -> Policy:
    """Parse a policy (TOML); raises PolicyError, naming the first member that is wrong."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"the face policy is not TOML: {error}") from error
    top = Table("policy", data)
    top.number("v", 2, 2)
    face, match = top.table("face"), top.table("match")
    session, evaluation = top.table("session"), top.table("evaluation")
    outcomes, attacks = top.table("outcomes"), top.table("attacks")
    accept = match.number("accept_at_most", 1, _FURTHEST)
    policy = Policy(
        id=top.text("id"),
        method=top.text("method"),
        embedder=top.text("embedder"),
        width_at_least=face.number("width_at_least", 40, 4000),
        frames_at_least=match.number("frames_at_least", 1, 1000),
        accept_at_most=accept,
        review_at_most=match.number("review_at_most", accept, _FURTHEST),
        complete_within=session.number("complete_within", 1, 86_400),
        valid_for=session.number("valid_for", 1, 30 * 86_400),
        evaluation=Evaluation(
            population=evaluation.text("population"),
            genuine_pairs=evaluation.number("genuine_pairs", 0, 10**9),
            impostor_pairs=evaluation.number("impostor_pairs", 0, 10**9),
            false_matches=evaluation.number("false_matches", 0, 10**9),
            fmr_upper_ppm=evaluation.number("fmr_upper_ppm", 0, 10**6),
        ),
        quality=top.limits("quality", QualityLimits),
        liveness=top.limits("liveness", LivenessLimits),
        passive=top.limits("passive", PassiveLimits),
        rejecting=_reasons(outcomes, "reject"),
        reviewing=_reasons(outcomes, "review"),
        attacks=AttackEvaluation(attacks.text("generators"), attacks.text("withheld")),
        canonical=jcs.dumps(data),
    )
    if policy.liveness.pause_at_least > policy.liveness.pause_at_most:
        raise PolicyError("policy.liveness.pause_at_most is below pause_at_least")
    if policy.rejecting & policy.reviewing:
        raise PolicyError(f"policy.outcomes names {min(policy.rejecting & policy.reviewing)} twice")
    for table in (top, face, match, session, evaluation, outcomes, attacks):
        table.finish()
    return policy


def _reasons(table: Table, key: str) -> frozenset[Reason]:
    names = table.texts(key)
    unknown = sorted(set(names) - set(Reason))
    if unknown:
        raise PolicyError(f"policy.outcomes.{key} names an unknown reason {unknown[0]}")
    return frozenset(Reason(name) for name in names)
