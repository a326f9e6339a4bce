"""What is there of a network, node by node, whether it is well or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from network import binaries, channels, health, processes, state, supervisor
from network.cluster import Cluster
from network.errors import NetworkError
from network.layout import Layout
from network.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from network.topology import Org


@dataclass(frozen=True, slots=True)
class Node:
    """One process: `detail` says what is wrong with it; memory in bytes."""

    name: str
    org: str | None
    msp: str | None
    role: str
    address: str
    pid: int | None
    healthy: bool
    memory: int
    detail: str | None


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """One channel: blocks held by each peer, and the orderer that leads (None while there is none)."""

    name: str
    heights: dict[str, int]
    leader: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """The whole network."""

    home: str
    port_base: int
    nodes: tuple[Node, ...]
    channels: tuple[ChannelStatus, ...]

    @property
    def healthy(self) -> bool:
        """All nodes run and say that they are well."""
        return all(node.healthy for node in self.nodes)


def open_cluster(home: Path) -> Cluster:
    """Return the network that was made in this home; raise `NetworkError` if there is none."""
    layout = Layout(home.resolve())
    made = state.load(layout)
    if made is None:
        raise NetworkError(f"there is no network in {layout.root}; run `concordat network up`")
    return Cluster(layout, made.topology, made.base, binaries.fabric())


def status(home: Path) -> Status:
    """Look at every node; raise `NetworkError` if no network was ever made here, or nothing of it runs."""
    cluster = open_cluster(home)
    nodes = tuple(_nodes(cluster))
    if all(node.pid is None for node in nodes):
        raise NetworkError(f"the network in {cluster.layout.root} is not running; run `concordat network up`")
    found = []
    for channel in cluster.topology.channels:
        heights = {
            org.peer: height
            for org in channel.members
            if (height := channels.heights(cluster, org).get(channel.name)) is not None
        }
        leader = cluster.leader(channel)
        found.append(ChannelStatus(channel.name, heights, leader.orderer if leader else None))
    return Status(str(cluster.layout.home), cluster.base, nodes, tuple(found))


def _nodes(cluster: Cluster) -> Iterator[Node]:
    services = {service.node: service for service in supervisor.read_services(cluster.layout)}
    for org in cluster.topology.orgs:
        used = cluster.ports(org)
        yield _node(cluster, org.ca, org, "ca", used.ca, _http(used.ca_operations))
        yield _node(cluster, org.orderer, org, "orderer", used.orderer, _http(used.orderer_operations))
        yield _node(cluster, org.peer, org, "peer", used.peer, _http(used.peer_operations))
        for name, service in services.items():
            if name.endswith(f".{org.name}"):
                port = service.ports[0]
                yield _node(cluster, name, org, "chaincode", port, lambda port=port: health.accepts(port))
    yield _node(cluster, supervisor.NAME, None, "supervisor", None, lambda: None)


def _http(port: int) -> Callable[[], str | None]:
    return lambda: health.http_healthy(port)


def _node(
    cluster: Cluster, name: str, org: Org | None, role: str, port: int | None, check: Callable[[], str | None]
) -> Node:
    record = processes.recorded(cluster.layout, name)
    detail = "not running" if record is None else check()
    return Node(
        name=name,
        org=org.name if org else None,
        msp=org.msp if org else None,
        role=role,
        address=f"{LOOPBACK}:{port}" if port else "",
        pid=record.pid if record else None,
        healthy=detail is None,
        memory=processes.resident_bytes(record) if record else 0,
        detail=detail,
    )
