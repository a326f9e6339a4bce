"""Blocks as a peer commits them: whole, filtered, or with the private data that it holds."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from client.gateway.errors import EventsError
from client.gateway.parsing import parsed
from client.gateway.position import block_position, seek_position
from client.gateway.protos import ab_pb2, common_pb2
from client.gateway.stream import EventStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from client.gateway.checkpoint import Checkpoint
    from client.gateway.service import Call, GatewayService
    from client.gateway.session import Session

_NO_END: Final = 2**64 - 1


class BlockKind(Enum):
    """What a stream of blocks carries; the value is the response's member."""

    WHOLE = "block"
    """`common.Block`."""
    FILTERED = "filtered_block"
    """`protos.FilteredBlock`: transaction ids, validation codes, names of events."""
    WITH_PRIVATE_DATA = "block_and_private_data"
    """`protos.BlockAndPrivateData`."""


class BlockEventsRequest:
    """A request for blocks, which may be signed offline."""

    def __init__(self, session: Session, kind: BlockKind, envelope: Any) -> None:
        self._session = session
        self._kind = kind
        self._envelope = envelope

    @property
    def digest(self) -> bytes:
        """What is to be signed offline."""
        return self._session.digest(self._envelope.payload)

    def to_bytes(self) -> bytes:
        """Return the request, for the `Gateway.new_signed_…_events_request` of its kind."""
        return bytes(self._envelope.SerializeToString())

    def events(self) -> EventStream[Any]:
        """Open the stream; it yields messages as `BlockKind` says."""
        envelope = self._envelope
        if not envelope.signature:
            envelope = common_pb2.Envelope(
                payload=envelope.payload, signature=self._session.sign(envelope.payload)
            )
        call = _deliver(self._session.service, self._kind)(envelope)
        return self._session.opened(EventStream(call, _unpacker(self._kind), "reading block events"))


def build_block_events_request(
    session: Session,
    kind: BlockKind,
    channel: str,
    *,
    start_block: int | None,
    stop_block: int | None,
    checkpoint: Checkpoint | None,
) -> BlockEventsRequest:
    """Ask from the checkpoint if it has a position, else from `start_block`, else from the next commit."""
    timestamp = Timestamp()
    timestamp.GetCurrentTime()
    header = common_pb2.Header(
        channel_header=common_pb2.ChannelHeader(
            type=common_pb2.DELIVER_SEEK_INFO,
            channel_id=channel,
            timestamp=timestamp,
            tls_cert_hash=session.tls_cert_hash,
        ).SerializeToString(),
        signature_header=common_pb2.SignatureHeader(creator=session.creator).SerializeToString(),
    )
    seek = ab_pb2.SeekInfo(
        start=seek_position(start_block, checkpoint),
        stop=block_position(_NO_END if stop_block is None else stop_block),
        behavior=ab_pb2.SeekInfo.BLOCK_UNTIL_READY,
    )
    payload = common_pb2.Payload(header=header, data=seek.SerializeToString())
    return BlockEventsRequest(session, kind, common_pb2.Envelope(payload=payload.SerializeToString()))


def read_block_events_request(
    session: Session, kind: BlockKind, data: bytes, signature: bytes
) -> BlockEventsRequest:
    """Read what `BlockEventsRequest.to_bytes` gave, with a signature made elsewhere."""
    envelope = parsed(common_pb2.Envelope, data, "a request for blocks")
    envelope.signature = signature
    return BlockEventsRequest(session, kind, envelope)


def _deliver(service: GatewayService, kind: BlockKind) -> Callable[[Any], Call]:
    match kind:
        case BlockKind.WHOLE:
            return service.deliver
        case BlockKind.FILTERED:
            return service.deliver_filtered
        case BlockKind.WITH_PRIVATE_DATA:
            return service.deliver_with_private_data


def _unpacker(kind: BlockKind) -> Callable[[Any], Iterator[Any]]:
    def unpack(response: Any) -> Iterator[Any]:
        if response.WhichOneof("Type") != "status":
            yield getattr(response, kind.value)
        elif response.status != common_pb2.SUCCESS:  # SUCCESS: the stop block has been sent
            known = common_pb2.Status.DESCRIPTOR.values_by_number.get(response.status)
            name = "unknown status" if known is None else known.name
            raise EventsError(f"the peer ended the stream of blocks: {name} ({response.status})")

    return unpack
