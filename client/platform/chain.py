"""What services ask of a channel, in the shape of `client.gateway`: one can stand in for the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from client.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def commit(contract: Contract, name: str, *arguments: str | bytes) -> Committed:
    """Run a function and wait until it is committed.

    The contract's own errors pass through; UserError when the transaction was found invalid.
    """
    transaction = contract.new_proposal(name, arguments=arguments).endorse()
    status = transaction.submit().status()
    if status.code_name != VALID:
        raise UserError(
            f"{name} was committed as invalid ({status.code_name}), so it changed nothing: try again",
            code=status.code_name,
        )
    return Committed(transaction.result, status.transaction_id, status.block_number)
