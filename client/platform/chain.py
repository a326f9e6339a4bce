"""What services ask of a channel, in the shape of `client.gateway`: one can stand in for the other."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import grpc

from client.encodings.codes import CODES
from client.errors import UserError
from client.gateway.errors import EndorseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.gateway.errors import GatewayError

VALID = "VALID"


class Status(Protocol):
    """How a transaction was committed."""

    @property
    def code_name(self) -> str:
        """Return Fabric's validation code by name, `VALID` where it counts."""

    @property
    def block_number(self) -> int:
        """Return the block that holds the transaction."""

    @property
    def transaction_id(self) -> str:
        """Return the transaction's id."""


class Commit(Protocol):
    """A transaction that was handed to the orderers."""

    @property
    def transaction_id(self) -> str:
        """Return the transaction's id."""

    def status(self, timeout: float | None = None) -> Status:
        """Wait for its block."""


class Transaction(Protocol):
    """An endorsed transaction."""

    @property
    def transaction_id(self) -> str:
        """Return the transaction's id."""

    @property
    def result(self) -> bytes:
        """Return what the chaincode answered."""

    def to_bytes(self) -> bytes:
        """Return the whole transaction: a serialized `gateway.PreparedTransaction`."""

    def submit(self, timeout: float | None = None) -> Commit:
        """Hand it to the orderers."""


class Proposal(Protocol):
    """A call that is not endorsed yet."""

    @property
    def transaction_id(self) -> str:
        """Return the transaction's id."""

    def endorse(self, timeout: float | None = None) -> Transaction:
        """Collect the endorsements."""


class Contract(Protocol):
    """A chaincode on a channel, called by one identity."""

    def evaluate(self, name: str, /, *arguments: str | bytes) -> bytes:
        """Run a query on one peer."""

    def new_proposal(self, name: str, /, *, arguments: Sequence[str | bytes] = ()) -> Proposal:
        """Prepare a call whose stages the caller takes one by one."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A transaction that counts: what the chaincode answered, and where it stands."""

    result: bytes
    tx: str
    block: int


# What an endorser says whose peer is a block behind the one that committed the step before.
_BEHIND = frozenset(
    {
        "MEETING_NOT_FOUND",
        "MEETING_STATE",
        "STEP_NOT_PROPOSED",
        "STEP_MISMATCH",
        "AUDIT_MISSING",
        "ISSUER_NOT_FOUND",
        "ISSUER_NOT_CONFIRMED",
        "CLOSE_COUNT",
    }
)
# What the gateway says where only one of the endorsers is behind, so that they answer differently.
_DISAGREE = "ProposalResponsePayloads do not match"
_UNREACHED = ("connection error", "failed to connect")  # to an endorser; to the gateway itself
# What peers find of a transaction whose endorsers had not seen another that came before it.
_OVERTAKEN = frozenset({"MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"})
LAG_SECONDS = 3.0
"""How long a peer may be behind another before its answer is taken for the channel's."""
PEERS_SECONDS = 10.0
"""How long a peer that has just started may take to hear of the others."""
_POLL_SECONDS = 0.1


def commit(contract: Contract, name: str, *arguments: str | bytes) -> Committed:
    """Run a function and wait until it is committed.

    Where an endorser may just not have the block before, it is asked again for a few seconds, also where
    that shows only when the transaction is found invalid. The contract's own errors pass through; UserError
    when the transaction was found invalid otherwise, or still is.
    """
    began = time.monotonic()
    while True:
        transaction = _endorse(contract, name, arguments)
        status = transaction.submit().status()
        if status.code_name == VALID:
            return Committed(transaction.result, status.transaction_id, status.block_number)
        if status.code_name not in _OVERTAKEN or time.monotonic() - began >= LAG_SECONDS:
            raise UserError(
                f"{name} was committed as invalid ({status.code_name}), so it changed nothing: try again",
                code=status.code_name,
            )
        time.sleep(_POLL_SECONDS)


def _endorse(contract: Contract, name: str, arguments: Sequence[str | bytes]) -> Transaction:
    began = time.monotonic()
    while True:
        try:
            return contract.new_proposal(name, arguments=arguments).endorse()
        except EndorseError as error:
            patience = 0.0
            disagree = any(_DISAGREE in detail.message for detail in error.details)
            if disagree or refusal_code(error) in _BEHIND:
                patience = LAG_SECONDS
            elif error.grpc_code is grpc.StatusCode.FAILED_PRECONDITION or _unreached(error):
                # The gateway knows of too few endorsers, perhaps not yet; or waits before it dials again.
                patience = PEERS_SECONDS
            if time.monotonic() - began >= patience:
                raise
        time.sleep(_POLL_SECONDS)


def _unreached(error: EndorseError) -> bool:
    said = (error.message, *(detail.message for detail in error.details))
    return any(mark in text for text in said for mark in _UNREACHED)


_CODE = re.compile(r"\b([A-Z][A-Z_]{3,40}): ")


def refusal_code(error: GatewayError) -> str | None:
    """Return the registry's code in the chaincode's own answer, None where the chaincode didn't answer."""
    for text in (*error.chaincode_messages, *(detail.message for detail in error.details), error.message):
        for match in _CODE.finditer(text):
            if match[1] in CODES:
                return match[1]
    return None
