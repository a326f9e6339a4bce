"""How each peer and orderer is configured and started: Fabric's sample configuration plus overrides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from network.errors import NetworkError
from network.files import write
from network.layout import tls_certificate, tls_key
from network.ports import LOOPBACK
from network.processes import Command

if TYPE_CHECKING:
    from network.binaries import Binaries
    from network.layout import Layout
    from network.ports import OrgPorts
    from network.topology import Org

TOTAL_QUERY_LIMIT: Final = 100_000
"""Rows after which a peer ends a range query without a word; chaincode is told and guards against it."""

LOGGING: Final = {
    "FABRIC_LOGGING_SPEC": "grpc=error:comm.grpc.server=warn:info",
    "FABRIC_LOGGING_FORMAT": "%{time:2006-01-02T15:04:05.000Z07:00} %{level:.4s} [%{module}] %{message}",
}

_BUILDER_IN_SAMPLE: Final = "path: /opt/hyperledger/ccaas_builder"


def write_configuration(layout: Layout, binaries: Binaries) -> None:
    """Copy Fabric's sample configuration, pointing the external builder at ours."""
    core = (binaries.sample_config / "core.yaml").read_text(encoding="utf-8")
    if core.count(_BUILDER_IN_SAMPLE) != 1:
        raise NetworkError(
            "Fabric's sample core.yaml no longer has the external builder that is replaced here"
        )
    core = core.replace(_BUILDER_IN_SAMPLE, f"path: {json.dumps(str(layout.builder))}")
    write(layout.config / "core.yaml", core)
    write(layout.config / "orderer.yaml", (binaries.sample_config / "orderer.yaml").read_bytes())


def peer(layout: Layout, binaries: Binaries, org: Org, ports: OrgPorts) -> Command:
    """Return how the organization's peer is started."""
    folder, address = layout.peer(org), f"{LOOPBACK}:{ports.peer}"
    chaincodes = {key: f"{LOOPBACK}:{port}" for key, port in ports.chaincodes.items()}
    settings = {
        **peer_settings(org),
        "CORE_PEER_LISTENADDRESS": address,
        "CORE_PEER_ADDRESS": address,
        "CORE_PEER_CHAINCODELISTENADDRESS": f"{LOOPBACK}:{ports.peer_chaincode}",
        "CORE_PEER_GOSSIP_BOOTSTRAP": address,
        "CORE_PEER_GOSSIP_EXTERNALENDPOINT": address,
        "CORE_PEER_MSPCONFIGPATH": str(folder / "msp"),
        "CORE_PEER_FILESYSTEMPATH": str(folder / "data"),
        "CORE_LEDGER_SNAPSHOTS_ROOTDIR": str(folder / "data" / "snapshots"),
        "CORE_PEER_TLS_CERT_FILE": str(tls_certificate(folder)),
        "CORE_PEER_TLS_KEY_FILE": str(tls_key(folder)),
        "CORE_PEER_TLS_ROOTCERT_FILE": str(layout.root_certificate(org, "tls")),
        "CORE_OPERATIONS_LISTENADDRESS": f"{LOOPBACK}:{ports.peer_operations}",
        "CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG": json.dumps(chaincodes),
        "FABRIC_CFG_PATH": str(layout.config),
    }
    used = (ports.peer, ports.peer_chaincode, ports.peer_operations)
    return Command(org.peer, (binaries.program("peer"), "node", "start"), settings, used)


