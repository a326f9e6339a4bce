"""Stage two: an endorsed transaction, to be handed to the orderers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from client.gateway.commit import Commit, SubmittedTransaction, commit_status_request
from client.gateway.errors import SubmitError
from client.gateway.parsing import parsed
from client.gateway.protos import (
    common_pb2,
    gateway_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)

if TYPE_CHECKING:
    from client.gateway.session import Session


class Transaction:
    """An endorsed transaction with its result. Made by `Proposal.endorse`."""

    def __init__(self, session: Session, prepared: Any) -> None:
        self._session = session
        self._prepared = prepared
        self._channel, self._result = _channel_and_result(prepared.envelope.payload)

    @property
    def transaction_id(self) -> str:
        """The transaction's id."""
        return str(self._prepared.transaction_id)

    @property
    def result(self) -> bytes:
        """What the chaincode function returned when it was endorsed; not committed yet."""
        return self._result

    @property
    def digest(self) -> bytes:
        """What is to be signed offline."""
        return self._session.digest(self._prepared.envelope.payload)

    def to_bytes(self) -> bytes:
        """Return the whole transaction, for `Gateway.new_signed_transaction`."""
        return bytes(self._prepared.SerializeToString())

    def submit(self, timeout: float | None = None) -> Commit:
        """Hand the transaction to the orderers; it is not committed yet. Raises `SubmitError`."""
        self._send(timeout)
        request = commit_status_request(self._session, self._channel, self.transaction_id)
        return Commit(self._session, request, self.transaction_id)

    def submit_with_result(self, timeout: float | None = None) -> SubmittedTransaction:
        """Do as `submit`, and let the returned commit carry the result."""
        self._send(timeout)
        request = commit_status_request(self._session, self._channel, self.transaction_id)
        return SubmittedTransaction(self._session, request, self.transaction_id, self._result)

    def _send(self, timeout: float | None) -> None:
        envelope = self._prepared.envelope
        if not envelope.signature:
            envelope = common_pb2.Envelope(
                payload=envelope.payload, signature=self._session.sign(envelope.payload)
            )
        request = gateway_pb2.SubmitRequest(
            transaction_id=self.transaction_id, channel_id=self._channel, prepared_transaction=envelope
        )
        try:
            self._session.service.submit(request, timeout)
        except SubmitError as error:
            if not error.ordered_before:
                raise
            # It is on its way to a block: whether it counts is the commit's to say.


def read_transaction(session: Session, data: bytes, signature: bytes) -> Transaction:
    """Read what `Transaction.to_bytes` gave, with a signature made elsewhere (empty for none)."""
    prepared = parsed(gateway_pb2.PreparedTransaction, data, "a transaction")
    prepared.envelope.signature = signature
    return Transaction(session, prepared)


def _channel_and_result(envelope_payload: bytes) -> tuple[str, bytes]:
    payload = parsed(common_pb2.Payload, envelope_payload, "a transaction's payload")
    header = parsed(common_pb2.ChannelHeader, payload.header.channel_header, "a channel header")
    actions = parsed(transaction_pb2.Transaction, payload.data, "a transaction").actions
    if not actions:
        return str(header.channel_id), b""
    action = parsed(transaction_pb2.ChaincodeActionPayload, actions[0].payload, "a chaincode action")
    response = parsed(
        proposal_response_pb2.ProposalResponsePayload,
        action.action.proposal_response_payload,
        "a proposal response",
    )
    chaincode_action = parsed(proposal_pb2.ChaincodeAction, response.extension, "a chaincode action")
    return str(header.channel_id), bytes(chaincode_action.response.payload)
