"""Transactions: envelope bytes to typed values, and the proof that they are what was endorsed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor import protobuf as pb
from auditor.errors import TransactionError
from auditor.members import Member, NotAMember
from auditor.policies import any_member
from auditor.readwrite import ReadWriteSet, parse_read_write_set

if TYPE_CHECKING:
    from auditor.configuration import ChannelConfiguration
    from auditor.policies import SignaturePolicy

STEP_FORM = 6
STEP_CREATOR = 7
STEP_IDENTIFIER = 8
STEP_PROPOSAL = 9
STEP_ENDORSEMENT = 10
LIFECYCLE = "_lifecycle"
_OK = 200
_BAD = 400  # Fabric endorses, and commits, only responses below this


@dataclass(frozen=True, slots=True)
class Endorsement:
    """An endorser's serialized identity and its signature over response payload || identity."""

    endorser: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """One chaincode invocation as it stands in a block. `tx_id` is lower-case hex."""

    channel: str
    tx_id: str
    block: int
    position: int
    chaincode: str
    arguments: tuple[bytes, ...]
    response: bytes
    sets: tuple[ReadWriteSet, ...]
    creator: bytes
    nonce: bytes
    payload: bytes
    signature: bytes
    proposed: bytes
    proposal_hash: bytes
    endorsed: bytes
    endorsements: tuple[Endorsement, ...]

    @property
    def where(self) -> str:
        """Name the transaction in a finding."""
        return f"{self.channel} block {self.block} transaction {self.tx_id}"

    def written(self, key: str) -> bytes | None:
        """Return what the transaction wrote under a key, None where it wrote nothing there."""
        for one in self.sets:
            for write in one.writes:
                if write.key == key:
                    return write.value
        return None

    @property
    def function(self) -> str:
        """Return the chaincode function's name."""
        return self.arguments[0].decode("utf-8", "replace") if self.arguments else ""


@dataclass(frozen=True, slots=True)
class Endorsed:
    """A transaction that passed steps 6 to 10, with its verified creator."""

    transaction: Transaction
    creator: Member


def transaction_type(envelope: bytes) -> int:
    """Return the channel header's type, -1 where the envelope cannot be read."""
    try:
        payload = pb.common.Payload.FromString(pb.common.Envelope.FromString(envelope).payload)
        return int(pb.common.ChannelHeader.FromString(payload.header.channel_header).type)
    except pb.DecodeError:
        return -1


def parse_transaction(raw: bytes, channel: str, block: int, position: int) -> Transaction:
    """Step 6: read an endorser transaction with exactly one action; raises TransactionError."""
    where = f"{channel} block {block} transaction number {position}"
    try:
        envelope = pb.common.Envelope.FromString(raw)
        payload = pb.common.Payload.FromString(envelope.payload)
        header = pb.common.ChannelHeader.FromString(payload.header.channel_header)
        signer = pb.common.SignatureHeader.FromString(payload.header.signature_header)
        extension = pb.proposal.ChaincodeHeaderExtension.FromString(header.extension)
        actions = pb.transaction.Transaction.FromString(payload.data).actions
        if len(actions) != 1:
            raise TransactionError(STEP_FORM, where, "one action expected", expected=1, found=len(actions))
        action = pb.transaction.ChaincodeActionPayload.FromString(actions[0].payload)
        proposed = pb.proposal.ChaincodeProposalPayload.FromString(action.chaincode_proposal_payload)
        invocation = pb.chaincode.ChaincodeInvocationSpec.FromString(proposed.input)
        endorsed = action.action.proposal_response_payload
        answer = pb.proposal_response.ProposalResponsePayload.FromString(endorsed)
        executed = pb.proposal.ChaincodeAction.FromString(answer.extension)
        sets = parse_read_write_set(executed.results)
    except pb.DecodeError as error:
        raise TransactionError(STEP_FORM, where, f"it is not an endorser transaction: {error}") from error
    names = {
        extension.chaincode_id.name,
        invocation.chaincode_spec.chaincode_id.name,
        executed.chaincode_id.name,
    }
    _expect(where, "another channel", channel, header.channel_id)
    _expect(where, "another type", pb.common.ENDORSER_TRANSACTION, header.type)
    _expect(where, "chaincodes named", 1, len(names))
    _expect(where, "two signature headers", payload.header.signature_header, actions[0].header)
    if not _OK <= executed.response.status < _BAD:
        raise TransactionError(
            STEP_FORM, where, "a refusal, committed", expected=_OK, found=executed.response.status
        )
    return Transaction(
        channel=channel,
        tx_id=header.tx_id,
        block=block,
        position=position,
        chaincode=executed.chaincode_id.name,
        arguments=tuple(invocation.chaincode_spec.input.args),
        response=executed.response.payload,
        sets=sets,
        creator=signer.creator,
        nonce=signer.nonce,
        payload=envelope.payload,
        signature=envelope.signature,
        proposed=payload.header.channel_header + actions[0].header + action.chaincode_proposal_payload,
        proposal_hash=answer.proposal_hash,
        endorsed=endorsed,
        endorsements=tuple(Endorsement(one.endorser, one.signature) for one in action.action.endorsements),
    )


