"""Asks a peer's discovery service whose peers it would have a chaincode endorsed by, right now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import grpc

from client.ca.keys import key_from_pem, sign_low_s
from network.identities import ADMIN
from network.layout import certificate, private_key
from network.ports import LOOPBACK
from network.protos import discovery_pb2, discovery_pb2_grpc, identities_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from network.cluster import Cluster
    from network.lifecycle import Deployment
    from network.topology import Channel, Org

_TIMEOUT_SECONDS: Final = 3.0


def endorsers_check(
    cluster: Cluster, via: Org, channel: Channel, deployment: Deployment
) -> Callable[[], str | None]:
    """Return the check that `missing_endorsers` finds nobody missing."""
    return lambda: missing_endorsers(cluster, via, channel, deployment)


def missing_endorsers(cluster: Cluster, via: Org, channel: Channel, deployment: Deployment) -> str | None:
    """Return None when `via`'s peer knows a living peer of every endorsing organization, else who lacks."""
    try:
        known = _endorsers(cluster, via, channel, deployment.name)
    except grpc.RpcError as error:
        return f"discovery on {channel.name}: {error.code().name}"
    missing = [org.name for org in deployment.endorsers if org.msp not in known]
    return (
        f"on {channel.name} it does not see {', '.join(missing)} endorsing {deployment.name} yet"
        if missing
        else None
    )


def _endorsers(cluster: Cluster, via: Org, channel: Channel, chaincode: str) -> set[str]:
    admin = cluster.layout.identity(via, ADMIN)
    creator = identities_pb2.SerializedIdentity(mspid=via.msp, id_bytes=certificate(admin).read_bytes())
    interest = {"chaincodes": [{"name": chaincode}]}
    request = discovery_pb2.Request(
        authentication={"client_identity": creator.SerializeToString()},
        queries=[{"channel": channel.name, "cc_query": {"interests": [interest]}}],
    )
    payload = request.SerializeToString()
    signature = sign_low_s(key_from_pem(private_key(admin).read_bytes()), payload)
    roots = cluster.layout.root_certificate(via, "tls").read_bytes()
    with grpc.secure_channel(
        f"{LOOPBACK}:{cluster.ports(via).peer}", grpc.ssl_channel_credentials(root_certificates=roots)
    ) as connection:
        response = discovery_pb2_grpc.DiscoveryStub(connection).Discover(
            discovery_pb2.SignedRequest(payload=payload, signature=signature), timeout=_TIMEOUT_SECONDS
        )
    found = set()
    for result in response.results:
        for descriptor in result.cc_query_res.content:
            for group in descriptor.endorsers_by_groups.values():
                for peer in group.peers:
                    found.add(identities_pb2.SerializedIdentity.FromString(peer.identity).mspid)
    return found
