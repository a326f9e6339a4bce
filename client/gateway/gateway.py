"""The entrance: one identity's connection to one peer's gateway service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from client.gateway.block_events import BlockEventsRequest, BlockKind, read_block_events_request
from client.gateway.chaincode_events import ChaincodeEventsRequest, read_chaincode_events_request
from client.gateway.commit import Commit, read_commit
from client.gateway.identity import Digest, Identity, Sign, sha256
from client.gateway.network import Network
from client.gateway.proposal import Proposal, read_proposal
from client.gateway.service import GatewayService, Timeouts
from client.gateway.session import Session
from client.gateway.transaction import Transaction, read_transaction

if TYPE_CHECKING:
    from types import TracebackType

    import grpc


def connect(
    channel: grpc.Channel,
    identity: Identity,
    sign: Sign | None = None,
    *,
    digest: Digest = sha256,
    evaluate_timeout: float | None = 30,
    endorse_timeout: float | None = 30,
    submit_timeout: float | None = 30,
    commit_status_timeout: float | None = 60,
    tls_client_cert_pem: bytes | None = None,
    close_channel: bool = False,
) -> Gateway:
    """Use a peer's gateway service over `channel` (see `grpc_channel`) as `identity`.

    Nothing is sent yet. Without `sign`, everything must be signed offline. Timeouts are in
    seconds, for each stage; None waits without end. `tls_client_cert_pem` is the client
    certificate of a mutual TLS channel, which block streams are bound to. One channel may serve
    several gateways, so it stays open when a gateway is closed, unless `close_channel` is set.
    """
    timeouts = Timeouts(evaluate_timeout, endorse_timeout, submit_timeout, commit_status_timeout)
    session = Session(GatewayService(channel, timeouts), identity, sign, digest, tls_client_cert_pem)
    return Gateway(session, channel if close_channel else None)


class Gateway:
    """A connection of one identity to one peer. Thread-safe; close it, or use it in a `with`."""

    def __init__(self, session: Session, owned_channel: grpc.Channel | None) -> None:
        self._session = session
        self._owned_channel = owned_channel

    @property
    def identity(self) -> Identity:
        """Whom this gateway acts for."""
        return self._session.identity

    def network(self, channel: str) -> Network:
        """Return a channel of the network; that it exists is found out at the first call."""
        return Network(self._session, channel)

    def new_proposal(self, data: bytes) -> Proposal:
        """Take up a proposal from `Proposal.to_bytes`, to be signed by this gateway's signer."""
        return read_proposal(self._session, data, b"")

    def new_signed_proposal(self, data: bytes, signature: bytes) -> Proposal:
        """Take up a proposal from `Proposal.to_bytes` with a signature of its digest."""
        return read_proposal(self._session, data, signature)

    def new_transaction(self, data: bytes) -> Transaction:
        """Take up a transaction from `Transaction.to_bytes`, to be signed by this gateway's signer."""
        return read_transaction(self._session, data, b"")

    def new_signed_transaction(self, data: bytes, signature: bytes) -> Transaction:
        """Take up a transaction from `Transaction.to_bytes` with a signature of its digest."""
        return read_transaction(self._session, data, signature)

    def new_commit(self, data: bytes) -> Commit:
        """Take up a commit from `Commit.to_bytes`, to be signed by this gateway's signer."""
        return read_commit(self._session, data, b"")

    def new_signed_commit(self, data: bytes, signature: bytes) -> Commit:
        """Take up a commit from `Commit.to_bytes` with a signature of its digest."""
        return read_commit(self._session, data, signature)

    def new_signed_chaincode_events_request(self, data: bytes, signature: bytes) -> ChaincodeEventsRequest:
        """Take up a request from `ChaincodeEventsRequest.to_bytes` with a signature of its digest."""
        return read_chaincode_events_request(self._session, data, signature)

    def new_signed_block_events_request(
        self, data: bytes, signature: bytes, kind: BlockKind = BlockKind.WHOLE
    ) -> BlockEventsRequest:
        """Take up a request from `BlockEventsRequest.to_bytes` with a signature of its digest."""
        return read_block_events_request(self._session, kind, data, signature)

    def close(self) -> None:
        """End every stream opened through this gateway, and the channel if it is owned."""
        self._session.close()
        if self._owned_channel is not None:
            self._owned_channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