def verify_creator(transaction: Transaction, configuration: ChannelConfiguration) -> Member:
    """Step 7: the creator belongs to the channel and signed the whole payload."""
    try:
        creator = configuration.members.member(transaction.creator)
        creator.verify(transaction.payload, transaction.signature)
    except NotAMember as error:
        raise TransactionError(STEP_CREATOR, transaction.where, f"its creator: {error}") from error
    return creator


def verify_identifier(transaction: Transaction) -> None:
    """Step 8: the transaction id is the SHA-256 of nonce || creator, in lower-case hex."""
    computed = hashlib.sha256(transaction.nonce + transaction.creator).hexdigest()
    if computed != transaction.tx_id:
        raise TransactionError(
            STEP_IDENTIFIER,
            transaction.where,
            "the transaction id is not its own",
            expected=computed,
            found=transaction.tx_id,
        )


def verify_proposal(transaction: Transaction) -> None:
    """Step 9: what was endorsed is this proposal: its hash covers headers, chaincode and arguments."""
    computed = hashlib.sha256(transaction.proposed).digest()
    if computed != transaction.proposal_hash:
        raise TransactionError(
            STEP_PROPOSAL,
            transaction.where,
            "the endorsers answered another proposal",
            expected=computed.hex(),
            found=transaction.proposal_hash.hex(),
        )


def verify_endorsements(
    transaction: Transaction, configuration: ChannelConfiguration, audited: str | None
) -> None:
    """Step 10: distinct endorsers that satisfy the policy in force signed response || identity."""
    refused: list[str] = []
    signers = verified_endorsers(transaction, configuration, refused)
    policy = policy_for(transaction, configuration, audited)
    try:
        policy.verify(signers)
    except NotAMember as error:
        raise TransactionError(
            STEP_ENDORSEMENT,
            transaction.where,
            "; ".join(["its endorsements do not satisfy the channel's policy", *refused]),
            expected=policy.describe(),
            found=sorted(one.msp_id for one in signers),
        ) from error


def verified_endorsers(
    transaction: Transaction, configuration: ChannelConfiguration, refused: list[str] | None = None
) -> list[Member]:
    """Return the distinct endorsers whose signature verifies; why the others don't goes to `refused`."""
    signers: dict[bytes, Member] = {}
    for one in transaction.endorsements:
        try:
            member = configuration.members.member(one.endorser)
            member.verify(transaction.endorsed + one.endorser, one.signature)
        except NotAMember as error:
            if refused is not None:
                refused.append(str(error))
        else:
            signers[one.endorser] = member
    return list(signers.values())


def policy_for(
    transaction: Transaction, configuration: ChannelConfiguration, audited: str | None
) -> SignaturePolicy:
    """Return the policy that holds for the transaction.

    `_lifecycle` approvals write only to the approving org's implicit collection, which any org
    endorses for itself; whatever `_lifecycle` makes public needs LifecycleEndorsement. Any
    chaincode but the audited one may have a policy of its own: it is let be, for it cannot
    touch the audited one's state (step 11). With `audited` None, every one is audited.
    """
    if transaction.chaincode == LIFECYCLE:
        if any(one.writes for one in transaction.sets):
            return configuration.lifecycle
    elif audited in (None, transaction.chaincode):
        return configuration.endorsement
    return any_member(configuration.members.organisations)


def verify_transaction(
    transaction: Transaction, configuration: ChannelConfiguration, audited: str | None = None
) -> Endorsed:
    """Steps 7 to 10 in order; returns the endorsed transaction or raises TransactionError."""
    creator = verify_creator(transaction, configuration)
    verify_identifier(transaction)
    verify_proposal(transaction)
    verify_endorsements(transaction, configuration, audited)
    return Endorsed(transaction, creator)


def _expect(where: str, message: str, expected: object, found: object) -> None:
    if expected != found:
        raise TransactionError(STEP_FORM, where, message, expected=expected, found=found)
