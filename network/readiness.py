"""What it means that a part of the network is ready, and waiting until it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from network import discovery, health, processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from network.cluster import Cluster
    from network.lifecycle import Deployment
    from network.processes import Command
    from network.topology import Channel

_START_SECONDS: Final = 90
_SERVICE_SECONDS: Final = 40
_READY_SECONDS: Final = 60


def wait_authorities(cluster: Cluster) -> None:
    """Wait until every CA server says that it is healthy."""
    checks = {org.ca: health.http_check(cluster.ports(org).ca_operations) for org in cluster.topology.orgs}
    health.wait_for(cluster.layout, checks, _START_SECONDS, "health")


def wait_nodes(cluster: Cluster) -> None:
    """Wait until every orderer and every peer says that it is healthy."""
    checks = {}
    for org in cluster.topology.orgs:
        used = cluster.ports(org)
        # An orderer says that it is healthy before its administrators' endpoint listens.
        checks[org.orderer] = health.all_of(
            [
                health.http_check(used.orderer_operations),
                health.port_check(used.orderer),
                health.port_check(used.orderer_admin),
            ]
        )
        checks[org.peer] = health.all_of(
            [health.http_check(used.peer_operations), health.port_check(used.peer)]
        )
    health.wait_for(cluster.layout, checks, _START_SECONDS, "health")


def wait_leaders(cluster: Cluster) -> None:
    """Wait until a quorum of every channel's orderers knows a leader."""
    for channel in cluster.topology.channels:
        checks = {channel.consenters[0].orderer: _leader_check(cluster, channel)}
        health.wait_for(cluster.layout, checks, _START_SECONDS, "a leader")


def wait_services(cluster: Cluster, services: Iterable[Command]) -> None:
    """Wait until the supervisor has every chaincode process running as it is wanted now."""
    checks = {service.node: _service_check(cluster, service) for service in services}
    health.wait_for(cluster.layout, checks, _SERVICE_SECONDS, "the chaincode process", supervised=True)


def wait_gateways(cluster: Cluster, deployments: Iterable[Deployment]) -> None:
    """Wait until every peer, as a gateway, sees every endorser of every chaincode on its channels."""
    by_peer: dict[str, list[Callable[[], str | None]]] = {}
    for deployment in deployments:
        for channel in deployment.channels:
            for org in channel.members:
                check = discovery.endorsers_check(cluster, org, channel, deployment)
                by_peer.setdefault(org.peer, []).append(check)
    checks = {node: health.all_of(each) for node, each in by_peer.items()}
    health.wait_for(cluster.layout, checks, _READY_SECONDS, "readiness as a gateway")


def _leader_check(cluster: Cluster, channel: Channel) -> Callable[[], str | None]:
    return lambda: None if cluster.orders(channel) else f"no quorum of orderers is at work on {channel.name}"


def _service_check(cluster: Cluster, service: Command) -> Callable[[], str | None]:
    def check() -> str | None:
        record = processes.recorded(cluster.layout, service.node)
        if record is None or record.fingerprint != service.fingerprint:
            return "not started yet"
        return health.accepts(service.ports[0])

    return check
