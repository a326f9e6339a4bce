"""Makes a network that never was: CAs, certificates, genesis blocks; half of it is worth nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from network import authorities, genesis, identities, ports, processes, readiness, state

if TYPE_CHECKING:
    from network.cluster import Cluster
    from network.progress import Progress
    from network.starting import Starter

_AT_ONCE = 4


def make(cluster: Cluster, starter: Starter, table: str, progress: Progress) -> None:
    """Make certificates and genesis blocks from nothing, deleting what a crash left half-made.

    The CA servers are running afterwards.
    """
    layout, topology = cluster.layout, cluster.topology
    processes.stop(layout, [*processes.all_recorded(layout), *processes.strays(layout)])
    for command in (*cluster.authorities(), *cluster.orderers(), *cluster.peers()):
        ports.require_free(command.node, command.ports)
    state.erase(layout)
    state.begin(layout)
    for org in topology.orgs:
        authorities.configure(layout, org, cluster.ports(org))
    starter.start(cluster.authorities())
    readiness.wait_authorities(cluster)
    progress.done("certificate authorities")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda org: identities.enrol(layout, org, cluster.ports(org)), topology.orgs))
    progress.done("certificates")
    for channel in topology.channels:
        genesis.make(layout, cluster.binaries, topology, cluster.base, channel)
    state.save(layout, table, cluster.base)
    progress.done("genesis blocks")
