"""What can go wrong between a client and a Fabric Gateway: one small tree.

Each error keeps what a person or a program needs to decide what to do next: the stage (its
class), the transaction id, the gRPC status, and what every endorser or orderer said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import grpc

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHAINCODE: Final = re.compile(r"chaincode response (\d+), (.*)", re.DOTALL)

# With these a gateway has refused the request itself: nothing reached an orderer.
_ORDERED_BEFORE: Final = "request already processed"  # SmartBFT's pool, in an orderer's answer
_REFUSED: Final = frozenset(
    {
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)


@dataclass(frozen=True, slots=True)
class EndpointDetail:
    """What one node (peer or orderer) said when it failed."""

    address: str
    msp_id: str
    message: str


class GatewayError(Exception):
    """Base of every error of this package.

    `message` is one sentence; `transaction_id` is None where no transaction is concerned;
    `grpc_code` is None where no call was made; `details` has one entry for each node that failed.
    """

    def __init__(
        self,
        message: str,
        *,
        transaction_id: str | None = None,
        grpc_code: grpc.StatusCode | None = None,
        details: Sequence[EndpointDetail] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.transaction_id = transaction_id
        self.grpc_code = grpc_code
        self.details = tuple(details)

    @property
    def timed_out(self) -> bool:
        """Whether the stage's time ran out."""
        return self.grpc_code is grpc.StatusCode.DEADLINE_EXCEEDED

    @property
    def outcome_unknown(self) -> bool:
        """Whether the transaction may have been, or may yet be, committed despite this error."""
        return False

    @property
    def chaincode_messages(self) -> tuple[str, ...]:
        """The distinct messages of the chaincode's own error responses, in the order received.

        Empty when the failure was not the chaincode's answer (peer down, timeout, policy, …).
        """
        texts = [detail.message for detail in self.details]
        found = [match[2] for text in texts if (match := _CHAINCODE.fullmatch(text))]
        return tuple(dict.fromkeys(found))


class EvaluateError(GatewayError):
    """A query failed."""


class EndorseError(GatewayError):
    """The proposal did not get the endorsements it needs; nothing was sent for ordering."""


class SubmitError(GatewayError):
    """Handing the endorsed transaction to the orderers failed.

    Unless the gateway refused it outright, an orderer may still have taken it: ask for the
    commit status of the same transaction before you make another.
    """

    @property
    def outcome_unknown(self) -> bool:
        """Whether an orderer may have taken the transaction."""
        return self.grpc_code not in _REFUSED

    @property
    def ordered_before(self) -> bool:
        """Whether an orderer says that it has ordered this very transaction.

        With SmartBFT the gateway hands a transaction to every orderer, and one that hears of it only after
        the others have ordered it answers like this; so does each when a transaction is handed in twice.
        """
        return any(_ORDERED_BEFORE in detail.message for detail in self.details)


class CommitStatusError(GatewayError):
    """The transaction was handed in, but its outcome could not be learnt."""

    @property
    def outcome_unknown(self) -> bool:
        """Always true: the transaction is on its way."""
        return True


class CommitError(GatewayError):
    """The transaction is in a block and was found invalid: it changed nothing.

    `code` is Fabric's validation code, `code_name` its name (such as MVCC_READ_CONFLICT), and
    `block_number` the block that records the failure.
    """

    def __init__(self, *, transaction_id: str, code: int, code_name: str, block_number: int) -> None:
        super().__init__(
            f"transaction {transaction_id} was committed in block {block_number} as invalid:"
            f" {code_name} ({code})",
            transaction_id=transaction_id,
        )
        self.code = code
        self.code_name = code_name
        self.block_number = block_number


class EventsError(GatewayError):
    """A stream of events could not be opened, or broke; resume it from a checkpoint."""


class CheckpointError(GatewayError):
    """A checkpoint could not be read or written."""


class SigningError(GatewayError):
    """A signature was needed and there was nothing to make it with."""


class MalformedError(GatewayError):
    """Bytes that should have been a Fabric message are not one."""
