"""Fabric's messages in full as JSON, nested bytes and all, as Fabric's own `configtxlator` writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format

from auditor import protobuf as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Fields of type bytes that hold a message, by the field's full name. Whatever is not listed stays base64.
_NESTED: Mapping[str, Any] = {
    "common.BlockData.data": pb.common.Envelope,
    "common.Envelope.payload": pb.common.Payload,
    "common.Header.channel_header": pb.common.ChannelHeader,
    "common.Header.signature_header": pb.common.SignatureHeader,
    "common.SignatureHeader.creator": pb.identities.SerializedIdentity,
    "common.ConfigUpdateEnvelope.config_update": pb.configtx.ConfigUpdate,
    "common.ConfigSignature.signature_header": pb.common.SignatureHeader,
    "msp.MSPConfig.config": pb.msp_config.FabricMSPConfig,
    "protos.TransactionAction.header": pb.common.SignatureHeader,
    "protos.TransactionAction.payload": pb.transaction.ChaincodeActionPayload,
    "protos.ChaincodeActionPayload.chaincode_proposal_payload": pb.proposal.ChaincodeProposalPayload,
    "protos.ChaincodeProposalPayload.input": pb.chaincode.ChaincodeInvocationSpec,
    "protos.ChaincodeEndorsedAction.proposal_response_payload": pb.proposal_response.ProposalResponsePayload,
    "protos.ProposalResponsePayload.extension": pb.proposal.ChaincodeAction,
    "protos.ChaincodeAction.results": pb.rwset.TxReadWriteSet,
    "protos.ChaincodeAction.events": pb.event.ChaincodeEvent,
    "rwset.NsReadWriteSet.rwset": pb.kvrwset.KVRWSet,
}
_DATA: Mapping[int, Any] = {
    pb.common.CONFIG: pb.configtx.ConfigEnvelope,
    pb.common.CONFIG_UPDATE: pb.configtx.ConfigUpdateEnvelope,
    pb.common.ENDORSER_TRANSACTION: pb.transaction.Transaction,
}
_PRINCIPALS: Mapping[int, Any] = {
    pb.msp_principal.MSPPrincipal.ROLE: pb.msp_principal.MSPRole,
    pb.msp_principal.MSPPrincipal.ORGANIZATION_UNIT: pb.msp_principal.OrganizationUnit,
    pb.msp_principal.MSPPrincipal.IDENTITY: pb.identities.SerializedIdentity,
}
_POLICIES: Mapping[int, Any] = {
    pb.policies.Policy.SIGNATURE: pb.policies.SignaturePolicyEnvelope,
    pb.policies.Policy.IMPLICIT_META: pb.policies.ImplicitMetaPolicy,
}
# The values of a configuration, by name.
_VALUES: Mapping[str, Any] = {
    "ACLs": pb.peer_configuration.ACLs,
    "AnchorPeers": pb.peer_configuration.AnchorPeers,
    "BatchSize": pb.orderer_configuration.BatchSize,
    "BatchTimeout": pb.orderer_configuration.BatchTimeout,
    "BlockDataHashingStructure": pb.configuration.BlockDataHashingStructure,
    "Capabilities": pb.configuration.Capabilities,
    "ChannelRestrictions": pb.orderer_configuration.ChannelRestrictions,
    "ConsensusType": pb.orderer_configuration.ConsensusType,
    "Consortium": pb.configuration.Consortium,
    "Endpoints": pb.configuration.OrdererAddresses,
    "HashingAlgorithm": pb.configuration.HashingAlgorithm,
    "MSP": pb.msp_config.MSPConfig,
    "OrdererAddresses": pb.configuration.OrdererAddresses,
    "Orderers": pb.configuration.Orderers,
}


def decoded(message: pb.Message) -> dict[str, Any]:
    """Return a message as JSON in protobuf's own mapping, with messages inside bytes opened, too.

    Fields without presence are there even where they have their default. Bytes that hold no
    message, or one that does not parse, are base64.
    """
    result: dict[str, Any] = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    _open(message, result)
    return result


def decoded_value(name: str, raw: bytes) -> object:
    """Return a configuration's value of that name as JSON; hex where the name is not known."""
    opened = _parsed(_VALUES.get(name), raw)
    return raw.hex() if opened is None else decoded(opened)


def decoded_policy(raw: bytes) -> object:
    """Return a serialized common.Policy as JSON; hex where it is none."""
    opened = _parsed(pb.policies.Policy, raw)
    return raw.hex() if opened is None else decoded(opened)


def brief(value: object, limit: int = 600) -> str:
    """Return JSON on one line, cut after `limit` characters: for a sentence."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def _open(message: pb.Message, result: dict[str, Any]) -> None:
    for field, value in message.ListFields():
        if field.message_type is None:
            if field.type == field.TYPE_BYTES:
                _open_bytes(message, field, value, result)
        elif field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                _open_map(field, value, result[field.name])
        elif field.label == field.LABEL_REPEATED:
            for one, shown in zip(value, result[field.name], strict=True):
                _open(one, shown)
        elif isinstance(result[field.name], dict):  # a timestamp is a string by now
            _open(value, result[field.name])


def _open_map(field: Any, value: Mapping[str, Any], result: dict[str, Any]) -> None:
    for key, one in value.items():
        _open(one, result[key])
        if field.full_name == "common.ConfigGroup.values" and one.value:
            _replace(result[key], "value", _parsed(_VALUES.get(key), one.value))


def _open_bytes(message: pb.Message, field: Any, value: Any, result: dict[str, Any]) -> None:
    kind = _NESTED.get(field.full_name) or _chosen(message, field.full_name)
    if field.label == field.LABEL_REPEATED:
        opened = [_parsed(kind, one) for one in value]
        if None not in opened:
            result[field.name] = [decoded(one) for one in opened]
    else:
        _replace(result, field.name, _parsed(kind, value))


def _chosen(message: pb.Message, name: str) -> Any | None:
    choose = _CHOICES.get(name)
    return None if choose is None else choose(message)


def _payload(message: pb.Message) -> Any | None:
    header = _parsed(pb.common.ChannelHeader, message.header.channel_header)
    return None if header is None else _DATA.get(header.type)


# Fields whose content depends on what stands beside them.
_CHOICES: Mapping[str, Callable[[Any], Any]] = {
    "common.Payload.data": _payload,
    "common.Policy.value": lambda message: _POLICIES.get(message.type),
    "common.MSPPrincipal.principal": lambda message: _PRINCIPALS.get(message.principal_classification),
    "orderer.ConsensusType.metadata": lambda message: pb.smartbft.Options if message.type == "BFT" else None,
    "common.ChannelHeader.extension": lambda message: (
        pb.proposal.ChaincodeHeaderExtension if message.type == pb.common.ENDORSER_TRANSACTION else None
    ),
}


def _replace(result: dict[str, Any], name: str, opened: pb.Message | None) -> None:
    if opened is not None:
        result[name] = decoded(opened)


def _parsed(kind: Any | None, raw: bytes) -> pb.Message | None:
    if kind is None:
        return None
    try:
        return kind.FromString(raw)
    except pb.DecodeError:
        return None
