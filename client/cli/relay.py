"""`concordat relay`: carry acknowledged ballots to the channel, as a process of its own."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from client.cli.edge import plain_errors, show
from client.cli.options import JSON
from client.errors import OutcomeUnknown, UserError
from client.home import home

if TYPE_CHECKING:
    from types import FrameType

    from client.platform import Database
    from client.relay.worker import Relay

_LOOK_SECONDS = 0.2
_PORTS = click.IntRange(0, 65535)


@click.group(name="relay")
def group() -> None:
    """Carry acknowledged ballots to the channel."""


@group.command()
@click.argument("mtg", metavar="MEETING")
@click.option("--name", default="relay", show_default=True, help="Its name; several may run, each its own.")
@click.option("--door", default="AssociationMSP", show_default=True, help="The MSP id of the door it serves.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Batches in flight."
)
@click.option(
    "--batch", type=click.IntRange(1, 10000), default=2500, show_default=True, help="Ballots a batch."
)
@click.option(
    "--age", type=click.FloatRange(0), default=0.25, show_default=True, help="Seconds a ballot waits."
)
@click.option("--metrics-port", type=_PORTS, help="Serve Prometheus metrics there, on 127.0.0.1 (0: any).")
@click.option("--until-drained", is_flag=True, help="Stop once nothing is left to send.")
@JSON
def run(
    mtg: str,
    name: str,
    door: str,
    *,
    workers: int,
    batch: int,
    age: float,
    metrics_port: int | None,
    until_drained: bool,
    as_json: bool,
) -> None:
    """Carry MEETING's acknowledged ballots to the channel until told to stop (SIGTERM, Ctrl-C).

    It may be killed at any moment: started again under its name, it takes up where it was.
    Exit 3: it was to send everything, and acknowledged ballots are left; run it again.
    """
    from client.relay.batch import Limits  # noqa: PLC0415  help needs no gRPC
    from client.relay.claim import only_one  # noqa: PLC0415
    from client.relay.metrics import ADDRESS, Metrics  # noqa: PLC0415
    from client.services import Services  # noqa: PLC0415

    stop = _on_signals()
    with ExitStack() as open_, plain_errors(f"relaying the ballots of {mtg}"):
        services = open_.enter_context(Services.at(home()))
        institution = _institution(services.database, mtg)
        open_.enter_context(only_one(home() / "relays", mtg, door, name))
        outbox = services.outbox(mtg, msp=door, name=name)
        metrics = Metrics(outbox)
        limits = Limits(count=batch, age=age)
        relay = services.relay(
            mtg, institution, msp=door, name=name, limits=limits, workers=workers, watch=metrics
        )
        if metrics_port is not None:
            port = open_.enter_context(metrics.serve(metrics_port))
            _say(f"metrics on http://{ADDRESS}:{port}/metrics")
        with relay:
            _say(f"relay {name} carries the ballots of {mtg}")
            _wait(relay, stop, until_drained=until_drained)
            _say("stopping: the attempts under way are finished first")
        left = outbox.outstanding()
    if left and until_drained:
        raise OutcomeUnknown(
            f"{left} acknowledged ballots of {mtg} are not on the channel: run the relay again"
        )
    show(
        {"meeting": mtg, "relay": name, "left": left}, as_json=as_json, text=f"ballots of {mtg} left: {left}"
    )


def _on_signals() -> threading.Event:
    """Return the event that the first SIGTERM or Ctrl-C sets; a second one ends the process at once."""
    stop = threading.Event()

    def asked(number: int, frame: FrameType | None) -> None:
        del frame
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, asked)
    return stop


def _institution(database: Database, mtg: str) -> str:
    """Return whose meeting it is; without its roll, which a relay has no use for."""
    from client.platform.models import Meeting  # noqa: PLC0415

    with database.read() as session:
        row = session.get(Meeting, mtg)
    if row is None:
        raise UserError(
            f"this platform knows no meeting {mtg!r}: see `concordat meeting list`", code="MEETING_NOT_FOUND"
        )
    return row.institution


def _wait(relay: Relay, stop: threading.Event, *, until_drained: bool) -> None:
    while not stop.wait(_LOOK_SECONDS):
        if until_drained and relay.is_drained():
            return


def _say(line: str) -> None:
    sys.stderr.write(f"concordat: {line}\n")
    sys.stderr.flush()
