"""`concordat face`: compare faces, evaluate on pairs, check a video for life, attack, measure the cost."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from biometrics.decision import Decision, Outcome, decide
from biometrics.errors import BiometricsError, FaceRefused, PictureRefused
from biometrics.matching import default_matcher
from biometrics.picture import load_picture
from biometrics.policy import default_policy, load_policy
from client.cli.options import PATH
from client.errors import Negative, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from biometrics.attacks.campaign import Target, Trial
    from biometrics.liveness import Models
    from biometrics.policy import Policy

_policy_option = click.option("--policy", "policy_file", type=PATH, help="Another decision policy (TOML).")
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


@click.group()
def group() -> None:
    """Compare faces, and tell a living one from a picture."""


@group.command()
@click.argument("reference", type=PATH)
@click.argument("probe", type=PATH)
@_policy_option
@_json_option
def compare(reference: Path, probe: Path, policy_file: Path | None, *, as_json: bool) -> None:
    """Compare the face in PROBE with the one in REFERENCE.

    Exit 0: accepted as the same person. 1: not accepted. 2: a picture can't be read.
    """
    try:
        policy = _policy(policy_file)
        decision, sentence = _compare(policy, reference, probe)
    except PictureRefused as error:
        if as_json:
            _print_decision(decide(default_policy(), (), (error.reason,)))
        raise UserError(str(error), code=error.reason) from error
    except BiometricsError as error:
        raise UserError(str(error)) from error
    if as_json:
        _print_decision(decision)
    else:
        distance = "none taken" if decision.distance is None else f"{decision.distance:.3f}"
        click.echo(f"{decision.outcome}: distance {distance} (policy {decision.policy})")
    if decision.outcome is not Outcome.ACCEPT:
        raise Negative(sentence, code=decision.reasons[0])


@group.command()
@click.argument("pairs", type=PATH)
@click.option("--root", type=PATH, required=True, help="Folder that the pairs' file names are relative to.")
@click.option("--det", type=PATH, help="Write the DET plot to this PNG [beside PAIRS, ending in .det.png].")
@_policy_option
@_json_option
def evaluate(pairs: Path, root: Path, det: Path | None, policy_file: Path | None, *, as_json: bool) -> None:
    """Measure false matches and false non-matches over the pairs in a CSV file.

    Columns: file_x, file_y, Decision (Yes: same person, No: different). Exit 2: the list can't be used, or
    the plot can't be written; what was measured is printed all the same.
    """
    from biometrics.det_plot import draw_det  # noqa: PLC0415  compare shouldn't pay for it
    from biometrics.evaluation import evaluate as run  # noqa: PLC0415
    from biometrics.pairs import read_pairs  # noqa: PLC0415

    with _user_errors():
        policy = _policy(policy_file)
        result = run(default_matcher(policy), read_pairs(pairs, root))
    plot, failed = det or pairs.with_suffix(".det.png"), None
    try:
        plot.write_bytes(draw_det(result.points, f"{pairs.name}, policy {policy.id}"))
    except OSError as error:
        failed = UserError(f"{plot}: the DET plot can't be written: {error.strerror or error}")
    answer = {**result.to_json(policy.id), "det_plot": None if failed else str(plot)}
    _print_evaluation(answer, as_json=as_json)
    if failed:
        raise failed


def _print_evaluation(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(answer))
        return
    click.echo(
        f"{answer['pairs']} pairs, {answer['failed']} failed; equal error rate {answer['eer']}; "
        f"plot {answer['det_plot'] or 'not written'}"
    )
    for point in answer["thresholds"]:
        if point["t"] in (0.4, 0.45, 0.5, 0.55, 0.6, 0.65):
            click.echo(
                f"  {point['t']:.2f}  FMR {point['fmr']} (at most {point['fmr_upper']})  FNMR {point['fnmr']}"
            )


@group.command()
@click.argument("video", type=PATH)
@click.option("--challenge", required=True, help="Movements in order, such as blink,turn-left,open-mouth.")
@click.option("--reference", type=PATH, help="Match the face with this picture as well.")
@_policy_option
@_json_option
def liveness(
    video: Path, challenge: str, reference: Path | None, policy_file: Path | None, *, as_json: bool
) -> None:
    """Check whether VIDEO shows a living person making the movements of the challenge.

    Each movement is taken as asked for once the one before is done and the face at rest again. Left and
    right are the person's own. Exit 0: passed. 1: not passed. 2: the video can't be read.
    """
    from biometrics.challenge import parse_challenge  # noqa: PLC0415
    from biometrics.video_check import check_video  # noqa: PLC0415

    try:
        parsed = parse_challenge(challenge)
    except ValueError as error:
        raise UserError(f"--challenge {challenge!r}: {error}") from error
    with _user_errors():
        answer = check_video(
            video, parsed, _policy(policy_file), None if reference is None else load_picture(reference)
        )
    if as_json:
        click.echo(json.dumps(answer))
    else:
        for step in answer["steps"]:
            click.echo(
                f"{step['step']:<11} {step['verdict']:<8} at {step['at_ms']} ms, measured {step['value']}"
            )
        click.echo(f"{'passed' if answer['passed'] else 'not passed'} (policy {answer['policy']})")
    if not answer["passed"]:
        raise Negative(f"{video}: {answer['advice']} ({answer['reasons'][0]})", code=answer["reasons"][0])


@group.command()
@click.argument("video", type=PATH)
@_policy_option
@_json_option
def passive(video: Path, policy_file: Path | None, *, as_json: bool) -> None:
    """Measure what the passive checks find in VIDEO with no movement asked for: on people, false alarms."""
    from biometrics.passive_check import measure_video  # noqa: PLC0415

    with _user_errors():
        answer = measure_video(video, _policy(policy_file))
    if as_json:
        click.echo(json.dumps(answer))
        return
    for name, value in answer.items():
        click.echo(f"{name:<20} {value}")


@group.command()
@click.option("--species", help="Which attacks, separated by commas [all].")
@click.option("--picture", type=PATH, help="Photo of the person to impersonate.")
@click.option("--video", type=PATH, help="Video of the person, instead: its best frame is taken.")
@click.option("--other", type=PATH, help="Photo of somebody else, for the face swap [a changed copy].")
@click.option("--reference", type=PATH, help="The picture on record [the photo itself].")
@click.option("--targets", type=PATH, help="CSV with the columns picture, reference, other, instead.")
@click.option("--root", type=PATH, help="Folder that the names in TARGETS are relative to [its own].")
@click.option("--presentations", type=click.IntRange(1, 100_000), default=20, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@_policy_option
@_json_option
def attack(  # noqa: PLR0917  click passes by name
    species: str | None,
    picture: Path | None,
    video: Path | None,
    other: Path | None,
    reference: Path | None,
    targets: Path | None,
    root: Path | None,
    presentations: int,
    seed: int,
    workers: int,
    policy_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Present synthetic attacks, and genuine sequences, to the liveness check; report APCER and BPCER.

    Several targets take turns. Exit 0: none was accepted where the recording didn't happen to show the
    demanded sequence. 1: some were.
    """
    from biometrics.attacks.campaign import GENUINE, Bench, run_campaign  # noqa: PLC0415
    from biometrics.attacks.report import report_of  # noqa: PLC0415
    from biometrics.attacks.species import SPECIES  # noqa: PLC0415
    from biometrics.attacks.workers import read_targets, run_on_workers  # noqa: PLC0415
    from biometrics.liveness import default_models  # noqa: PLC0415

    names = [*SPECIES, GENUINE] if species is None else [name.strip() for name in species.split(",")]
    unknown = [name for name in names if name not in SPECIES and name != GENUINE]
    if unknown:
        raise UserError(
            f"there is no attack species {unknown[0]!r}; there are {', '.join([*SPECIES, GENUINE])}"
        )
    if [picture, video, targets].count(None) != 2:  # noqa: PLR2004  of the three
        raise UserError("name one of --picture, --video and --targets")
    with _user_errors():
        policy = _policy(policy_file)
        if targets is not None:
            listed = read_targets(targets, root or targets.parent)
            running = run_on_workers(
                policy, seed, listed, species=names, presentations=presentations, workers=workers
            )
        else:
            models = default_models()
            target = _target(models, picture, video, (reference, other))
            running = run_campaign(Bench(models, policy, seed), [target], names, presentations)
        trials = list(_told(running, len(names) * presentations))
    report = {"presentations": presentations, "seed": seed, **report_of(policy, trials)}
    if as_json:
        click.echo(json.dumps(report))
    else:
        for name, rate in report["apcer"].items():
            click.echo(f"APCER {name:<14} {rate['errors']}/{rate['trials']} (at most {rate['upper_95']:.3f})")
        genuine, name = report["bpcer"], GENUINE
        click.echo(
            f"BPCER {name:<14} {genuine['errors']}/{genuine['trials']} (at most {genuine['upper_95']:.3f})"
        )
    accepted = [name for name, rate in report["apcer"].items() if rate["errors"]]
    if accepted:
        raise Negative(f"presentations of {accepted[0]} were accepted", code="ATTACK_ACCEPTED")


