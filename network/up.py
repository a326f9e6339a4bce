"""Brings a network from wherever it is to up: made, running, joined, deployed, answering."""

from __future__ import annotations

import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from network import (
    binaries,
    channels,
    discovery,
    genesis,
    health,
    identities,
    lifecycle,
    nodes,
    packages,
    ports,
    processes,
    profile,
    state,
    supervisor,
)
from network import authorities as ca_servers
from network import topology as tables
from network.cluster import Cluster
from network.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from network.processes import Command
    from network.topology import Topology

logger = logging.getLogger(__name__)

_START_SECONDS: Final = 90
_READY_SECONDS: Final = 60


def up(
    home: Path,
    *,
    table: Path | None = None,
    base: int | None = None,
    programs: Callable[[tuple[str, ...]], Mapping[str, Path]] = binaries.chaincodes,
) -> Cluster:
    """Bring the home's network up and return it; a network that is up already is left as it is.

    `table` and `base` matter where no network was made yet (default: the table that comes with
    Concordat). `programs` gives the chaincode programs by name. Raises `NetworkError`; what this
    call started is then stopped again.
    """
    layout = Layout(home.resolve())
    with state.locked(layout):
        made = state.reconcile(layout, table, base)
        text = made.table if made else (table or tables.DEFAULT_TABLE).read_text(encoding="utf-8")
        topology = made.topology if made else tables.load(table or tables.DEFAULT_TABLE)
        chosen = made.base if made else topology.port_base if base is None else base
        tables.require_room(topology, chosen)
        chaincodes = programs(topology.chaincodes)  # built before anything is touched
        cluster = Cluster(layout, topology, chosen, binaries.fabric())
        starter = _Starter(layout)
        try:
            if made is None:
                _make(cluster, starter, text)
            _run(cluster, starter, chaincodes)
        except BaseException:
            starter.undo()
            raise
    return cluster


