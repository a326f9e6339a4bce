"""Events that chaincode emits, as they are committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.gateway.parsing import parsed
from client.gateway.position import seek_position
from client.gateway.protos import gateway_pb2
from client.gateway.stream import EventStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.gateway.checkpoint import Checkpoint
    from client.gateway.session import Session


@dataclass(frozen=True, slots=True)
class ChaincodeEvent:
    """One event of a valid transaction (a transaction emits at most one)."""

    block_number: int
    transaction_id: str
    chaincode: str
    event_name: str
    payload: bytes


class ChaincodeEventsRequest:
    """A request for chaincode events, which may be signed offline."""

    def __init__(self, session: Session, signed_request: Any) -> None:
        self._session = session
        self._signed_request = signed_request

    @property
    def digest(self) -> bytes:
        """What is to be signed offline."""
        return self._session.digest(self._signed_request.request)

    def to_bytes(self) -> bytes:
        """Return the request, for `Gateway.new_signed_chaincode_events_request`."""
        return bytes(self._signed_request.SerializeToString())

    def events(self) -> EventStream[ChaincodeEvent]:
        """Open the stream."""
        request = self._signed_request
        if not request.signature:
            request = gateway_pb2.SignedChaincodeEventsRequest(
                request=request.request, signature=self._session.sign(request.request)
            )
        call = self._session.service.chaincode_events(request)
        return self._session.opened(EventStream(call, _unpack, "reading chaincode events"))


def build_chaincode_events_request(
    session: Session, channel: str, chaincode: str, start_block: int | None, checkpoint: Checkpoint | None
) -> ChaincodeEventsRequest:
    """Ask from the checkpoint if it has a position, else from `start_block`, else from the next commit."""
    request = gateway_pb2.ChaincodeEventsRequest(
        channel_id=channel,
        chaincode_id=chaincode,
        identity=session.creator,
        start_position=seek_position(start_block, checkpoint),
        after_transaction_id=(checkpoint.transaction_id or "") if checkpoint is not None else "",
    )
    return ChaincodeEventsRequest(
        session, gateway_pb2.SignedChaincodeEventsRequest(request=request.SerializeToString())
    )


def read_chaincode_events_request(session: Session, data: bytes, signature: bytes) -> ChaincodeEventsRequest:
    """Read what `ChaincodeEventsRequest.to_bytes` gave, with a signature made elsewhere."""
    signed = parsed(gateway_pb2.SignedChaincodeEventsRequest, data, "a request for chaincode events")
    signed.signature = signature
    return ChaincodeEventsRequest(session, signed)


def _unpack(response: Any) -> Iterator[ChaincodeEvent]:
    for event in response.events:
        yield ChaincodeEvent(
            block_number=int(response.block_number),
            transaction_id=event.tx_id,
            chaincode=event.chaincode_id,
            event_name=event.event_name,
            payload=event.payload,
        )
