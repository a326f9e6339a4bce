"""`concordat bench`: benchmarks that print JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from client.cli.options import JSON, PATH
from client.errors import Negative, UserError
from client.home import home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_RUN = (
    click.option("--ballots", type=click.IntRange(1, 1_000_000), default=5000, show_default=True),
    click.option(
        "--orgs", type=click.IntRange(1), default=4, show_default=True, help="Organizations of the channel."
    ),
    click.option(
        "--batch", type=click.IntRange(1, 8000), default=1000, show_default=True, help="Ballots a batch."
    ),
    click.option(
        "--in-flight", type=click.IntRange(1, 16), default=4, show_default=True, help="Batches under way."
    ),
    click.option("--seed", type=int, default=1, show_default=True, help="Of claims and choices."),
    click.option(
        "--keep", is_flag=True, help="Keep the voters' keys and certificates in the home for another run."
    ),
)


def _run_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_RUN):
        command = option(command)
    return command


@click.group(name="bench")
def group() -> None:
    """Benchmarks that print JSON; each brings up a network of its own when none runs."""


@group.command("cast")
@_run_options
@click.option("--naive-seconds", type=click.FloatRange(1, 120), default=8, show_default=True, help="A level.")
@click.option("--plot", type=PATH, help="Draw the run into this SVG file.")
@JSON
def cast_command(as_json: bool, plot: Path | None, **options: Any) -> None:
    """Cast ballots by the relay, and one by one, in the same run.

    --batch ballots travel in a transaction, --in-flight batches at a time; each number of naive
    transactions in flight (1, 16, 64, 256) is measured for --naive-seconds. The clock runs from the first
    read of the outbox to the last commit at the Regulator's peer.
    """
    from client.bench.cast import cast  # noqa: PLC0415  help needs no gRPC
    from client.bench.plot import draw  # noqa: PLC0415
    from client.bench.preparation import Settings  # noqa: PLC0415
    from client.bench.progress import Progress  # noqa: PLC0415

    _check_plot(plot)
    figures, run = cast(home(), Settings(**options), Progress())
    if plot is not None:
        _write(plot, draw(figures, run.committed, run.memory))
    text = (
        f"{figures['accepted']} of {figures['ballots']} ballots in {figures['seconds']} s: "
        f"{figures['ballots_per_s']}/s, {figures['ratio_naive']} times one a transaction "
        f"({figures['naive_per_s']}/s), {figures['ratio_ceiling']:.1%} of what verification alone allows; "
        f"{figures['bytes_per_ballot']} bytes of block each"
    )
    _answer(figures, text, as_json=as_json)


@group.command("close")
@_run_options
@JSON
def close_command(as_json: bool, **options: Any) -> None:
    """Measure how long closing and counting take, from the proposal to the stored result."""
    from client.bench.cast import close  # noqa: PLC0415
    from client.bench.preparation import Settings  # noqa: PLC0415
    from client.bench.progress import Progress  # noqa: PLC0415

    figures = close(home(), Settings(**options), Progress())
    text = f"{figures['counted']} ballots closed and counted in {figures['seconds']} s"
    _answer(figures, text, as_json=as_json)


@group.command("audit")
@_run_options
@JSON
def audit_command(as_json: bool, **options: Any) -> None:
    """Verify, replay and reconcile a whole meeting, and say what that took beside the signatures alone.

    Exit 1 where the audit finds anything: then it measures something else.
    """
    from client.bench.audit import audit  # noqa: PLC0415
    from client.bench.preparation import Settings  # noqa: PLC0415
    from client.bench.progress import Progress  # noqa: PLC0415

    figures = audit(home(), Settings(**options), Progress())
    text = (
        f"{figures['verdict']}: {figures['ballots']} ballots in {figures['seconds']} s, of which rows took "
        f"{figures['seconds_reconcile']} s; {figures['ratio']} times the {figures['signature_seconds']} s of "
        f"{sum(figures['signatures'].values())} bare signatures; {figures['rss_mib']} MiB"
    )
    click.echo(json.dumps(figures) if as_json else text)
    if figures["verdict"] != "consistent" or figures["ballots"] != options["ballots"]:
        raise Negative(f"the bench's own meeting is {figures['verdict']}: {figures['ballots']} ballots")


@group.command("enrol")
@click.option("--lenders", type=click.IntRange(1, 100_000), default=200, show_default=True)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=8, show_default=True, help="Lenders at a time."
)
@JSON
def enrol_command(as_json: bool, lenders: int, workers: int) -> None:
    """Have lenders registered and certified by the institution's Fabric CA, and say how long 390,000 take."""
    from client.bench.certify import certify  # noqa: PLC0415
    from client.bench.progress import Progress  # noqa: PLC0415

    figures = certify(home(), lenders, workers, Progress())
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(
        f"{lenders} lenders in {figures['seconds']} s, {workers} at a time: {figures['per_s']}/s; "
        f"390,000 would take {figures['hours_for_390000']} h"
    )


@group.command("roll")
@click.option(
    "--rows",
    type=click.IntRange(1, 1_000_000),
    default=390_000,
    show_default=True,
    help="Lenders with a row each.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the register.")
@JSON
def roll_command(rows: int, seed: int, *, as_json: bool) -> None:
    """Import a register from CSV and XLSX, compute its root, prove places on it. Needs no network."""
    from client.bench.progress import Progress  # noqa: PLC0415
    from client.bench.roll import Settings, as_text, bench_roll  # noqa: PLC0415

    figures = bench_roll(Settings(rows, seed), Progress())
    click.echo(json.dumps(figures) if as_json else as_text(figures))


def _answer(figures: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print the figures; raise Negative when ballots were refused: then they measure something else."""
    click.echo(json.dumps(figures) if as_json else text)
    if figures["accepted"] != figures["ballots"]:
        raise Negative(f"{figures['ballots'] - figures['accepted']} of the bench's own ballots were refused")


def _check_plot(plot: Path | None) -> None:
    """Refuse, before hours of work, a file that can't be written in the end."""
    if plot is not None and (plot.suffix != ".svg" or not plot.absolute().parent.is_dir()):
        raise UserError(f"{plot} can't be drawn: name a file that ends in .svg, in a folder that exists")


def _write(plot: Path, picture: str) -> None:
    try:
        plot.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{plot}: the plot can't be written: {error.strerror or error}") from error
