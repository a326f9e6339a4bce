"""Writes `connection.json`, by which clients find a running network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from network import authorities, genesis
from network.files import write
from network.identities import ADMIN
from network.layout import certificate, private_key
from network.ports import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

    from network.cluster import Cluster
    from network.topology import Channel, Org


def publish(cluster: Cluster) -> None:
    """Write the profile; its presence says that the network is up."""
    topology = cluster.topology
    content = {
        "v": 1,
        "channels": {channel.name: _channel(cluster, channel) for channel in topology.channels},
        "orgs": {org.msp: _org(cluster, org) for org in topology.orgs},
    }
    write(cluster.layout.profile, json.dumps(content, indent=1))


def _channel(cluster: Cluster, channel: Channel) -> dict[str, object]:
    found: dict[str, object] = {
        "genesis": genesis.header_hash(cluster.layout.genesis(channel)),
        "orgs": [org.msp for org in channel.members],
        "chaincode": channel.chaincode,
    }
    if channel.institution is not None:
        found["institution"] = channel.institution.msp
    return found


def _org(cluster: Cluster, org: Org) -> dict[str, object]:
    layout, ports = cluster.layout, cluster.ports(org)

    def relative(path: Path) -> str:
        return str(path.relative_to(layout.root))

    names = authorities.ca_names(org)
    tls_root = relative(layout.root_certificate(org, "tls"))
    return {
        "name": org.name,
        "peers": [{"name": org.peer, "address": f"{LOOPBACK}:{ports.peer}", "tls_root": tls_root}],
        "orderers": [
            {
                "name": org.orderer,
                "address": f"{LOOPBACK}:{ports.orderer}",
                "admin": f"{LOOPBACK}:{ports.orderer_admin}",
                "tls_root": tls_root,
            }
        ],
        "ca": {
            "url": f"https://{LOOPBACK}:{ports.ca}",
            "tls_root": tls_root,
            "names": names,
            "registrar": {
                "name": authorities.REGISTRAR,
                "secret_file": relative(layout.registrar_secret(org)),
            },
        },
        "roots": {purpose: relative(layout.root_certificate(org, purpose)) for purpose in names},
        "identities": {
            role: {
                "cert": relative(certificate(layout.identity(org, role))),
                "key": relative(private_key(layout.identity(org, role))),
            }
            for role in (ADMIN, *org.roles)
        },
    }
