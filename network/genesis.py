"""Channel configuration (configtx) and the genesis blocks made from it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from network import commands, policies
from network.files import write
from network.layout import certificate, tls_certificate
from network.ports import LOOPBACK, ports_of
from network.protos import common_pb2
from network.yaml import render

if TYPE_CHECKING:
    from pathlib import Path

    from network.binaries import Binaries
    from network.layout import Layout
    from network.topology import Channel, Org, Topology

_PROFILE: Final = "Genesis"

# A dead leader is noticed after a heartbeat timeout or an unserved request's complaint and replaced
# within seconds. Fabric's defaults take a minute.
SMART_BFT: Final = {
    "RequestBatchMaxInterval": "200ms",
    "RequestForwardTimeout": "2s",
    "RequestComplainTimeout": "4s",
    "RequestAutoRemoveTimeout": "3m0s",
    "ViewChangeResendInterval": "1s",
    "ViewChangeTimeout": "5s",
    "LeaderHeartbeatTimeout": "4s",
    "LeaderHeartbeatCount": 10,
    "CollectTimeout": "500ms",
    "IncomingMessageBufferSize": 200,
    "RequestPoolSize": 100000,
}
_BATCH: Final = {
    "BatchTimeout": "200ms",
    "BatchSize": {"MaxMessageCount": 500, "AbsoluteMaxBytes": "10 MB", "PreferredMaxBytes": "4 MB"},
}


def configuration(layout: Layout, topology: Topology, base: int, channel: Channel) -> dict[str, object]:
    """Return the channel's configtx.yaml as data."""
    governance = topology.governance
    admins = _signature(policies.administration(governance))
    readers = {"Type": "ImplicitMeta", "Rule": "ANY Readers"}
    writers = {"Type": "ImplicitMeta", "Rule": "ANY Writers"}
    policies_of_all: dict[str, dict[str, str]] = {"Readers": readers, "Writers": writers, "Admins": admins}
    policies_of_members = {
        **policies_of_all,
        "Endorsement": _signature(policies.endorsement(governance)),
        "LifecycleEndorsement": _signature(policies.lifecycle_endorsement(governance)),
    }
    # configtxgen replaces BlockValidation by a quorum of the consenters, as BFT demands.
    policies_of_orderers = {**policies_of_all, "BlockValidation": writers}
    return {
        "Profiles": {
            _PROFILE: {
                "Policies": policies_of_all,
                "Capabilities": {"V3_0": True},
                "Application": {
                    "Organizations": [_member(layout, topology, base, org) for org in channel.members],
                    "Policies": policies_of_members,
                    "Capabilities": {"V2_5": True},
                },
                "Orderer": {
                    "OrdererType": "BFT",
                    **_BATCH,
                    "SmartBFT": SMART_BFT,
                    "ConsenterMapping": [
                        _consenter(layout, topology, base, number, org)
                        for number, org in enumerate(channel.consenters, start=1)
                    ],
                    "Organizations": [_ordering(layout, topology, base, org) for org in channel.consenters],
                    "Policies": policies_of_orderers,
                    "Capabilities": {"V2_0": True},
                },
            }
        }
    }


def make(layout: Layout, binaries: Binaries, topology: Topology, base: int, channel: Channel) -> None:
    """Write the channel's configuration and its genesis block."""
    block = layout.genesis(channel)
    write(block.parent / "configtx.yaml", render(configuration(layout, topology, base, channel)))
    commands.run(
        (
            binaries.program("configtxgen"),
            *("-profile", _PROFILE, "-channelID", channel.name, "-outputBlock", str(block)),
        ),
        {"FABRIC_CFG_PATH": str(block.parent)},
    )


def header_hash(block: Path) -> str:
    """Return the SHA-256 of a stored block's header, lower-case hex.

    Fabric hashes the header in ASN.1: number, previous hash, data hash.
    """
    header = common_pb2.Block.FromString(block.read_bytes()).header
    number = header.number.to_bytes(header.number.bit_length() // 8 + 1, "big")
    fields = _der(0x02, number) + _der(0x04, header.previous_hash) + _der(0x04, header.data_hash)
    return hashlib.sha256(_der(0x30, fields)).hexdigest()


def _der(tag: int, content: bytes) -> bytes:
    # One length byte will do: a header is a number and two hashes.
    return bytes((tag, len(content))) + content


def _org(layout: Layout, org: Org, *, ordering: bool) -> dict[str, object]:
    rules = policies.org_policies(org, ordering=ordering)
    return {
        "Name": org.msp,
        "ID": org.msp,
        "MSPDir": str(layout.channel_msp(org)),
        "Policies": {name: _signature(rule) for name, rule in rules.items()},
    }


def _member(layout: Layout, topology: Topology, base: int, org: Org) -> dict[str, object]:
    # Without an anchor peer no gateway would learn of another organization's peer.
    anchor = {"Host": LOOPBACK, "Port": ports_of(topology, base, org).peer}
    return {**_org(layout, org, ordering=False), "AnchorPeers": [anchor]}


def _ordering(layout: Layout, topology: Topology, base: int, org: Org) -> dict[str, object]:
    endpoint = f"{LOOPBACK}:{ports_of(topology, base, org).orderer}"
    return {**_org(layout, org, ordering=True), "OrdererEndpoints": [endpoint]}


def _consenter(layout: Layout, topology: Topology, base: int, number: int, org: Org) -> dict[str, object]:
    folder = layout.orderer(org)
    return {
        "ID": number,
        "Host": LOOPBACK,
        "Port": ports_of(topology, base, org).orderer,
        "MSPID": org.msp,
        "Identity": str(certificate(folder)),
        "ClientTLSCert": str(tls_certificate(folder)),
        "ServerTLSCert": str(tls_certificate(folder)),
    }


def _signature(rule: str) -> dict[str, str]:
    return {"Type": "Signature", "Rule": rule}
