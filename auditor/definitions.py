"""Chaincode definitions: which chaincode may run on a channel, and who must endorse it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor import protobuf as pb
from auditor.errors import TransactionError
from auditor.transactions import LIFECYCLE

if TYPE_CHECKING:
    from auditor.configuration import ChannelConfiguration
    from auditor.transactions import Transaction

STEP_DEFINITION = 13
_REFERENCES = ("/Channel/Application/Endorsement", "Channel/Application/Endorsement", "Endorsement")
_PLUGIN = "vscc"


def verify_definition(transaction: Transaction, configuration: ChannelConfiguration, chaincode: str) -> None:
    """Step 13: the audited chaincode is defined under the channel's policy, and no other way.

    A committed definition must be validated by Fabric's own plugin, against the channel's
    Endorsement policy, and have no private data collections. Who endorsed the definition
    itself is step 10 (LifecycleEndorsement).
    """
    if transaction.chaincode != LIFECYCLE:
        return
    for one in transaction.sets:
        for write in one.writes:
            if write.value is None:
                continue
            if write.key == f"namespaces/fields/{chaincode}/ValidationInfo":
                _verify_validation(transaction, configuration, write.value)
            elif write.key == f"namespaces/fields/{chaincode}/Collections":
                data = _state_bytes(transaction, write.value)
                _expect(transaction, "the definition has private data collections", b"", data)


def _verify_validation(transaction: Transaction, configuration: ChannelConfiguration, value: bytes) -> None:
    data = _state_bytes(transaction, value)
    try:
        info = pb.definition.ChaincodeValidationInfo.FromString(data)
        policy = pb.policy.ApplicationPolicy.FromString(info.validation_parameter)
    except pb.DecodeError as error:
        raise TransactionError(
            STEP_DEFINITION, transaction.where, f"malformed definition: {error}"
        ) from error
    _expect(transaction, "the definition names another validation plugin", _PLUGIN, info.validation_plugin)
    if policy.channel_config_policy_reference not in _REFERENCES:
        raise TransactionError(
            STEP_DEFINITION,
            transaction.where,
            "the definition does not take the channel's Endorsement policy",
            expected=configuration.endorsement.describe(),
            found=policy.channel_config_policy_reference or "a policy of its own",
        )


def _state_bytes(transaction: Transaction, value: bytes) -> bytes:
    try:
        return bytes(pb.lifecycle_db.StateData.FromString(value).Bytes)
    except pb.DecodeError as error:
        message = f"malformed definition: {error}"
        raise TransactionError(STEP_DEFINITION, transaction.where, message) from error


def _expect(transaction: Transaction, message: str, expected: object, found: object) -> None:
    if expected != found:
        raise TransactionError(STEP_DEFINITION, transaction.where, message, expected=expected, found=found)
