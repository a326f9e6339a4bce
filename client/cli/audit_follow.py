"""`concordat audit follow`: the channels verified as they grow, as a process of its own."""

from __future__ import annotations

import logging
import queue
import signal
import threading
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from client.cli.options import FILE
from client.home import home

if TYPE_CHECKING:
    from types import FrameType

    from auditor.following.announcement import Announcement
    from auditor.following.comparison import Comparison
    from auditor.following.follow import Following
    from auditor.following.signing import Signing
    from client.cli.audit_identity import AuditorIdentity
    from client.connection import Profile

STATE = "following.db"


@click.command()
@click.option(
    "--database",
    envvar="CONCORDAT_DATABASE_URL",
    help="URL of the platform's database; default: the SQLite file in the state folder.",
)
@click.option("--no-database", is_flag=True, help="Follow the blocks alone; reconcile nothing.")
@click.option(
    "--state",
    type=FILE,
    help="The follower's own state and checkpoints; default: following.db in the state folder.",
)
@click.option("--from-genesis", is_flag=True, help="Remove that state first and verify everything again.")
@click.option(
    "--full-every",
    type=click.FloatRange(1, 90),
    default=60,
    show_default=True,
    help="Seconds from one full reconciliation to the next.",
)
@click.option(
    "--patience", type=click.IntRange(min=0), default=900, show_default=True, help="As in audit run."
)
@click.option("--webhook", envvar="CONCORDAT_AUDIT_WEBHOOK", help="POST each alarm there, as JSON.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Serve Prometheus metrics there, on 127.0.0.1 (0: any).",
)
@click.option(
    "--compare", multiple=True, metavar="MSP", help="Compare with this organization's peer, too; repeatable."
)
@click.option(
    "--heads",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="A folder of signed tree heads (*.json) to compare with.",
)
@click.option(
    "--sign-heads",
    type=click.FloatRange(1, 86400),
    metavar="SECONDS",
    help="Log accepted ballots and sign each meeting's head as often, where its channel grew.",
)
def follow(database: str | None, *, no_database: bool, from_genesis: bool, **options: Any) -> None:
    """Verify the channels from the Regulator's own peer as they grow, until told to stop (SIGTERM, Ctrl-C).

    What is wrong goes to the log, the webhook and the metrics. A killed follower goes on at its checkpoint.
    Exit 0: stopped when told to. 2: could not begin; a damaged checkpoint is refused.
    """
    logging.getLogger("auditor").setLevel(logging.INFO)  # a service says where it is
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    url = None if no_database else database or f"sqlite:///{home() / 'platform.db'}"
    from auditor.ahead import HelperProcesses  # noqa: PLC0415  gRPC and SQL only where needed

    with ExitStack() as opened:
        following = _following(opened, url, from_genesis=from_genesis, **options)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        following.run(stop, opened.enter_context(HelperProcesses()))


def _following(
    opened: ExitStack,
    database: str | None,
    *,
    state: Path | None,
    from_genesis: bool,
    full_every: float,
    patience: int,
    webhook: str | None,
    metrics_port: int | None,
    compare: tuple[str, ...],
    heads: Path | None,
    sign_heads: float | None,
) -> Following:
    from auditor.checkpoint import Checkpoints  # noqa: PLC0415
    from auditor.following.follow import Following, Rhythm  # noqa: PLC0415
    from auditor.following.heads import Heads  # noqa: PLC0415
    from auditor.following.metrics import ADDRESS, Metrics  # noqa: PLC0415
    from auditor.following.passing import PassOrder  # noqa: PLC0415
    from auditor.following.webhook import Webhook  # noqa: PLC0415
    from auditor.resumed import remove  # noqa: PLC0415
    from auditor.source import OwnPeer  # noqa: PLC0415
    from auditor.store import Store  # noqa: PLC0415
    from client.cli.audit_identity import auditor_identity  # noqa: PLC0415

    hook = None if webhook is None else Webhook(webhook)  # refused before anything is changed
    own = auditor_identity()
    profile, regulator = own.profile, own.roots.offices.regulator
    path = state or home() / STATE
    if from_genesis:
        remove(path)
    store = opened.enter_context(closing(Store(path)))
    if hook is not None:
        opened.enter_context(hook)
    metrics = Metrics(hook)
    if metrics_port is not None:
        port = opened.enter_context(metrics.serve(metrics_port))
        click.echo(f"metrics on http://{ADDRESS}:{port}/metrics", err=True)
    found: queue.SimpleQueue[Announcement] = queue.SimpleQueue()
    gateway = opened.enter_context(profile.gateway(regulator, "auditor"))
    return Following(
        OwnPeer(gateway),
        Checkpoints(store, own.roots),
        metrics,
        order=None
        if database is None
        else PassOrder(path.absolute(), dict(own.roots.genesis), database, patience),
        sinks=() if hook is None else (hook,),
        comparisons=tuple(_comparison(opened, profile, msp, found) for msp in compare),
        heads=None if heads is None else Heads(heads, own.regulator),
        signing=None if sign_heads is None else _signing(opened, own, sign_heads),
        rhythm=Rhythm(full=full_every),
        found=found,
    )


def _signing(opened: ExitStack, own: AuditorIdentity, every: float) -> Signing:
    from auditor.following.signing import Signing  # noqa: PLC0415
    from auditor.log.service_db import ServiceDatabase, database_url  # noqa: PLC0415

    database = opened.enter_context(closing(ServiceDatabase.open(database_url(home()))))
    return Signing(database, own.signer, own.regulator, every)


def _comparison(
    opened: ExitStack, profile: Profile, msp: str, found: queue.SimpleQueue[Announcement]
) -> Comparison:
    from auditor.following.comparison import Comparison  # noqa: PLC0415
    from auditor.replay.authority import Offices  # noqa: PLC0415
    from auditor.source import OwnPeer  # noqa: PLC0415

    gateway = opened.enter_context(profile.gateway(Offices().regulator, "auditor", via=msp))
    return opened.enter_context(Comparison(f"the peer of {msp}", OwnPeer(gateway), found))
