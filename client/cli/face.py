"""`concordat face`: compare faces in two pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from biometrics.decision import Decision, Outcome, decide
from biometrics.errors import BiometricsError, FaceRefused, PictureRefused
from biometrics.matching import default_matcher
from biometrics.picture import load_picture
from biometrics.policy import default_policy, load_policy
from client.errors import Negative, UserError

if TYPE_CHECKING:
    from biometrics.policy import Policy


@click.group()
def group() -> None:
    """Compare faces."""


@group.command()
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("probe", type=click.Path(path_type=Path))
@click.option(
    "--policy", "policy_file", type=click.Path(path_type=Path), help="Another decision policy (TOML)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def compare(reference: Path, probe: Path, policy_file: Path | None, *, as_json: bool) -> None:
    """Compare the face in PROBE with the one in REFERENCE.

    Exit 0: accepted as the same person. 1: not accepted. 2: a picture can't be read.
    """
    try:
        policy = default_policy() if policy_file is None else load_policy(policy_file)
    except BiometricsError as error:
        raise UserError(str(error)) from error
    try:
        decision, sentence = _compare(policy, reference, probe)
    except PictureRefused as error:
        if as_json:
            _print_json(decide(policy, (), (error.reason,)))
        raise UserError(str(error), code=error.reason) from error
    except BiometricsError as error:
        raise UserError(str(error)) from error
    if as_json:
        _print_json(decision)
    else:
        distance = "none taken" if decision.distance is None else f"{decision.distance:.3f}"
        click.echo(f"{decision.outcome}: distance {distance} (policy {decision.policy})")
    if decision.outcome is not Outcome.ACCEPT:
        raise Negative(sentence, code=decision.reasons[0])


def _compare(policy: Policy, reference: Path, probe: Path) -> tuple[Decision, str]:
    """Return the decision and one sentence that explains it."""
    known, shown = load_picture(reference), load_picture(probe)
    try:
        decision = default_matcher(policy).match(known, [shown])
    except FaceRefused as error:  # the reference's own face
        return decide(policy, (), (error.reason,)), str(error)
    return decision, "; ".join(f"{probe}: {reason.advice} ({reason})" for reason in decision.reasons)


def _print_json(decision: Decision) -> None:
    click.echo(
        json.dumps(
            {
                "distance": decision.distance,
                "decision": decision.outcome,
                "reasons": decision.reasons,
                "policy": decision.policy,
            }
        )
    )
