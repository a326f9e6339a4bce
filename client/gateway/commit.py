"""Stage three: what became of a submitted transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.gateway.parsing import parsed
from client.gateway.protos import gateway_pb2, transaction_pb2

if TYPE_CHECKING:
    from client.gateway.session import Session


@dataclass(frozen=True, slots=True)
class Status:
    """How a transaction was committed: Fabric's validation code, its name, and the block."""

    transaction_id: str
    code: int
    code_name: str
    block_number: int

    @property
    def successful(self) -> bool:
        """Whether the transaction was valid, so that its writes took effect."""
        return self.code == int(transaction_pb2.VALID)


class Commit:
    """A submitted transaction whose outcome can be asked for. Made by `Transaction.submit`."""

    def __init__(self, session: Session, signed_request: Any, transaction_id: str) -> None:
        self._session = session
        self._signed_request = signed_request
        self._transaction_id = transaction_id

    @property
    def transaction_id(self) -> str:
        """The transaction's id."""
        return self._transaction_id

    @property
    def digest(self) -> bytes:
        """What is to be signed offline."""
        return self._session.digest(self._signed_request.request)

    def to_bytes(self) -> bytes:
        """Return the request for the status, for `Gateway.new_signed_commit`."""
        return bytes(self._signed_request.SerializeToString())

    def status(self, timeout: float | None = None) -> Status:
        """Wait until the gateway's peer has committed the transaction, and say how.

        May be called again, also after an error. Raises `CommitStatusError`.
        """
        request = self._signed_request
        if not request.signature:
            request = gateway_pb2.SignedCommitStatusRequest(
                request=request.request, signature=self._session.sign(request.request)
            )
        response = self._session.service.commit_status(request, self._transaction_id, timeout)
        return Status(
            transaction_id=self._transaction_id,
            code=int(response.result),
            code_name=validation_code_name(response.result),
            block_number=int(response.block_number),
        )


class SubmittedTransaction(Commit):
    """A submitted transaction with the result it was endorsed with."""

    def __init__(self, session: Session, signed_request: Any, transaction_id: str, result: bytes) -> None:
        super().__init__(session, signed_request, transaction_id)
        self.result = result


def validation_code_name(code: int) -> str:
    """Return the name of a transaction validation code, such as MVCC_READ_CONFLICT."""
    known = transaction_pb2.TxValidationCode.DESCRIPTOR.values_by_number.get(code)
    return f"CODE_{code}" if known is None else str(known.name)


def commit_status_request(session: Session, channel: str, transaction_id: str) -> Any:
    """Return the unsigned request for a transaction's status."""
    request = gateway_pb2.CommitStatusRequest(
        transaction_id=transaction_id, channel_id=channel, identity=session.creator
    )
    return gateway_pb2.SignedCommitStatusRequest(request=request.SerializeToString())


def read_commit(session: Session, data: bytes, signature: bytes) -> Commit:
    """Read what `Commit.to_bytes` gave, with a signature made elsewhere (empty for none)."""
    signed = parsed(gateway_pb2.SignedCommitStatusRequest, data, "a request for a commit status")
    signed.signature = signature
    request = parsed(gateway_pb2.CommitStatusRequest, signed.request, "a request for a commit status")
    return Commit(session, signed, str(request.transaction_id))
