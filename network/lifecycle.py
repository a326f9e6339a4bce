"""Chaincode through Fabric's official lifecycle: package, install, approve, check, commit."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from network import commands, packages
from network.errors import CommandFailed
from network.files import write
from network.nodes import TOTAL_QUERY_LIMIT
from network.ports import LOOPBACK
from network.processes import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from network.cluster import Cluster
    from network.topology import Channel, Org, Topology

_VERSION: Final = "1.0"
_CHANNEL_POLICY: Final = ("--channel-config-policy", "/Channel/Application/Endorsement")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One chaincode: its program, where each peer finds it, the channels it is defined on, who runs it.

    `policy` is a signature policy in Fabric's language; None refers to the channel's own endorsement policy.
    """

    name: str
    program: Path
    port_key: str
    channels: tuple[Channel, ...]
    endorsers: tuple[Org, ...]
    policy: str | None = None

    def package(self) -> packages.Package:
        """Return the package that is installed on every endorser's peer."""
        return packages.make(self.name, self.port_key)


def from_table(topology: Topology, programs: Mapping[str, Path]) -> tuple[Deployment, ...]:
    """Return what the table says is deployed where; `programs` are the chaincodes' by name."""
    found = []
    for name in topology.chaincodes:
        on = tuple(channel for channel in topology.channels if channel.chaincode == name)
        endorsers = tuple(org for org in topology.orgs if name in topology.chaincodes_of(org))
        if on:
            found.append(Deployment(name, programs[name], name, on, endorsers))
    return tuple(found)


def services(cluster: Cluster, deployment: Deployment) -> tuple[Command, ...]:
    """Return the chaincode's processes, one beside each endorser's peer."""
    package_id = deployment.package().package_id
    found = []
    for org in deployment.endorsers:
        port = cluster.ports(org).chaincodes[deployment.port_key]
        settings = {
            "CHAINCODE_ID": package_id,
            "CHAINCODE_SERVER_ADDRESS": f"{LOOPBACK}:{port}",
            "TOTAL_QUERY_LIMIT": str(TOTAL_QUERY_LIMIT),
        }
        found.append(Command(f"{deployment.name}.{org.name}", (str(deployment.program),), settings, (port,)))
    return tuple(found)


def deploy(cluster: Cluster, deployments: Iterable[Deployment]) -> None:
    """Bring every chaincode to where it is installed and committed; what is done already is left alone."""
    wanted = tuple(deployments)
    with ThreadPoolExecutor(4) as pool:
        installs = [(d, org) for d in wanted for org in d.endorsers]
        by_org = {org: [d for d, o in installs if o == org] for _, org in installs}
        list(pool.map(lambda item: _install(cluster, *item), by_org.items()))
        missing = [
            (deployment, channel)
            for deployment in wanted
            for channel in deployment.channels
            if not _committed(cluster, deployment, channel)
        ]
        approvals = [(d, c, org) for d, c in missing for org in approvers(cluster, c)]
        list(pool.map(lambda item: _approve(cluster, *item), approvals))
        list(pool.map(lambda item: _commit(cluster, *item), missing))


def approvers(cluster: Cluster, channel: Channel) -> tuple[Org, ...]:
    """Return who approves definitions on a channel: all whose word counts in its lifecycle policy."""
    governance = cluster.topology.governance
    named = (governance.administrator, *governance.co_administrators)
    return tuple(org for org in named if org in channel.members)


def _lifecycle(cluster: Cluster, org: Org, *arguments: str) -> str:
    argv = (cluster.binaries.program("peer"), "lifecycle", "chaincode", *arguments)
    return commands.run(argv, cluster.peer_cli(org))


def _install(cluster: Cluster, org: Org, deployments: list[Deployment]) -> None:
    listed = json.loads(_lifecycle(cluster, org, "queryinstalled", "--output", "json"))
    installed = {entry["package_id"] for entry in listed.get("installed_chaincodes", [])}
    for deployment in deployments:
        package = deployment.package()
        if package.package_id in installed:
            continue
        # Each org reads a file of its own, so that parallel installations don't share one.
        path = cluster.layout.packages / f"{deployment.name}.{org.name}.tar.gz"
        write(path, package.content)
        _lifecycle(cluster, org, "install", str(path))


def _committed(cluster: Cluster, deployment: Deployment, channel: Channel) -> bool:
    org = cluster.topology.governance.administrator
    listed = json.loads(_lifecycle(cluster, org, "querycommitted", "-C", channel.name, "--output", "json"))
    return any(entry["name"] == deployment.name for entry in listed.get("chaincode_definitions", []))


def _definition(deployment: Deployment, channel: Channel) -> tuple[str, ...]:
    policy = _CHANNEL_POLICY if deployment.policy is None else ("--signature-policy", deployment.policy)
    return ("-C", channel.name, "-n", deployment.name, "-v", _VERSION, "--sequence", "1", *policy)


def _approve(cluster: Cluster, deployment: Deployment, channel: Channel, org: Org) -> None:
    package = ("--package-id", deployment.package().package_id) if org in deployment.endorsers else ()
    _lifecycle(
        cluster,
        org,
        "approveformyorg",
        *_definition(deployment, channel),
        *package,
        *cluster.orderer_flags(channel),
    )


def _commit(cluster: Cluster, deployment: Deployment, channel: Channel) -> None:
    governance = cluster.topology.governance
    definition = _definition(deployment, channel)
    ready = json.loads(
        _lifecycle(cluster, governance.administrator, "checkcommitreadiness", *definition, "--output", "json")
    )["approvals"]
    others = [org for org in governance.co_administrators if ready.get(org.msp)]
    if not ready.get(governance.administrator.msp) or not others:
        raise CommandFailed(f"chaincode {deployment.name} lacks approvals on {channel.name}: {ready}")
    peers: list[str] = []
    for org in (governance.administrator, others[0]):
        peers += ("--peerAddresses", f"{LOOPBACK}:{cluster.ports(org).peer}")
        peers += ("--tlsRootCertFiles", str(cluster.layout.root_certificate(org, "tls")))
    _lifecycle(
        cluster, governance.administrator, "commit", *definition, *peers, *cluster.orderer_flags(channel)
    )
