"""Brings a network from wherever it is to up: made, running, joined, deployed, answering."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from network import (
    binaries,
    channels,
    lifecycle,
    nodes,
    packages,
    ports,
    processes,
    profile,
    readiness,
    state,
    supervisor,
)
from network import topology as tables
from network.cluster import Cluster
from network.layout import Layout
from network.making import make
from network.progress import Progress
from network.starting import Starter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from network.processes import Command
    from network.topology import Topology

logger = logging.getLogger(__name__)


def up(
    home: Path,
    *,
    table: Path | None = None,
    base: int | None = None,
    programs: Callable[[tuple[str, ...]], Mapping[str, Path]] = binaries.chaincodes,
) -> Cluster:
    """Bring the home's network up and return it; a network that is up already is left as it is.

    `table` and `base` matter where no network was made yet (default: the table that comes with
    Concordat). `programs` gives the chaincode programs by name. Raises `NetworkError` or
    `client.ca.CAError`; what this call started is then stopped again.
    """
    layout = Layout(home.resolve())
    with state.locked(layout):
        made = state.reconcile(layout, table, base)
        wanted = made or state.plan(table or tables.DEFAULT_TABLE, base)
        chaincodes = programs(wanted.topology.chaincodes)  # built before anything is touched
        cluster = Cluster(layout, wanted.topology, wanted.base, binaries.fabric())
        starter, progress = Starter(layout), Progress()
        try:
            if made is None:
                make(cluster, starter, wanted.table, progress)
            _run(cluster, starter, chaincodes, progress)
        except BaseException:
            starter.undo()
            raise
    return cluster


def _run(cluster: Cluster, starter: Starter, chaincodes: Mapping[str, Path], progress: Progress) -> None:
    layout = cluster.layout
    if found := processes.strays(layout):
        logger.warning("stopping %d process(es) that an interrupted command left behind", len(found))
        processes.stop(layout, found)
    nodes.write_configuration(layout, cluster.binaries)
    packages.install_builder(layout)
    starter.start((*cluster.authorities(), *cluster.orderers(), *cluster.peers()))
    deployments = lifecycle.from_table(cluster.topology, chaincodes)
    services = [service for d in deployments for service in lifecycle.services(cluster, d)]
    _supervise(cluster, starter, services)
    readiness.wait_authorities(cluster)
    readiness.wait_nodes(cluster)
    progress.done("nodes")
    channels.join_all(cluster)
    readiness.wait_leaders(cluster)
    progress.done("channels")
    readiness.wait_services(cluster, services)
    lifecycle.deploy(cluster, deployments)
    readiness.wait_gateways(cluster, deployments)
    profile.publish(cluster)
    progress.done("chaincode")


def _supervise(cluster: Cluster, starter: Starter, services: list[Command]) -> None:
    """Have the supervisor keep these services running, beside those that were added to the table's."""
    layout = cluster.layout
    mine = _service_names(cluster.topology)
    others = [service for service in supervisor.read_services(layout) if service.node not in mine]
    for service in (*services, *others):
        if processes.recorded(layout, service.node) is None:
            ports.require_free(service.node, service.ports)
    supervisor.write_services(layout, [*services, *others])
    starter.start([supervisor.command(layout.home, binaries.REPOSITORY)])


def _service_names(topology: Topology) -> set[str]:
    return {f"{name}.{org.name}" for name in topology.chaincodes for org in topology.orgs}
