"""Orderers and peers join the channels of the table, by Fabric's own commands."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from network import commands, health

if TYPE_CHECKING:
    from network.cluster import Cluster
    from network.topology import Channel, Org


def join_all(cluster: Cluster) -> None:
    """Join every orderer, then every peer, to the channels that they have not joined yet."""
    topology = cluster.topology
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda org: _join_orderer(cluster, org), topology.orgs))
        list(pool.map(lambda org: _join_peer(cluster, org), topology.orgs))


def heights(cluster: Cluster, org: Org) -> dict[str, int]:
    """Return the number of blocks that the organization's peer holds, by channel; {} if it is silent."""
    found = health.metrics(cluster.ports(org).peer_operations)
    return {
        channel: int(value) for (name, channel), value in found.items() if name == "ledger_blockchain_height"
    }


def _join_orderer(cluster: Cluster, org: Org) -> None:
    program = cluster.binaries.program("osnadmin")
    wanted = cluster.topology.channels_ordered_by(org)
    if not wanted:
        return
    listed = commands.run((program, "channel", "list", *cluster.osnadmin(org)), {})
    for channel in wanted:
        if f'"name": "{channel.name}"' not in listed:
            block = ("--channelID", channel.name, "--config-block", str(cluster.layout.genesis(channel)))
            commands.run((program, "channel", "join", *block, *cluster.osnadmin(org)), {})


def _join_peer(cluster: Cluster, org: Org) -> None:
    joined = heights(cluster, org)
    for channel in cluster.topology.channels_of(org):
        if channel.name not in joined:
            _join_peer_to(cluster, org, channel)


def _join_peer_to(cluster: Cluster, org: Org, channel: Channel) -> None:
    block = str(cluster.layout.genesis(channel))
    commands.run((cluster.binaries.program("peer"), "channel", "join", "-b", block), cluster.peer_cli(org))
