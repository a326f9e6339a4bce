"""A peer's gateway in this process: real gRPC on a unix domain socket, scripted answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from client.gateway.protos import (
    ab_pb2,
    common_pb2,
    events_pb2_grpc,
    gateway_pb2,
    gateway_pb2_grpc,
    proposal_pb2,
    proposal_response_pb2,
    status_pb2,
    transaction_pb2,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

Answer = Callable[[Any], Any]


def self_signed(key: ec.EllipticCurvePrivateKey, name: str = "client") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def endorsed(channel: str, result: bytes) -> Any:
    """An envelope as a gateway assembles it from endorsements with this result."""
    action = proposal_pb2.ChaincodeAction(response={"status": 200, "payload": result})
    payload = proposal_response_pb2.ProposalResponsePayload(extension=action.SerializeToString())
    chaincode_action = transaction_pb2.ChaincodeActionPayload(
        action={"proposal_response_payload": payload.SerializeToString()}
    )
    transaction = transaction_pb2.Transaction(actions=[{"payload": chaincode_action.SerializeToString()}])
    header = common_pb2.ChannelHeader(channel_id=channel, type=common_pb2.ENDORSER_TRANSACTION)
    return common_pb2.Envelope(
        payload=common_pb2.Payload(
            header={"channel_header": header.SerializeToString()}, data=transaction.SerializeToString()
        ).SerializeToString()
    )


class Refusal(Exception):  # noqa: N818  an answer
    """What a scripted answer raises to end its call with a status and endpoint details."""

    def __init__(self, code: grpc.StatusCode, message: str, *details: tuple[str, str, str]) -> None:
        super().__init__(message)
        self.code, self.message, self.details = code, message, details

    def abort(self, context: grpc.ServicerContext) -> None:
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        for address, msp_id, message in self.details:
            status.details.add().Pack(
                gateway_pb2.ErrorDetail(address=address, msp_id=msp_id, message=message)
            )
        if self.details:
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(self.code, self.message)


@dataclass
class Peer:
    """What the double answers, and what it was asked."""

    target: str
    evaluate: Answer = lambda request: gateway_pb2.EvaluateResponse(result={"payload": b"evaluated"})
    endorse: Answer = lambda request: gateway_pb2.EndorseResponse(
        prepared_transaction=endorsed(request.channel_id, b"endorsed")
    )
    submit: Answer = lambda request: gateway_pb2.SubmitResponse()
    commit_status: Answer = lambda request: gateway_pb2.CommitStatusResponse(result=0, block_number=7)
    events: Callable[[Any], Iterator[Any]] = lambda request: iter(())
    deliver: Callable[[str, Any], Iterator[Any]] = lambda kind, envelope: iter(())
    asked: list[tuple[str, Any]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def last(self, stage: str) -> Any:
        return next(request for name, request in reversed(self.asked) if name == stage)

    def stall(self, _request: Any) -> Any:
        """An answer that does not come before the test is over."""
        self.released.wait(30)
        raise Refusal(grpc.StatusCode.UNAVAILABLE, "the test is over")

    def stall_after(self, *messages: Any) -> Iterator[Any]:
        """A stream that falls silent after these messages."""
        yield from messages
        self.released.wait(30)


class PeerServicer(gateway_pb2_grpc.GatewayServicer, events_pb2_grpc.DeliverServicer):  # type: ignore[misc]
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def _answer(self, stage: str, request: Any, context: grpc.ServicerContext) -> Any:
        self._peer.asked.append((stage, request))
        try:
            return getattr(self._peer, stage)(request)
        except Refusal as refusal:
            refusal.abort(context)

    def _stream(self, call: Callable[[], Iterator[Any]], context: grpc.ServicerContext) -> Iterator[Any]:
        try:
            yield from call()
        except Refusal as refusal:
            refusal.abort(context)

    def Evaluate(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return self._answer("evaluate", request, context)

    def Endorse(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return self._answer("endorse", request, context)

    def Submit(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return self._answer("submit", request, context)

    def CommitStatus(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return self._answer("commit_status", request, context)

    def ChaincodeEvents(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802
        self._peer.asked.append(("events", request))
        return self._stream(lambda: self._peer.events(request), context)

    def _delivered(self, kind: str, envelopes: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        envelope = next(envelopes)
        self._peer.asked.append((kind, envelope))
        return self._stream(lambda: self._peer.deliver(kind, envelope), context)

    def Deliver(self, envelopes: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802
        return self._delivered("block", envelopes, context)

    def DeliverFiltered(self, envelopes: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802
        return self._delivered("filtered_block", envelopes, context)

    def DeliverWithPrivateData(  # noqa: N802
        self, envelopes: Any, context: grpc.ServicerContext
    ) -> Iterator[Any]:
        return self._delivered("block_and_private_data", envelopes, context)


def seek_info(envelope: Any) -> tuple[Any, Any]:
    """The channel header and seek info of a request for blocks."""
    payload = common_pb2.Payload.FromString(envelope.payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    return header, ab_pb2.SeekInfo.FromString(payload.data)