@group.command()
@click.option("--picture", type=PATH, help="Photo to render the sequence from [scikit-image's astronaut].")
@click.option("--sessions", type=click.IntRange(1, 100_000), default=5, show_default=True)
@_policy_option
@_json_option
def bench(picture: Path | None, sessions: int, policy_file: Path | None, *, as_json: bool) -> None:
    """Measure processor time a tracked frame (640 x 480) and the wait from the last frame to the decision.

    The figures that begin with service_ go through a process of the identity service's pool, which has the
    packaged policy.
    """
    from biometrics.attacks.targets import target_of  # noqa: PLC0415
    from biometrics.benchmark import bench_liveness  # noqa: PLC0415
    from biometrics.liveness import default_models  # noqa: PLC0415
    from biometrics.sample_face import sample_face  # noqa: PLC0415
    from biometrics.service.benchmark import bench_service  # noqa: PLC0415

    with _user_errors():
        policy, models = _policy(policy_file), default_models()
        photo = sample_face() if picture is None else load_picture(picture)
        target = target_of(models, photo, reference=None, other=None)
        figures = bench_liveness(models, policy, target, sessions) | bench_service(target, photo, sessions)
    if as_json:
        click.echo(json.dumps(figures))
        return
    for name, value in figures.items():
        click.echo(f"{name:<32} {value}")


