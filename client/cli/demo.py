"""`concordat demo`: one whole meeting on a network of its own."""

from __future__ import annotations

import click

from client.home import home


@click.command(name="demo")
@click.option("--lenders", type=click.IntRange(8, 500), default=40, show_default=True)
@click.option("--faces", type=click.IntRange(1, 8), default=2, show_default=True, help="By a face.")
@click.option(
    "--window", type=click.IntRange(10, 3600), default=25, show_default=True, help="Seconds to vote."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the register of claims.")
def group(lenders: int, faces: int, window: int, seed: int) -> None:
    """Hold one whole meeting, from a register of claims to a verified report; nothing is left running."""
    from client.demo.meeting import Plan  # noqa: PLC0415  help needs neither gRPC nor a face model
    from client.demo.run import demonstrate  # noqa: PLC0415
    from client.demo.show import Show  # noqa: PLC0415

    demonstrate(home() / "demo", Plan(lenders, faces, window, seed), Show())
