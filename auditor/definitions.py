"""Chaincode definitions: which chaincode may run on a channel, and who must endorse it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor import protobuf as pb
from auditor.errors import TransactionError
from auditor.transactions import LIFECYCLE, verified_endorsers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.configuration import ChannelConfiguration
    from auditor.readwrite import Write
    from auditor.transactions import Transaction

STEP_DEFINITION = 13
_KEY = re.compile(r"namespaces/(?:metadata/(?P<name>[^/]+)|fields/(?P<owner>[^/]+)/(?P<field>[^/]+))")
_REFERENCES = ("/Channel/Application/Endorsement", "Channel/Application/Endorsement", "Endorsement")
_VALIDATION_PLUGIN = "vscc"
_ENDORSEMENT_PLUGIN = "escc"
_DATATYPE = "ChaincodeDefinition"


def verify_definition(
    transaction: Transaction, configuration: ChannelConfiguration, chaincode: str, regulator: str
) -> None:
    """Step 13: the audited chaincode is defined under the channel's policy, and no other way.

    Whatever `_lifecycle` makes public has the Regulator's peer among its endorsers, whatever
    the channel's LifecycleEndorsement policy asks (step 10). A definition of the audited chaincode is
    endorsed and validated by Fabric's own plugins, against the channel's Endorsement policy,
    needs no initialisation, has no private data collections and is never taken away.
    """
    writes = list(_writes(transaction))
    if not writes:
        return
    signers = verified_endorsers(transaction, configuration)
    if not any(one.msp_id == regulator and "peer" in one.roles for one in signers):
        raise TransactionError(
            STEP_DEFINITION,
            transaction.where,
            "a definition that the Regulator's peer did not endorse",
            expected=regulator,
            found=sorted(one.msp_id for one in signers),
        )
    for write in writes:
        if _subject(write) not in (None, chaincode):
            continue
        _verify_write(transaction, configuration, write)


def foreign_definitions(transaction: Transaction, chaincode: str) -> frozenset[str]:
    """Return the names of other chaincodes that the transaction defines."""
    return frozenset(
        name for write in _writes(transaction) if (name := _subject(write)) not in (None, chaincode) and name
    )


def _writes(transaction: Transaction) -> Iterator[Write]:
    if transaction.chaincode == LIFECYCLE:
        for one in transaction.sets:
            yield from one.writes


def _subject(write: Write) -> str | None:
    key = _KEY.fullmatch(write.key)
    return None if key is None else key["name"] or key["owner"]


def _verify_write(transaction: Transaction, configuration: ChannelConfiguration, write: Write) -> None:
    key = _KEY.fullmatch(write.key)
    if key is None or write.value is None:
        raise TransactionError(
            STEP_DEFINITION,
            transaction.where,
            "it is no definition",
            expected="a definition's fields",
            found=f"{write.key} {'deleted' if write.value is None else 'written'}",
        )
    try:
        if key["name"] is not None:
            metadata = pb.lifecycle_db.StateMetadata.FromString(write.value)
            _expect(transaction, "it is no definition", _DATATYPE, metadata.datatype)
            return
        data = pb.lifecycle_db.StateData.FromString(write.value)
        if key["field"] == "ValidationInfo":
            _verify_validation(transaction, configuration, data.Bytes)
        elif key["field"] == "EndorsementInfo":
            _verify_endorsement(transaction, data.Bytes)
        elif key["field"] == "Collections":
            _expect(transaction, "the definition has private data collections", b"", data.Bytes)
        else:
            _expect(transaction, "a field that no definition has", "Sequence", key["field"])
    except pb.DecodeError as error:
        raise TransactionError(
            STEP_DEFINITION, transaction.where, f"malformed definition: {error}"
        ) from error


def _verify_validation(transaction: Transaction, configuration: ChannelConfiguration, data: bytes) -> None:
    info = pb.definition.ChaincodeValidationInfo.FromString(data)
    policy = pb.policy.ApplicationPolicy.FromString(info.validation_parameter)
    _expect(
        transaction,
        "the definition names another validation plugin",
        _VALIDATION_PLUGIN,
        info.validation_plugin,
    )
    if policy.channel_config_policy_reference not in _REFERENCES:
        raise TransactionError(
            STEP_DEFINITION,
            transaction.where,
            "the definition does not take the channel's Endorsement policy",
            expected=configuration.endorsement.describe(),
            found=policy.channel_config_policy_reference or "a policy of its own",
        )


def _verify_endorsement(transaction: Transaction, data: bytes) -> None:
    info = pb.definition.ChaincodeEndorsementInfo.FromString(data)
    _expect(
        transaction,
        "the definition names another endorsement plugin",
        _ENDORSEMENT_PLUGIN,
        info.endorsement_plugin,
    )
    _expect(
        transaction, "the definition asks for an initialisation", expected=False, found=info.init_required
    )


def _expect(transaction: Transaction, message: str, expected: object, found: object) -> None:
    if expected != found:
        raise TransactionError(STEP_DEFINITION, transaction.where, message, expected=expected, found=found)
