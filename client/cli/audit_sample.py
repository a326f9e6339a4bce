"""`concordat audit sample`: the Regulator's random sample of voters, and how large it has to be."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import click

from client.cli.edge import show
from client.cli.options import JSON
from client.connection import Profile
from client.errors import UserError
from client.home import home

if TYPE_CHECKING:
    from auditor.sampling import Sample

_DIGITS: Final = 40


@click.command()
@click.option("--meeting", required=True, help="The meeting's id.")
@click.option("--seed", required=True, help="The public seed, drawn after the meeting was closed.")
@click.option("--size", required=True, type=click.IntRange(1), help="How many voters to draw.")
@JSON
def sample(meeting: str, seed: str, size: int, *, as_json: bool) -> None:
    """Draw voters of a closed meeting for the Regulator's own follow-up: pseudonyms and session ids.

    Exit 0: drawn. 1: the channel doesn't verify. 2: could not be done.
    """
    drawn = _draw(meeting, seed, size)
    lines = [f"{len(drawn.voters)} of {drawn.population} voters, seed {drawn.seed}, root {drawn.root}"]
    lines += [f"{one.sub} {one.ses} {one.rank}" for one in drawn.voters]
    show(drawn.as_json(), as_json=as_json, text="\n".join(lines))


@click.command(name="sample-size")
@click.option("--voters", required=True, type=click.IntRange(1), help="How many lenders voted.")
@click.option("--fraction", required=True, help="The least part of false ballots to detect: 0.01, 1/100.")
@click.option("--confidence", default="0.95", show_default=True, help="With which probability.")
@JSON
def sample_size(voters: int, fraction: str, confidence: str, *, as_json: bool) -> None:
    """Say how many voters to draw so that false ballots show; exact (hypergeometric)."""
    from auditor.sampling import size_for  # noqa: PLC0415  the auditor only where asked for

    size = size_for(voters, _fraction("fraction", fraction), _fraction("confidence", confidence))
    value = {"voters": voters, "fraction": fraction, "confidence": confidence, "size": size}
    show(value, as_json=as_json, text=str(size))


def add_to(group: click.Group) -> None:
    """Add the commands to `concordat audit`."""
    group.add_command(sample)
    group.add_command(sample_size)


def _fraction(name: str, text: str) -> Fraction:
    wrong = UserError(f"--{name} {text[:40]} is no number such as 0.01 or 1/100")
    if len(text) > _DIGITS or "e" in text.lower():  # an exponent stands for any number of digits
        raise wrong
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise wrong from error


def _draw(meeting: str, seed: str, size: int) -> Sample:
    from auditor.replay.authority import Offices  # noqa: PLC0415  gRPC only where needed
    from auditor.run import Roots  # noqa: PLC0415
    from auditor.sampling import draw_from  # noqa: PLC0415
    from auditor.source import OwnPeer  # noqa: PLC0415

    offices, profile = Offices(), Profile.load(home())
    genesis = {
        name: bytes.fromhex(channel.genesis)
        for name, channel in profile.channels.items()
        if name == "identity" or channel.chaincode == "arbitration"
    }
    with profile.gateway(offices.regulator, "auditor") as gateway:
        return draw_from(OwnPeer(gateway), Roots(genesis, offices), meeting, seed, size)
