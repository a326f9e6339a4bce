"""`concordat bench`: benchmarks that print JSON."""

from __future__ import annotations

import json
from typing import Any

import click

from client.home import home


@click.group(name="bench")
def group() -> None:
    """Benchmarks that print JSON; each brings up a network of its own when none runs."""


@group.command("cast")
@click.option("--ballots", type=click.IntRange(1, 1_000_000), default=5000, show_default=True)
@click.option(
    "--batch", type=click.IntRange(1, 8000), default=1000, show_default=True, help="Ballots a batch."
)
@click.option(
    "--in-flight", type=click.IntRange(1, 16), default=4, show_default=True, help="Batches under way."
)
@click.option("--naive-seconds", type=click.FloatRange(1, 120), default=8, show_default=True, help="A level.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of claims and choices.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout.")
def cast_command(as_json: bool, **options: Any) -> None:
    """Cast ballots by the relay, and one by one, in the same run.

    --batch ballots travel in a transaction, --in-flight batches at a time; each number of naive
    transactions in flight (1, 16, 64, 256) is measured for --naive-seconds.
    """
    from client.bench.cast import Settings, cast  # noqa: PLC0415  help needs no gRPC
    from client.bench.progress import Progress  # noqa: PLC0415

    figures = cast(home(), Settings(**options), Progress())
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(
        f"{figures['accepted']} of {figures['ballots']} ballots in {figures['seconds']} s: "
        f"{figures['ballots_per_s']}/s, {figures['ratio_naive']} times one a transaction "
        f"({figures['naive_per_s']}/s)"
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
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout.")
def roll_command(rows: int, seed: int, *, as_json: bool) -> None:
    """Import a register from CSV and XLSX, compute its root, prove places on it. Needs no network."""
    from client.bench.progress import Progress  # noqa: PLC0415
    from client.bench.roll import Settings, as_text, bench_roll  # noqa: PLC0415

    figures = bench_roll(Settings(rows, seed), Progress())
    click.echo(json.dumps(figures) if as_json else as_text(figures))
