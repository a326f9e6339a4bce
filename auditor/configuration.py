"""A channel's configuration: organisations, consenters and policies, from a configuration block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509

from auditor import protobuf as pb
from auditor.errors import ConfigurationError
from auditor.members import Member, Membership, NotAMember, Organisation
from auditor.policies import PolicyUnsupported, SignaturePolicy, parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

STEP_CONFIGURATION = 5


@dataclass(frozen=True, slots=True)
class Consenter:
    """One orderer of the BFT cluster, with the certificate that its block signatures verify under."""

    identifier: int
    msp_id: str
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class ChannelConfiguration:
    """What a configuration block says, as far as verification needs it."""

    channel: str
    sequence: int
    members: Membership
    consenters: tuple[Consenter, ...]
    endorsement: SignaturePolicy
    lifecycle: SignaturePolicy
    admins: SignaturePolicy

    @property
    def quorum(self) -> int:
        """How many distinct consenters must sign a block: ceil((n + f + 1) / 2), f = (n - 1) // 3."""
        count = len(self.consenters)
        faulty = (count - 1) // 3
        return (count + faulty + 2) // 2


def parse_configuration(channel: str, envelope: bytes, where: str) -> ChannelConfiguration:
    """Read the configuration from a CONFIG transaction's envelope; raises ConfigurationError."""
    try:
        payload = pb.common.Payload.FromString(pb.common.Envelope.FromString(envelope).payload)
        header = pb.common.ChannelHeader.FromString(payload.header.channel_header)
        if header.type != pb.common.CONFIG:
            raise ConfigurationError(STEP_CONFIGURATION, where, "it is not a configuration transaction")
        if header.channel_id != channel:
            raise ConfigurationError(
                STEP_CONFIGURATION, where, "another channel", expected=channel, found=header.channel_id
            )
        config = pb.configtx.ConfigEnvelope.FromString(payload.data).config
        group = config.channel_group
        application, orderer = group.groups["Application"], group.groups["Orderer"]
        return ChannelConfiguration(
            channel,
            config.sequence,
            Membership(_organisations((application, orderer))),
            _consenters(orderer),
            _policy(application, "Endorsement"),
            _policy(application, "LifecycleEndorsement"),
            _policy(application, "Admins"),
        )
    except (pb.DecodeError, ValueError, PolicyUnsupported) as error:
        raise ConfigurationError(STEP_CONFIGURATION, where, f"malformed configuration: {error}") from error


def verify_update(current: ChannelConfiguration, envelope: bytes, where: str) -> ChannelConfiguration:
    """Step 5: the next configuration, proposed by an update that the channel's admins signed."""
    updated = parse_configuration(current.channel, envelope, where)
    if updated.sequence != current.sequence + 1:
        raise ConfigurationError(
            STEP_CONFIGURATION,
            where,
            "it is not the next configuration",
            expected=current.sequence + 1,
            found=updated.sequence,
        )
    try:
        payload = pb.common.Payload.FromString(pb.common.Envelope.FromString(envelope).payload)
        last = pb.configtx.ConfigEnvelope.FromString(payload.data).last_update
        inner = pb.common.Payload.FromString(last.payload)
        update = pb.configtx.ConfigUpdateEnvelope.FromString(inner.data)
        channel = pb.configtx.ConfigUpdate.FromString(update.config_update).channel_id
    except pb.DecodeError as error:
        raise ConfigurationError(STEP_CONFIGURATION, where, f"malformed update: {error}") from error
    if channel != current.channel:
        raise ConfigurationError(
            STEP_CONFIGURATION, where, "an update of another channel", expected=current.channel, found=channel
        )
    signers: dict[bytes, Member] = {}
    for one in update.signatures:
        try:
            creator = pb.common.SignatureHeader.FromString(one.signature_header).creator
            member = current.members.member(creator)
            member.verify(one.signature_header + update.config_update, one.signature)
        except (NotAMember, pb.DecodeError):
            continue
        signers[creator] = member
    try:
        current.admins.verify(list(signers.values()))
    except NotAMember as error:
        raise ConfigurationError(
            STEP_CONFIGURATION,
            where,
            "the update is not signed as the channel's Admins policy asks",
            expected=current.admins.describe(),
            found=sorted(one.msp_id for one in signers.values()),
        ) from error
    return updated


def _organisations(groups: Iterable[Any]) -> Mapping[str, Organisation]:
    organisations: dict[str, Organisation] = {}
    for group in groups:
        for member in group.groups.values():
            config = pb.msp_config.MSPConfig.FromString(member.values["MSP"].value)
            one = _organisation(pb.msp_config.FabricMSPConfig.FromString(config.config))
            if organisations.setdefault(one.msp_id, one) != one:
                raise ValueError(f"two definitions of {one.msp_id} differ")
    return organisations


def _organisation(config: Any) -> Organisation:
    units: list[tuple[str, str]] = []
    if config.fabric_node_ous.enable:
        for role in ("client", "peer", "admin", "orderer"):
            name = getattr(config.fabric_node_ous, f"{role}_ou_identifier").organizational_unit_identifier
            units.append((role, name or role))
    revoked = [one.serial_number for raw in config.revocation_list for one in x509.load_pem_x509_crl(raw)]
    return Organisation(
        config.name,
        tuple(x509.load_pem_x509_certificate(one) for one in config.root_certs),
        tuple(x509.load_pem_x509_certificate(one) for one in config.intermediate_certs),
        frozenset(revoked),
        tuple(units),
    )


def _consenters(orderer: Any) -> tuple[Consenter, ...]:
    mapping = pb.configuration.Orderers.FromString(orderer.values["Orderers"].value).consenter_mapping
    consenters = tuple(
        Consenter(one.id, one.msp_id, x509.load_pem_x509_certificate(one.identity)) for one in mapping
    )
    if not consenters or len({one.identifier for one in consenters}) != len(consenters):
        raise ValueError("the consenters are missing or not distinct")
    return consenters


def _policy(group: Any, name: str) -> SignaturePolicy:
    policy = group.policies[name].policy
    if policy.type != pb.policies.Policy.SIGNATURE:
        raise PolicyUnsupported(f"the policy {name} is not a signature policy")
    return parse_policy(policy.value)
