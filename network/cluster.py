"""One network on this host: its table, its ports, its paths and its programs, as every step needs them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from network import authorities, health, nodes
from network.identities import ADMIN
from network.layout import tls_certificate, tls_key
from network.ports import LOOPBACK, OrgPorts, ports_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from network.binaries import Binaries
    from network.layout import Layout
    from network.processes import Command
    from network.topology import Channel, Org, Topology


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything that is known about one network before anything runs."""

    layout: Layout
    topology: Topology
    base: int
    binaries: Binaries

    def ports(self, org: Org) -> OrgPorts:
        """Return the organization's ports."""
        return ports_of(self.topology, self.base, org)

    def authorities(self) -> Iterator[Command]:
        """Return how every CA server is started."""
        for org in self.topology.orgs:
            yield authorities.command(self.layout, self.binaries, org, self.ports(org))

    def orderers(self) -> Iterator[Command]:
        """Return how every orderer is started."""
        for org in self.topology.orgs:
            yield nodes.orderer(self.layout, self.binaries, org, self.ports(org))

    def peers(self) -> Iterator[Command]:
        """Return how every peer is started."""
        for org in self.topology.orgs:
            yield nodes.peer(self.layout, self.binaries, org, self.ports(org))

    def peer_cli(self, org: Org) -> dict[str, str]:
        """Return the settings by which Fabric's `peer` command acts as the organization's administrator."""
        return {
            "FABRIC_CFG_PATH": str(self.layout.config),
            "CORE_PEER_LOCALMSPID": org.msp,
            "CORE_PEER_ADDRESS": f"{LOOPBACK}:{self.ports(org).peer}",
            "CORE_PEER_TLS_ENABLED": "true",
            "CORE_PEER_TLS_ROOTCERT_FILE": str(self.layout.root_certificate(org, "tls")),
            "CORE_PEER_MSPCONFIGPATH": str(self.layout.identity(org, ADMIN) / "msp"),
        }

    def osnadmin(self, org: Org) -> tuple[str, ...]:
        """Return the options by which `osnadmin` administers the organization's orderer."""
        admin = self.layout.identity(org, ADMIN)
        return (
            *("-o", f"{LOOPBACK}:{self.ports(org).orderer_admin}"),
            *("--ca-file", str(self.layout.root_certificate(org, "tls"))),
            *("--client-cert", str(tls_certificate(admin)), "--client-key", str(tls_key(admin))),
        )

    def leader(self, channel: Channel) -> Org | None:
        """Return whose orderer leads the channel, None while a majority does not name the same one.

        Orderers tell of another leader only when they next decide on a block: one that has just come
        back may name the leader of long ago, and on an idle channel they may differ until then.
        """
        votes = Counter(self._leaders_named(channel))
        # Consenters are numbered from 1 in the table's order (network/genesis.py).
        for number, org in enumerate(channel.consenters, start=1):
            if 2 * votes[number] > len(channel.consenters):
                return org
        return None

    def orders(self, channel: Channel) -> bool:
        """Say whether a quorum of the channel's orderers has begun to agree on blocks with the others."""
        quorum = -(-(len(channel.consenters) + (len(channel.consenters) - 1) // 3 + 1) // 2)
        return sum(1 for named in self._leaders_named(channel) if named) >= quorum

    def _leaders_named(self, channel: Channel) -> list[float | None]:
        name = ("consensus_BFT_leader_id", channel.name)
        return [health.metrics(self.ports(org).orderer_operations).get(name) for org in channel.consenters]

    def orderer_flags(self, channel: Channel) -> tuple[str, ...]:
        """Return the `peer` options that send transactions to the channel's leader.

        A follower would pass a transaction on only after SmartBFT's forwarding timeout.
        """
        org = self.leader(channel) or channel.consenters[0]
        root = self.layout.root_certificate(org, "tls")
        return ("-o", f"{LOOPBACK}:{self.ports(org).orderer}", "--tls", "--cafile", str(root))
