"""Puts one more chaincode on a network that runs already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from network import lifecycle, readiness, state, supervisor
from network.errors import NetworkError
from network.ports import EXTRA_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from network.cluster import Cluster


def deploy_chaincode(
    cluster: Cluster,
    name: str,
    program: Path,
    channel: str,
    *,
    endorsers: Sequence[str] | None = None,
    policy: str | None = None,
) -> None:
    """Install, approve and commit a chaincode and wait until every gateway of the channel can use it.

    `program` is a chaincode-as-a-service server that reads CHAINCODE_ID and CHAINCODE_SERVER_ADDRESS.
    `endorsers` are organizations (default: the channel's endorsers), `policy` a signature policy in
    Fabric's language (default: the channel's endorsement policy). Deploying the same name again with
    another program restarts it under the definition that was committed first. It stays through `down`
    and `up`. Raises `NetworkError` when all spare ports are in use, or a step fails.
    """
    topology = cluster.topology
    on = topology.channel(channel)
    orgs = tuple(topology.org(org) for org in endorsers) if endorsers else topology.endorsers_of(on)
    with state.locked(cluster.layout):
        key = _port_key(cluster, name)
        deployment = lifecycle.Deployment(name, program.resolve(), key, (on,), orgs, policy)
        mine = lifecycle.services(cluster, deployment)
        kept = [s for s in supervisor.read_services(cluster.layout) if s.node.rpartition(".")[0] != name]
        supervisor.write_services(cluster.layout, [*kept, *mine])
        readiness.wait_services(cluster, mine)
        lifecycle.deploy(cluster, (deployment,))
        readiness.wait_gateways(cluster, (deployment,))


def _port_key(cluster: Cluster, name: str) -> str:
    """Return the spare port's key that this chaincode has, or the first that nobody has."""
    if name in cluster.topology.chaincodes:
        raise NetworkError(f"chaincode {name} is in the table; `concordat network up` deploys it")
    services = supervisor.read_services(cluster.layout)
    by_port = {cluster.ports(o).chaincodes[key]: key for o in cluster.topology.orgs for key in EXTRA_KEYS}
    used = {s.node.rpartition(".")[0]: by_port[s.ports[0]] for s in services if s.ports[0] in by_port}
    if name in used:
        return used[name]
    for key in EXTRA_KEYS:
        if key not in used.values():
            return key
    raise NetworkError(f"all {len(EXTRA_KEYS)} spare chaincode ports are in use")
