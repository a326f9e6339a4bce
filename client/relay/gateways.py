"""The relay's routes on a real network: one identity, several orgs' gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from client.gateway.protos import gateway_pb2, identities_pb2
from client.relay.gateway_route import GatewayRoute

if TYPE_CHECKING:
    from client.gateway import Gateway
    from client.platform.chain import Commit


def route(gateway: Gateway, name: str, channel: str, chaincode: str = "arbitration") -> GatewayRoute:
    """Return the route to a channel through a connected gateway."""
    creator = identities_pb2.SerializedIdentity(
        mspid=gateway.identity.msp_id, id_bytes=gateway.identity.cert_pem
    ).SerializeToString(deterministic=True)

    def commit_of(transaction_id: str, /) -> Commit:
        request = gateway_pb2.CommitStatusRequest(
            transaction_id=transaction_id, channel_id=channel, identity=creator
        ).SerializeToString()
        signed = gateway_pb2.SignedCommitStatusRequest(request=request)
        return gateway.new_commit(signed.SerializeToString())

    return GatewayRoute(name, gateway.network(channel).contract(chaincode), commit_of)
