"""`concordat network`: up, down, status, env, compose."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from client.cli.options import EXISTING_FILE, JSON
from client.errors import Negative
from client.home import home
from network import state
from network.compose import compose
from network.down import down
from network.environment import exports
from network.errors import NetworkError
from network.status import Status, open_cluster, status
from network.topology import DEFAULT_TABLE
from network.up import up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MIB = 2**20


@click.group(name="network")
def group() -> None:
    """Run the development network: up, down, status."""


@group.command("up")
@click.option(
    "--topology",
    "table",
    type=EXISTING_FILE,
    help="Table of organizations, channels and chaincodes (default: the one that comes with Concordat).",
)
@click.option("--port-base", type=click.IntRange(1024, 65535), help="First port (default: the table's).")
@JSON
def up_command(table: Path | None, port_base: int | None, as_json: bool) -> None:
    """Bring the network up, from wherever it is; wait until it answers."""
    with _log_lines_shown():
        up(home(), table=table, base=port_base)
        _show(status(home()), as_json=as_json)


@group.command("down")
@click.option("--purge", is_flag=True, help="Delete the network's ledgers, certificates and keys, too.")
@JSON
def down_command(purge: bool, as_json: bool) -> None:
    """Stop everything of the network."""
    with _log_lines_shown():
        stopped = down(home(), purge=purge)
    if as_json:
        click.echo(json.dumps({"stopped": list(stopped), "purged": purge}))
    else:
        click.echo(f"stopped {len(stopped)} processes{' and deleted the network' if purge else ''}")


@group.command("status")
@JSON
def status_command(as_json: bool) -> None:
    """List every node; exit 1 if one is not well, 2 if there is no network."""
    found = status(home())
    _show(found, as_json=as_json)
    if not found.healthy:
        unwell = ", ".join(node.name for node in found.nodes if not node.healthy)
        raise Negative(f"not healthy: {unwell}; `concordat network up` brings back what is dead")


@group.command("env")
@click.argument("org")
def env_command(org: str) -> None:
    """Print shell exports for Fabric's own commands: eval "$(concordat network env regulator)"."""
    cluster = open_cluster(home())
    click.echo(exports(cluster, cluster.topology.org(org)), nl=False)


@group.command("compose")
@click.option(
    "--topology",
    "table",
    type=EXISTING_FILE,
    help="Table of organizations, channels and chaincodes (default: the one that comes with Concordat).",
)
@click.option("--port-base", type=click.IntRange(1024, 65535), help="First port (default: the table's).")
def compose_command(table: Path | None, port_base: int | None) -> None:
    """Print the Compose file by which containers run the same network."""
    plan = state.plan(table or DEFAULT_TABLE, port_base)
    click.echo(compose(plan.topology, plan.base), nl=False)


@contextmanager
def _log_lines_shown() -> Iterator[None]:
    """Put the failed part's last log lines before the sentence that says what failed."""
    try:
        yield
    except NetworkError as error:
        for line in error.log_lines:
            sys.stderr.write(f"  | {line}\n")
        raise


def _show(found: Status, *, as_json: bool) -> None:
    if as_json:
        channels = {c.name: {"heights": c.heights, "leader": c.leader} for c in found.channels}
        nodes = [asdict(node) for node in found.nodes]
        click.echo(
            json.dumps(
                {
                    "home": found.home,
                    "port_base": found.port_base,
                    "healthy": found.healthy,
                    "nodes": nodes,
                    "channels": channels,
                }
            )
        )
        return
    for node in found.nodes:
        state = "healthy" if node.healthy else node.detail
        click.echo(
            f"{node.name:<28} {node.org or '':<14} {node.role:<11} {node.address:<17} "
            f"{node.pid or '-':>8} {node.memory // _MIB:>5} MiB  {state}"
        )
    for channel in found.channels:
        heights = ", ".join(f"{peer} {height}" for peer, height in channel.heights.items())
        click.echo(
            f"channel {channel.name}: leader {channel.leader or 'not agreed on yet'}; blocks: {heights}"
        )
