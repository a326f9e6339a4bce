"""A Hyperledger Fabric Gateway client: evaluate, submit, staged and offline signing, events.

    channel = grpc_channel("peer.example.org:7051", tls_root_pem)
    with connect(channel, Identity("Org1MSP", cert_pem), ecdsa_signer(key_pem)) as gateway:
        contract = gateway.network("mychannel").contract("basic")
        contract.submit("CreateAsset", "asset1", "blue")
        print(contract.evaluate("ReadAsset", "asset1"))

It needs Fabric 2.4 or later, where peers offer the gateway service.
"""

from client.gateway.block_events import BlockEventsRequest, BlockKind
from client.gateway.chaincode_events import ChaincodeEvent, ChaincodeEventsRequest
from client.gateway.channel import MAX_MESSAGE_BYTES, grpc_channel
from client.gateway.checkpoint import Checkpoint, Checkpointer, FileCheckpointer, InMemoryCheckpointer
from client.gateway.commit import Commit, Status, SubmittedTransaction, validation_code_name
from client.gateway.contract import Contract
from client.gateway.errors import (
    CheckpointError,
    CommitError,
    CommitStatusError,
    EndorseError,
    EndpointDetail,
    EvaluateError,
    EventsError,
    GatewayError,
    MalformedError,
    SigningError,
    SubmitError,
)
from client.gateway.gateway import Gateway, connect
from client.gateway.identity import Digest, Identity, Sign, ecdsa_signer, sha256, sha384, unhashed
from client.gateway.network import Network
from client.gateway.proposal import Proposal
from client.gateway.stream import EventStream
from client.gateway.transaction import Transaction

__all__ = [
    "MAX_MESSAGE_BYTES",
    "BlockEventsRequest",
    "BlockKind",
    "ChaincodeEvent",
    "ChaincodeEventsRequest",
    "Checkpoint",
    "CheckpointError",
    "Checkpointer",
    "Commit",
    "CommitError",
    "CommitStatusError",
    "Contract",
    "Digest",
    "EndorseError",
    "EndpointDetail",
    "EvaluateError",
    "EventStream",
    "EventsError",
    "FileCheckpointer",
    "Gateway",
    "GatewayError",
    "Identity",
    "InMemoryCheckpointer",
    "MalformedError",
    "Network",
    "Proposal",
    "Sign",
    "SigningError",
    "Status",
    "SubmitError",
    "SubmittedTransaction",
    "Transaction",
    "connect",
    "ecdsa_signer",
    "grpc_channel",
    "sha256",
    "sha384",
    "unhashed",
    "validation_code_name",
]
