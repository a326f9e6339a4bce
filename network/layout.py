"""Where everything of one network lives below Concordat's home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from network.topology import Channel, Org


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of one network; pure arithmetic, nothing is created here."""

    home: Path

    @property
    def root(self) -> Path:
        """All of the network's files; `down --purge` removes it."""
        return self.home / "network"

    @property
    def lock(self) -> Path:
        """Held by whoever changes the network; outlives a purge."""
        return self.home / "network.lock"

    @property
    def marker(self) -> Path:
        """Says that `root` is a network's folder, which may be deleted, and nothing else."""
        return self.root / ".concordat-network"

    @property
    def state(self) -> Path:
        """Written once certificates and genesis blocks are complete."""
        return self.root / "network.json"

    @property
    def table(self) -> Path:
        """The table that the network was made from."""
        return self.root / "topology.toml"

    @property
    def profile(self) -> Path:
        """How clients find the network; there while it runs."""
        return self.root / "connection.json"

    @property
    def config(self) -> Path:
        """Fabric's own defaults, as the nodes read them."""
        return self.root / "config"

    @property
    def builder(self) -> Path:
        """The external builder for chaincode as a service."""
        return self.root / "builder"

    @property
    def run(self) -> Path:
        """Records of running processes."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One log a node."""
        return self.root / "logs"

    @property
    def packages(self) -> Path:
        """Chaincode packages, and what the supervisor keeps running."""
        return self.root / "chaincodes"

    @property
    def services(self) -> Path:
        """The chaincode processes that the supervisor keeps running."""
        return self.packages / "services.json"

    def org(self, org: Org) -> Path:
        """Everything of one organization."""
        return self.root / "orgs" / org.name

    def ca(self, org: Org) -> Path:
        """Home of the organization's CA server."""
        return self.org(org) / "ca"

    def root_certificate(self, org: Org, ca: str) -> Path:
        """Root of one of the organization's CAs: `identity`, `tls` or `lender`."""
        return self.org(org) / f"{ca}-root.pem"

    def registrar_secret(self, org: Org) -> Path:
        """Secret of the registrar that every CA of the organization knows."""
        return self.org(org) / "registrar.secret"

    def channel_msp(self, org: Org) -> Path:
        """The organization's MSP as the channels know it (no keys)."""
        return self.org(org) / "msp"

    def peer(self, org: Org) -> Path:
        """The organization's peer."""
        return self.org(org) / "peer0"

    def orderer(self, org: Org) -> Path:
        """The organization's orderer."""
        return self.org(org) / "orderer0"

    def identity(self, org: Org, role: str) -> Path:
        """One client of the organization, as an MSP folder inside `msp`."""
        return self.org(org) / "identities" / role

    def genesis(self, channel: Channel) -> Path:
        """The channel's genesis block."""
        return self.root / "channels" / channel.name / "genesis.block"

    def log(self, node: str) -> Path:
        """The node's log."""
        return self.logs / f"{node}.log"


def certificate(holder: Path) -> Path:
    """Certificate of a node or client folder."""
    return holder / "msp" / "signcerts" / "cert.pem"


def private_key(holder: Path) -> Path:
    """Private key of a node or client folder."""
    return holder / "msp" / "keystore" / "key.pem"


def tls_certificate(holder: Path) -> Path:
    """TLS certificate of a node, or of an administrator."""
    return holder / "tls" / "cert.pem"


def tls_key(holder: Path) -> Path:
    """TLS key of a node, or of an administrator."""
    return holder / "tls" / "key.pem"
