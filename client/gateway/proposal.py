"""Stage one: a proposal to call a chaincode function."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from client.gateway.parsing import parsed
from client.gateway.protos import chaincode_pb2, common_pb2, gateway_pb2, proposal_pb2
from client.gateway.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from client.gateway.session import Session

_NONCE_BYTES: Final = 24


class Proposal:
    """A call of a chaincode function, ready to be evaluated or endorsed.

    Signed with the gateway's signer each time it is sent, unless it came signed from
    `Gateway.new_signed_proposal`. Made by `Contract.new_proposal`.
    """

    def __init__(self, session: Session, proposed: Any, channel: str) -> None:
        self._session = session
        self._proposed = proposed
        self._channel = channel

    @property
    def transaction_id(self) -> str:
        """The transaction's id: lower-case hex, made from a random nonce and the identity."""
        return str(self._proposed.transaction_id)

    @property
    def digest(self) -> bytes:
        """What is to be signed offline."""
        return self._session.digest(self._proposed.proposal.proposal_bytes)

    def to_bytes(self) -> bytes:
        """Return the whole proposal, for `Gateway.new_signed_proposal` here or in another process."""
        return bytes(self._proposed.SerializeToString())

    def evaluate(self, timeout: float | None = None) -> bytes:
        """Run the function on one peer and return its result; nothing is recorded.

        Raises `EvaluateError`. `timeout` is in seconds, by default the gateway's.
        """
        request = gateway_pb2.EvaluateRequest(
            transaction_id=self.transaction_id,
            channel_id=self._channel,
            proposed_transaction=self._signed(),
            target_organizations=list(self._proposed.endorsing_organizations),
        )
        return bytes(self._session.service.evaluate(request, timeout).result.payload)

    def endorse(self, timeout: float | None = None) -> Transaction:
        """Collect the endorsements that are needed. Raises `EndorseError`."""
        request = gateway_pb2.EndorseRequest(
            transaction_id=self.transaction_id,
            channel_id=self._channel,
            proposed_transaction=self._signed(),
            endorsing_organizations=list(self._proposed.endorsing_organizations),
        )
        response = self._session.service.endorse(request, timeout)
        prepared = gateway_pb2.PreparedTransaction(
            transaction_id=self.transaction_id, envelope=response.prepared_transaction
        )
        return Transaction(self._session, prepared)

    def _signed(self) -> Any:
        proposal = self._proposed.proposal
        if proposal.signature:
            return proposal
        return proposal_pb2.SignedProposal(
            proposal_bytes=proposal.proposal_bytes, signature=self._session.sign(proposal.proposal_bytes)
        )


def build_proposal(
    session: Session,
    *,
    channel: str,
    chaincode: str,
    arguments: Sequence[bytes],
    transient: Mapping[str, bytes],
    endorsing_orgs: Sequence[str],
) -> Proposal:
    """Make a proposal; `arguments` begins with the function's name."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    transaction_id = hashlib.sha256(nonce + session.creator).hexdigest()
    timestamp = Timestamp()
    timestamp.GetCurrentTime()
    chaincode_id = chaincode_pb2.ChaincodeID(name=chaincode)
    channel_header = common_pb2.ChannelHeader(
        type=common_pb2.ENDORSER_TRANSACTION,
        channel_id=channel,
        tx_id=transaction_id,
        timestamp=timestamp,
        extension=proposal_pb2.ChaincodeHeaderExtension(chaincode_id=chaincode_id).SerializeToString(),
    )
    header = common_pb2.Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=common_pb2.SignatureHeader(creator=session.creator, nonce=nonce).SerializeToString(),
    )
    invocation = chaincode_pb2.ChaincodeInvocationSpec(
        chaincode_spec=chaincode_pb2.ChaincodeSpec(
            # The type is a relic that Fabric ignores; its other clients send this one, too.
            type=chaincode_pb2.ChaincodeSpec.NODE,
            chaincode_id=chaincode_id,
            input=chaincode_pb2.ChaincodeInput(args=list(arguments)),
        )
    )
    payload = proposal_pb2.ChaincodeProposalPayload(
        input=invocation.SerializeToString(), TransientMap=dict(transient)
    )
    proposal = proposal_pb2.Proposal(
        header=header.SerializeToString(), payload=payload.SerializeToString(deterministic=True)
    )
    proposed = gateway_pb2.ProposedTransaction(
        transaction_id=transaction_id,
        proposal=proposal_pb2.SignedProposal(proposal_bytes=proposal.SerializeToString()),
        endorsing_organizations=list(endorsing_orgs),
    )
    return Proposal(session, proposed, channel)


def read_proposal(session: Session, data: bytes, signature: bytes) -> Proposal:
    """Read what `Proposal.to_bytes` gave, with a signature made elsewhere (empty for none)."""
    proposed = parsed(gateway_pb2.ProposedTransaction, data, "a proposal")
    proposed.proposal.signature = signature
    proposal = parsed(proposal_pb2.Proposal, proposed.proposal.proposal_bytes, "a proposal")
    header = parsed(common_pb2.Header, proposal.header, "a proposal's header")
    channel_header = parsed(common_pb2.ChannelHeader, header.channel_header, "a channel header")
    return Proposal(session, proposed, str(channel_header.channel_id))
