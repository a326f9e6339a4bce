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
    held = {org: channels.heights(cluster, org) for org in cluster.topology.orgs}
    for channel in cluster.topology.channels:
        heights = {org.peer: held[org][channel.name] for org in channel.members if channel.name in held[org]}
        leader = cluster.leader(channel)
        found.append(ChannelStatus(channel.name, heights, leader.orderer if leader else None))
    return Status(str(cluster.layout.home), cluster.base, nodes, tuple(found))


def _nodes(cluster: Cluster) -> Iterator[Node]:
    services = supervisor.read_services(cluster.layout)
    for org in cluster.topology.orgs:
        used = cluster.ports(org)
        for name, role, port, check in (
            (org.ca, "ca", used.ca, health.http_check(used.ca_operations)),
            (org.orderer, "orderer", used.orderer, health.http_check(used.orderer_operations)),
            (org.peer, "peer", used.peer, health.http_check(used.peer_operations)),
        ):
            yield _node(cluster, _Wanted(name, org, role, f"{LOOPBACK}:{port}", check))
        for service in services:
            if service.node.endswith(f".{org.name}"):
                port = service.ports[0]
                check = health.port_check(port)
                yield _node(cluster, _Wanted(service.node, org, "chaincode", f"{LOOPBACK}:{port}", check))
    yield _node(cluster, _Wanted(supervisor.NAME, None, supervisor.NAME, "", lambda: None))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A node that should run, and how it is asked for its health."""

    name: str
    org: Org | None
    role: str
    address: str
    check: Callable[[], str | None]


def _node(cluster: Cluster, wanted: _Wanted) -> Node:
    record = processes.recorded(cluster.layout, wanted.name)
    detail = "not running" if record is None else wanted.check()
    return Node(
        name=wanted.name,
        org=wanted.org.name if wanted.org else None,
        msp=wanted.org.msp if wanted.org else None,
        role=wanted.role,
        address=wanted.address,
        pid=record.pid if record else None,
        healthy=detail is None,
        memory=processes.resident_bytes(record) if record else 0,
        detail=detail,
    )
