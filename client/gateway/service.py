"""The gateway's remote procedures: one call each, errors translated once, here."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError

from client.gateway import errors
from client.gateway.protos import events_pb2_grpc, gateway_pb2, gateway_pb2_grpc, status_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

E = TypeVar("E", bound=errors.GatewayError)

_NEARLY: Final = 0.95  # of a call's time: from then on a cancellation can only be its end
_DETAILS_KEY: Final = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each stage may take, in seconds; None waits without end."""

    evaluate: float | None = 30
    endorse: float | None = 30
    submit: float | None = 30
    commit_status: float | None = 60


class Call(Protocol):
    """A running stream of responses."""

    def __iter__(self) -> Iterator[Any]: ...

    def cancel(self) -> bool:
        """End the stream; safe from any thread."""


class GatewayService:
    """The stubs of one channel. Thread-safe."""

    def __init__(self, channel: grpc.Channel, timeouts: Timeouts) -> None:
        self._gateway = gateway_pb2_grpc.GatewayStub(channel)
        self._deliver = events_pb2_grpc.DeliverStub(channel)
        self._timeouts = timeouts

    def evaluate(self, request: Any, timeout: float | None) -> Any:
        """Run a query on one peer; `timeout` None means the gateway's default."""
        return _call(
            self._gateway.Evaluate,
            request,
            _either(timeout, self._timeouts.evaluate),
            _Stage(errors.EvaluateError, "evaluating transaction", request.transaction_id),
        )

    def endorse(self, request: Any, timeout: float | None) -> Any:
        """Collect the endorsements that the chaincode's policy asks for."""
        return _call(
            self._gateway.Endorse,
            request,
            _either(timeout, self._timeouts.endorse),
            _Stage(errors.EndorseError, "endorsing transaction", request.transaction_id),
        )

    def submit(self, request: Any, timeout: float | None) -> None:
        """Hand an endorsed transaction to the orderers."""
        _call(
            self._gateway.Submit,
            request,
            _either(timeout, self._timeouts.submit),
            _Stage(errors.SubmitError, "submitting transaction", request.transaction_id),
        )

    def commit_status(self, signed_request: Any, transaction_id: str, timeout: float | None) -> Any:
        """Wait until the peer has committed the transaction, and return how."""
        return _call(
            self._gateway.CommitStatus,
            signed_request,
            _either(timeout, self._timeouts.commit_status),
            _Stage(errors.CommitStatusError, "awaiting the commit of transaction", transaction_id),
        )

    def chaincode_events(self, signed_request: Any) -> Call:
        """Open a stream of `ChaincodeEventsResponse`."""
        call: Call = self._gateway.ChaincodeEvents(signed_request)
        return call

    def deliver(self, envelope: Any) -> Call:
        """Open a stream of whole blocks."""
        call: Call = self._deliver.Deliver(iter([envelope]))
        return call

    def deliver_filtered(self, envelope: Any) -> Call:
        """Open a stream of filtered blocks."""
        call: Call = self._deliver.DeliverFiltered(iter([envelope]))
        return call

    def deliver_with_private_data(self, envelope: Any) -> Call:
        """Open a stream of whole blocks with the private data that the peer holds."""
        call: Call = self._deliver.DeliverWithPrivateData(iter([envelope]))
        return call


def translate(
    error: grpc.RpcError,
    kind: type[E],
    doing: str,
    transaction_id: str | None = None,
    *,
    late: bool = False,
) -> E:
    """Turn a failed call into `kind`, with every node's detail from the trailing metadata.

    `late` says that the call's time was up when it failed.
    """
    call = cast("grpc.Call", error)  # what grpcio raises is also the call; its base class doesn't say so
    code = call.code()
    if late and code is grpc.StatusCode.CANCELLED:
        # The server minds the same deadline; when its clock wins, the call ends as cancelled.
        code = grpc.StatusCode.DEADLINE_EXCEEDED
    details = _endpoint_details(call)
    subject = f"{doing} {transaction_id}" if transaction_id else doing
    message = f"{subject} failed: {code.name}: {call.details()}"
    if details:
        message += "; " + "; ".join(f"{d.address} ({d.msp_id}): {d.message}" for d in details)
    return kind(message, transaction_id=transaction_id, grpc_code=code, details=details)


@dataclass(frozen=True, slots=True)
class _Stage:
    """What a call is for, in case it fails."""

    kind: type[errors.GatewayError]
    doing: str
    transaction_id: str


def _call(method: Any, request: Any, timeout: float | None, stage: _Stage) -> Any:
    begun = monotonic()
    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        late = timeout is not None and monotonic() - begun >= timeout * _NEARLY
        raise translate(error, stage.kind, stage.doing, stage.transaction_id, late=late) from error


def _endpoint_details(error: grpc.Call) -> tuple[errors.EndpointDetail, ...]:
    found = []
    for key, value in error.trailing_metadata() or ():
        if key != _DETAILS_KEY:
            continue
        try:
            for packed in status_pb2.Status.FromString(value).details:
                detail = gateway_pb2.ErrorDetail()
                if packed.Unpack(detail):
                    found.append(errors.EndpointDetail(detail.address, detail.msp_id, detail.message))
        except DecodeError:
            continue  # details are a courtesy; the status itself is already in hand
    return tuple(found)


def _either(given: float | None, default: float | None) -> float | None:
    return default if given is None else given
