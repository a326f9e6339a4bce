"""A route through a real gateway: stages, errors and look-ups of `client.gateway` in the relay's terms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from client.gateway.errors import CommitStatusError, EndorseError, EvaluateError, GatewayError, SubmitError
from client.platform.chain import refusal_code
from client.relay.errors import BatchRefused, OutcomeLost, RouteDown
from client.relay.reads import read_versions
from client.relay.route import Held, Settled

if TYPE_CHECKING:
    from client.platform.chain import Commit, Contract, Status, Transaction
    from client.relay.reads import Version

# Long enough for a peer to look into its ledger; a transaction that isn't there yet is asked for again.
_LOOK_UP_SECONDS = 2.0
# After an orderer's refusal: a few batch timeouts, in which the block comes if another orderer has taken it.
_ORDERED_SECONDS = 5.0


class Channel(Protocol):
    """The one thing asked of a channel besides its contract: a commit by its transaction's id."""

    def __call__(self, transaction_id: str, /) -> Commit:
        """Return the commit whose status is wanted."""


class GatewayRoute:
    """A `Route` through one gateway, for one channel's `arbitration` chaincode."""

    def __init__(
        self, name: str, contract: Contract, commit_of: Channel, commit_seconds: float = 30.0
    ) -> None:
        self._name = name
        self._contract = contract
        self._commit_of = commit_of
        self._commit_seconds = commit_seconds

    @property
    def name(self) -> str:
        """Return what to call it in logs."""
        return self._name

    def endorse(self, batch: bytes) -> EndorsedBatch:
        """Have a batch endorsed."""
        try:
            transaction = self._contract.new_proposal("SubmitBallots", arguments=[batch]).endorse()
        except EndorseError as error:
            raise _refusal(error) from error
        return EndorsedBatch(transaction, self._commit_of, self._commit_seconds)

    def settled(self, tx: str) -> Settled | None:
        """Return what became of a transaction, None while this peer has no block with it."""
        try:
            return _settled(self._commit_of(tx).status(_LOOK_UP_SECONDS))
        except CommitStatusError as error:
            if error.timed_out:
                return None
            raise RouteDown(str(error)) from error

    def held(self, mtg: str, sub: str) -> Held | None:
        """Return the ballot held for a voter."""
        try:
            answer = self._contract.evaluate("GetBallot", mtg, sub)
        except EvaluateError as error:
            if refusal_code(error) is not None:
                return None
            raise RouteDown(str(error)) from error
        if not answer or answer == b"null":
            return None
        document = json.loads(answer)
        return Held(str(document["digest"]), str(document["tx"]))


class EndorsedBatch:
    """A batch with its endorsements."""

    def __init__(self, transaction: Transaction, commit_of: Channel, commit_seconds: float) -> None:
        self._transaction = transaction
        self._commit_of = commit_of
        self._commit_seconds = commit_seconds

    @property
    def tx(self) -> str:
        """Return the transaction's id."""
        return self._transaction.transaction_id

    @property
    def verdicts(self) -> bytes:
        """Return what the endorsers answered."""
        return self._transaction.result

    def reads(self) -> dict[str, Version]:
        """Return the keys that the endorsers read, with the versions that they found."""
        return read_versions(self._transaction.to_bytes())

    def send(self) -> Settled:
        """Send it and wait for its block.

        An orderer's refusal is no verdict: BFT orderers hand requests to each other, and one that has the
        transaction already refuses it (`request already processed`). Its block tells.
        """
        try:
            return _settled(self._transaction.submit().status(self._commit_seconds))
        except SubmitError as error:
            return self._despite(error)
        except CommitStatusError as error:
            raise OutcomeLost(str(error)) from error

    def _despite(self, refused: SubmitError) -> Settled:
        try:
            return _settled(self._commit_of(self.tx).status(_ORDERED_SECONDS))
        except CommitStatusError:
            raise OutcomeLost(str(refused)) from refused


def _settled(status: Status) -> Settled:
    return Settled(status.transaction_id, status.block_number, status.code_name)


def _refusal(error: GatewayError) -> RouteDown | BatchRefused:
    code = refusal_code(error)
    return RouteDown(str(error)) if code is None else BatchRefused(code, str(error))
