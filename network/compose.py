"""The same network in containers, as a Compose file: same table, settings, addresses, certificates, ledgers.

The containers use the host's network, so every address that is in certificates and genesis blocks
stays true; each organization is a profile.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from network import lifecycle
from network.binaries import FABRIC_CA_VERSION, FABRIC_VERSION, Binaries
from network.cluster import Cluster
from network.layout import Layout
from network.yaml import render

if TYPE_CHECKING:
    from network.processes import Command
    from network.topology import Org, Topology

_INSIDE: Final = Layout(Path("/concordat"))
_OUTSIDE: Final = "${CONCORDAT_HOME:-./var}/network"
_IN_IMAGES: Final = Binaries(Path("/usr/local/bin"), Path("/usr/local/bin"), Path("/etc/hyperledger/fabric"))
_CHAINCODE_IMAGE: Final = "concordat/chaincode"
_HEADER: Final = """\
# The network of network/topology.toml in containers. Written by `concordat network compose`: edit the table,
# not this file. Certificates, genesis blocks and channels come from `concordat network up`, run once on this
# host and stopped with `concordat network down`; docs/network.md tells how, and what other hosts need.
"""
_DOCKERFILE: Final = """\
FROM golang:1.26 AS build
WORKDIR /source
COPY . .
RUN mkdir /programs && CGO_ENABLED=0 go build -o /programs ./cmd/...
FROM scratch
COPY --from=build /programs/ /
"""


def compose(topology: Topology, base: int) -> str:
    """Return the Compose file for a table and its port base."""
    cluster = Cluster(_INSIDE, topology, base, _IN_IMAGES)
    services: dict[str, object] = {}
    for org, ca, orderer, peer in zip(
        topology.orgs, cluster.authorities(), cluster.orderers(), cluster.peers(), strict=True
    ):
        tls_root = _INSIDE.root_certificate(org, "tls")
        for command, image, mounts in (
            (ca, f"hyperledger/fabric-ca:{FABRIC_CA_VERSION}", (_INSIDE.ca(org),)),
            (orderer, f"hyperledger/fabric-orderer:{FABRIC_VERSION}", (_INSIDE.orderer(org), tls_root)),
            (peer, f"hyperledger/fabric-peer:{FABRIC_VERSION}", (_INSIDE.peer(org), tls_root)),
        ):
            volumes = [_volume(path) for path in mounts]  # no container sees another's keys
            services[command.node] = {"image": image, **_common(org, command), "volumes": volumes}
    programs = {name: Path("/") / name for name in topology.chaincodes}
    for deployment in lifecycle.from_table(topology, programs):
        for org, service in zip(deployment.endorsers, lifecycle.services(cluster, deployment), strict=True):
            services[service.node] = {
                "image": _CHAINCODE_IMAGE,
                "build": {"context": "./chaincode", "dockerfile_inline": _DOCKERFILE},
                **_common(org, service),
                "read_only": True,
            }
    return _HEADER + render({"name": "concordat", "services": services})


def _volume(inside: Path) -> str:
    return f"{_OUTSIDE}/{inside.relative_to(_INSIDE.root)}:{inside}"


def _common(org: Org, command: Command) -> dict[str, object]:
    # The images bring Fabric's configuration files with them, and an external builder like ours.
    settings = {name: value for name, value in command.env.items() if name != "FABRIC_CFG_PATH"}
    return {
        "profiles": [org.name, "all"],
        "network_mode": "host",
        "restart": "unless-stopped",
        "command": list(command.argv),
        # A dollar sign begins a variable of Compose's own.
        **({"environment": {n: v.replace("$", "$$") for n, v in settings.items()}} if settings else {}),
    }
