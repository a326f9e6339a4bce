"""A smart contract: the everyday way to call chaincode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from client.gateway.errors import CommitError
from client.gateway.proposal import build_proposal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from client.gateway.commit import SubmittedTransaction
    from client.gateway.proposal import Proposal
    from client.gateway.session import Session


class Contract:
    """One contract of one chaincode on one channel. Made by `Network.contract`; thread-safe.

    Text arguments are sent as UTF-8, bytes as they are. `transient` data goes to the endorsers
    and into no block. `endorsing_orgs` are MSP ids: the only ones asked to run the function;
    by default the gateway finds out by itself which the policy needs.
    """

    def __init__(self, session: Session, channel: str, chaincode: str, name: str | None) -> None:
        self._session = session
        self._channel = channel
        self.chaincode = chaincode
        self.name = name

    def evaluate(
        self,
        function: str,
        *arguments: str | bytes,
        transient: Mapping[str, str | bytes] | None = None,
        endorsing_orgs: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """Run a function on one peer and return its result; nothing is recorded. Raises `EvaluateError`."""
        proposal = self.new_proposal(
            function, arguments=arguments, transient=transient, endorsing_orgs=endorsing_orgs
        )
        return proposal.evaluate(timeout)

    def submit(
        self,
        function: str,
        *arguments: str | bytes,
        transient: Mapping[str, str | bytes] | None = None,
        endorsing_orgs: Sequence[str] | None = None,
    ) -> bytes:
        """Run a function, have it ordered, wait until it is committed, and return its result.

        Raises `EndorseError`, `SubmitError`, `CommitStatusError` (by stage), or `CommitError` when
        the transaction was committed as invalid.
        """
        submitted = self.submit_async(
            function, *arguments, transient=transient, endorsing_orgs=endorsing_orgs
        )
        status = submitted.status()
        if not status.successful:
            raise CommitError(
                transaction_id=status.transaction_id,
                code=status.code,
                code_name=status.code_name,
                block_number=status.block_number,
            )
        return submitted.result

    def submit_async(
        self,
        function: str,
        *arguments: str | bytes,
        transient: Mapping[str, str | bytes] | None = None,
        endorsing_orgs: Sequence[str] | None = None,
    ) -> SubmittedTransaction:
        """Do as `submit`, but return once the orderers have it; its `status()` waits for the commit."""
        proposal = self.new_proposal(
            function, arguments=arguments, transient=transient, endorsing_orgs=endorsing_orgs
        )
        return proposal.endorse().submit_with_result()

    def new_proposal(
        self,
        function: str,
        *,
        arguments: Sequence[str | bytes] = (),
        transient: Mapping[str, str | bytes] | None = None,
        endorsing_orgs: Sequence[str] | None = None,
    ) -> Proposal:
        """Return a proposal, to go through the stages one by one or to be signed offline."""
        name = function if self.name is None else f"{self.name}:{function}"
        return build_proposal(
            self._session,
            channel=self._channel,
            chaincode=self.chaincode,
            arguments=[_encoded(name), *map(_encoded, arguments)],
            transient={key: _encoded(value) for key, value in (transient or {}).items()},
            endorsing_orgs=endorsing_orgs or (),
        )


def _encoded(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