def _told(trials: Iterator[Trial], expected: int) -> Iterator[Trial]:
    """Pass trials on, and say on stderr each time another twentieth is done: a campaign takes hours."""
    accepted: Counter[str] = Counter()
    for number, trial in enumerate(trials, 1):
        accepted[trial.species] += trial.decision.outcome is Outcome.ACCEPT
        if number % max(1, expected // 20) == 0:
            click.echo(f"{number} of {expected} presentations; accepted: {dict(accepted)}", err=True)
        yield trial


@contextmanager
def _user_errors() -> Iterator[None]:
    """Translate the package's errors at the edge."""
    try:
        yield
    except BiometricsError as error:
        raise UserError(str(error), code=getattr(error, "reason", None) or "FACE_INPUT") from error


def _policy(file: Path | None) -> Policy:
    return default_policy() if file is None else load_policy(file)


def _target(
    models: Models, picture: Path | None, video: Path | None, others: tuple[Path | None, Path | None]
) -> Target:
    from biometrics.attacks.targets import best_frame, target_of  # noqa: PLC0415
    from biometrics.capture import frames_of_video  # noqa: PLC0415

    if picture is not None:
        photo = load_picture(picture)
    elif video is not None:
        photo = best_frame(models, frames_of_video(video))
    else:
        raise AssertionError("one of both is given")
    reference, other = (None if file is None else load_picture(file) for file in others)
    return target_of(models, photo, reference=reference, other=other)


def _compare(policy: Policy, reference: Path, probe: Path) -> tuple[Decision, str]:
    """Return the decision and one sentence that explains it."""
    known, shown = load_picture(reference), load_picture(probe)
    try:
        decision = default_matcher(policy).match(known, [shown])
    except FaceRefused as error:  # the reference's own face
        return decide(policy, (), (error.reason,)), str(error)
    return decision, "; ".join(f"{probe}: {reason.advice} ({reason})" for reason in decision.reasons)


def _print_decision(decision: Decision) -> None:
    answer: dict[str, Any] = {
        "distance": decision.distance,
        "decision": decision.outcome,
        "reasons": decision.reasons,
        "policy": decision.policy,
    }
    click.echo(json.dumps(answer))