def peer_settings(org: Org) -> dict[str, str]:
    """Return what a peer is told wherever it runs."""
    return {
        "CORE_PEER_ID": org.peer,
        "CORE_PEER_LOCALMSPID": org.msp,
        "CORE_PEER_TLS_ENABLED": "true",
        "CORE_VM_ENDPOINT": "",
        "CORE_METRICS_PROVIDER": "prometheus",
        "CORE_LEDGER_STATE_TOTALQUERYLIMIT": str(TOTAL_QUERY_LIMIT),
        "CORE_CHAINCODE_RUNTIMEPARAMS_USEWRITEBATCH": "true",
        "CORE_CHAINCODE_RUNTIMEPARAMS_USEGETMULTIPLEKEYS": "true",
        "CORE_CHAINCODE_EXECUTETIMEOUT": "60s",
        "CORE_PEER_LIMITS_CONCURRENCY_GATEWAYSERVICE": "2000",
        # A peer that returns after a restart is to be known by the others within seconds.
        "CORE_PEER_GOSSIP_ALIVETIMEINTERVAL": "1s",
        "CORE_PEER_GOSSIP_ALIVEEXPIRATIONTIMEOUT": "10s",
        "CORE_PEER_GOSSIP_RECONNECTINTERVAL": "2s",
        "CORE_PEER_GOSSIP_PUBLISHSTATEINFOINTERVAL": "1s",
        "CORE_PEER_GOSSIP_REQUESTSTATEINFOINTERVAL": "1s",
        "CORE_PEER_GOSSIP_PUBLISHCERTPERIOD": "1s",
        "CORE_PEER_GATEWAY_DIALTIMEOUT": "10s",
        # Back-off to a lost orderer ends at seconds, not at an hour.
        "CORE_PEER_DELIVERYCLIENT_RECONNECTBACKOFFTHRESHOLD": "2s",
        "CORE_PEER_DELIVERYCLIENT_BLOCKCENSORSHIPTIMEOUTKEY": "10s",
        **LOGGING,
    }


def orderer(layout: Layout, binaries: Binaries, org: Org, ports: OrgPorts) -> Command:
    """Return how the organization's orderer is started."""
    folder = layout.orderer(org)
    certificate, key = str(tls_certificate(folder)), str(tls_key(folder))
    root = str(layout.root_certificate(org, "tls"))
    settings = {
        **orderer_settings(org),
        "ORDERER_GENERAL_LISTENADDRESS": LOOPBACK,
        "ORDERER_GENERAL_LISTENPORT": str(ports.orderer),
        "ORDERER_GENERAL_LOCALMSPDIR": str(folder / "msp"),
        "ORDERER_GENERAL_TLS_PRIVATEKEY": key,
        "ORDERER_GENERAL_TLS_CERTIFICATE": certificate,
        "ORDERER_GENERAL_TLS_ROOTCAS": f"[{root}]",
        "ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE": certificate,
        "ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY": key,
        "ORDERER_FILELEDGER_LOCATION": str(folder / "data"),
        "ORDERER_CONSENSUS_WALDIR": str(folder / "data" / "wal"),
        "ORDERER_CONSENSUS_SNAPDIR": str(folder / "data" / "snapshots"),
        "ORDERER_OPERATIONS_LISTENADDRESS": f"{LOOPBACK}:{ports.orderer_operations}",
        "ORDERER_ADMIN_LISTENADDRESS": f"{LOOPBACK}:{ports.orderer_admin}",
        "ORDERER_ADMIN_TLS_CERTIFICATE": certificate,
        "ORDERER_ADMIN_TLS_PRIVATEKEY": key,
        "ORDERER_ADMIN_TLS_ROOTCAS": f"[{root}]",
        "ORDERER_ADMIN_TLS_CLIENTROOTCAS": f"[{root}]",
        "FABRIC_CFG_PATH": str(layout.config),
    }
    used = (ports.orderer, ports.orderer_admin, ports.orderer_operations)
    return Command(org.orderer, (binaries.program("orderer"),), settings, used)


def orderer_settings(org: Org) -> dict[str, str]:
    """Return what an orderer is told wherever it runs."""
    return {
        "ORDERER_GENERAL_LOCALMSPID": org.msp,
        "ORDERER_GENERAL_TLS_ENABLED": "true",
        "ORDERER_GENERAL_BOOTSTRAPMETHOD": "none",
        "ORDERER_CHANNELPARTICIPATION_ENABLED": "true",
        "ORDERER_ADMIN_TLS_ENABLED": "true",
        "ORDERER_ADMIN_TLS_CLIENTAUTHREQUIRED": "true",
        "ORDERER_METRICS_PROVIDER": "prometheus",
        **LOGGING,
    }