class _Starter:
    """Starts what is not running, and remembers it in case the whole fails."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._started: list[processes.Record] = []

    def start(self, commands: Iterable[Command]) -> None:
        """Start every node that does not run, or runs with other settings."""
        for command in commands:
            record = processes.recorded(self._layout, command.node)
            if record is not None and record.fingerprint == command.fingerprint:
                continue
            if record is not None:
                logger.info("%s has other settings now; restarting it", command.node)
                processes.stop(self._layout, [record])
            ports.require_free(command.node, command.ports)
            self._started.append(processes.start(self._layout, command))

    def undo(self) -> None:
        """Stop what was started here."""
        processes.stop(self._layout, self._started)


def _make(cluster: Cluster, starter: _Starter, table: str) -> None:
    """Make certificates and genesis blocks, from nothing: what a crash left half-made is deleted."""
    layout, topology = cluster.layout, cluster.topology
    leftovers = [
        record for node in processes.recorded_nodes(layout) if (record := processes.recorded(layout, node))
    ]
    processes.stop(layout, [*leftovers, *processes.strays(layout)])
    _require_free(cluster)
    state.erase(layout)
    layout.root.mkdir(parents=True, mode=0o700)
    step = _Progress()
    for org in topology.orgs:
        ca_servers.configure(layout, org, cluster.ports(org))
    starter.start(cluster.authorities())
    _wait_authorities(cluster)
    step.done("certificate authorities")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda org: identities.enrol(layout, org, cluster.ports(org)), topology.orgs))
    step.done("certificates")
    for channel in topology.channels:
        genesis.make(layout, cluster.binaries, topology, cluster.base, channel)
    state.save(layout, table, cluster.base)
    step.done("genesis blocks")


def _run(cluster: Cluster, starter: _Starter, chaincodes: Mapping[str, Path]) -> None:
    layout, step = cluster.layout, _Progress()
    _stop_strays(cluster)
    nodes.write_configuration(layout, cluster.binaries)
    packages.install_builder(layout)
    deployments = table_deployments(cluster.topology, chaincodes)
    starter.start(cluster.authorities())
    starter.start(cluster.orderers())
    starter.start(cluster.peers())
    kept = _services_of_others(layout, cluster.topology)
    services = [service for d in deployments for service in lifecycle.services(cluster, d)]
    supervisor.write_services(layout, [*services, *kept])
    for service in services:
        if processes.recorded(layout, service.node) is None:
            ports.require_free(service.node, service.ports)
    starter.start([supervisor.command(layout.home, binaries.REPOSITORY)])
    _wait_authorities(cluster)
    _wait_nodes(cluster)
    step.done("nodes")
    channels.join_all(cluster)
    wait_leaders(cluster)
    step.done("channels")
    health.wait_for(
        layout,
        {s.node: (lambda port=s.ports[0]: health.accepts(port)) for s in services},
        _START_SECONDS,
        "the chaincode process",
        supervised=True,
    )
    lifecycle.deploy(cluster, deployments)
    wait_ready(cluster, deployments)
    step.done("chaincode")
    profile.publish(cluster)


def table_deployments(topology: Topology, programs: Mapping[str, Path]) -> tuple[lifecycle.Deployment, ...]:
    """Return what the table says is deployed where."""
    found = []
    for name in topology.chaincodes:
        on = tuple(channel for channel in topology.channels if channel.chaincode == name)
        endorsers = tuple(org for org in topology.orgs if name in topology.chaincodes_of(org))
        if on:
            found.append(lifecycle.Deployment(name, programs[name], name, on, endorsers))
    return tuple(found)


def wait_ready(cluster: Cluster, deployments: Iterable[lifecycle.Deployment]) -> None:
    """Wait until every peer, as a gateway, sees every endorser of every chaincode."""
    wanted = [(d, channel) for d in deployments for channel in d.channels]
    checks: dict[str, list[Callable[[], str | None]]] = {}
    for deployment, channel in wanted:
        for org in channel.members:
            checks.setdefault(org.peer, []).append(
                lambda via=org, on=channel, d=deployment: discovery.missing_endorsers(cluster, via, on, d)
            )
    health.wait_for(
        cluster.layout,
        {node: (lambda each=each: _first(each)) for node, each in checks.items()},
        _READY_SECONDS,
        "readiness as a gateway",
    )


def wait_leaders(cluster: Cluster) -> None:
    """Wait until every channel's orderers have a leader."""
    for channel in cluster.topology.channels:
        health.wait_for(
            cluster.layout,
            {
                channel.consenters[0].orderer: lambda on=channel: (
                    None if cluster.leader(on) else f"no leader of {on.name}"
                )
            },
            _START_SECONDS,
            "a leader",
        )


def _first(checks: list[Callable[[], str | None]]) -> str | None:
    return next((reason for check in checks if (reason := check()) is not None), None)


def _services_of_others(layout: Layout, topology: Topology) -> list[Command]:
    """Return the services of chaincodes that were added beside the table's."""
    mine = {f"{name}.{org.name}" for name in topology.chaincodes for org in topology.orgs}
    return [service for service in supervisor.read_services(layout) if service.node not in mine]


def _wait_authorities(cluster: Cluster) -> None:
    checks = {
        org.ca: (lambda port=cluster.ports(org).ca_operations: health.http_healthy(port))
        for org in cluster.topology.orgs
    }
    health.wait_for(cluster.layout, checks, _START_SECONDS, "health")


def _wait_nodes(cluster: Cluster) -> None:
    checks = {}
    for org in cluster.topology.orgs:
        used = cluster.ports(org)
        checks[org.orderer] = lambda port=used.orderer_operations: health.http_healthy(port)
        checks[org.peer] = lambda port=used.peer_operations: health.http_healthy(port)
    health.wait_for(cluster.layout, checks, _START_SECONDS, "health")


def _require_free(cluster: Cluster) -> None:
    for command in (*cluster.authorities(), *cluster.orderers(), *cluster.peers()):
        ports.require_free(command.node, command.ports)


def _stop_strays(cluster: Cluster) -> None:
    """Stop what a crash left running without a record."""
    if found := processes.strays(cluster.layout):
        logger.warning("stopping %d process(es) that an interrupted start left behind", len(found))
        processes.stop(cluster.layout, found)


class _Progress:
    """One line on stderr for each completed part, with the seconds that it took."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def done(self, what: str) -> None:
        """Say that a part is complete."""
        now = time.monotonic()
        sys.stderr.write(f"{what}: {now - self._since:.1f} s\n")
        self._since = now
