"""A channel's configuration: organisations, consenters and policies, from a configuration block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor import protobuf as pb
from auditor.config_allowed import verify_allowed
from auditor.config_tree import Tree, parse_tree
from auditor.config_update import STEP_CONFIGURATION, apply_update, parse_update, verify_equal
from auditor.consenters import Consenter, parse_consenters, quorum, verify_members
from auditor.errors import ConfigurationError
from auditor.members import UNREADABLE, Membership, NotAMember, Organisation, parse_organisation
from auditor.policies import PolicyUnsupported, SignaturePolicy, parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.config_update import Update


@dataclass(frozen=True, slots=True)
class ChannelConfiguration:
    """What a configuration block says: `tree` all of it, the rest what verification needs of it."""

    channel: str
    sequence: int
    tree: Tree
    members: Membership
    consenters: tuple[Consenter, ...]
    endorsement: SignaturePolicy
    lifecycle: SignaturePolicy

    @property
    def quorum(self) -> int:
        """How many distinct consenters must sign a block."""
        return quorum(len(self.consenters))


def parse_configuration(channel: str, envelope: bytes, where: str) -> ChannelConfiguration:
    """Read the configuration from a CONFIG transaction's envelope; raises ConfigurationError."""
    try:
        return _configuration(channel, _config_envelope(channel, envelope, where).config)
    except (pb.DecodeError, PolicyUnsupported, *UNREADABLE) as error:
        raise ConfigurationError(STEP_CONFIGURATION, where, f"malformed configuration: {error}") from error


def verify_update(
    current: ChannelConfiguration, envelope: bytes, where: str, regulator: str
) -> ChannelConfiguration:
    """Step 5: the next configuration is the current one with a signed update applied, and nothing else.

    The update is signed as the current configuration asks and by an administrator of the Regulator
    (`regulator`, an MSP id), and what it changes is on the list of what may change at all.
    """
    updated = parse_configuration(current.channel, envelope, where)
    if updated.sequence != current.sequence + 1:
        raise ConfigurationError(
            STEP_CONFIGURATION,
            where,
            "it is not the next configuration",
            expected=current.sequence + 1,
            found=updated.sequence,
        )
    last_update = _config_envelope(current.channel, envelope, where).last_update
    update = parse_update(last_update, current.members, where)
    if update.channel != current.channel:
        raise ConfigurationError(
            STEP_CONFIGURATION,
            where,
            "an update of another channel",
            expected=current.channel,
            found=update.channel,
        )
    _verify_regulator(update, where, regulator)
    verify_equal(apply_update(current.tree, update, where), updated.tree, where)
    try:
        verify_allowed(current.tree, updated.tree, where)
        verify_members(updated.consenters, updated.members)
    except NotAMember as error:
        raise ConfigurationError(STEP_CONFIGURATION, where, f"a consenter: {error}") from error
    except UNREADABLE as error:
        raise ConfigurationError(STEP_CONFIGURATION, where, f"an authority's key: {error}") from error
    return updated


def _verify_regulator(update: Update, where: str, regulator: str) -> None:
    if not any(one.msp_id == regulator and "admin" in one.roles for one in update.signers):
        raise ConfigurationError(
            STEP_CONFIGURATION,
            where,
            "no administrator of the Regulator signed the update",
            expected=regulator,
            found=sorted(one.msp_id for one in update.signers),
        )


def _config_envelope(channel: str, envelope: bytes, where: str) -> Any:
    payload = pb.common.Payload.FromString(pb.common.Envelope.FromString(envelope).payload)
    header = pb.common.ChannelHeader.FromString(payload.header.channel_header)
    if header.type != pb.common.CONFIG:
        raise ConfigurationError(STEP_CONFIGURATION, where, "it is not a configuration transaction")
    if header.channel_id != channel:
        raise ConfigurationError(
            STEP_CONFIGURATION, where, "another channel", expected=channel, found=header.channel_id
        )
    return pb.configtx.ConfigEnvelope.FromString(payload.data)


def _configuration(channel: str, config: Any) -> ChannelConfiguration:
    group = config.channel_group
    tree = parse_tree(group)  # first: to look for what is not there adds it
    application, orderer = group.groups["Application"], group.groups["Orderer"]
    return ChannelConfiguration(
        channel,
        config.sequence,
        tree,
        Membership(_organisations((application, orderer))),
        parse_consenters(orderer.values["Orderers"].value),
        _policy(application, "Endorsement"),
        _policy(application, "LifecycleEndorsement"),
    )


def _organisations(groups: Iterable[Any]) -> Mapping[str, Organisation]:
    organisations: dict[str, Organisation] = {}
    for group in groups:
        for member in group.groups.values():
            config = pb.msp_config.MSPConfig.FromString(member.values["MSP"].value)
            one = parse_organisation(pb.msp_config.FabricMSPConfig.FromString(config.config))
            if organisations.setdefault(one.msp_id, one) != one:
                raise ValueError(f"two definitions of {one.msp_id} differ")
    return organisations


def _policy(group: Any, name: str) -> SignaturePolicy:
    policy = group.policies[name].policy
    if policy.type != pb.policies.Policy.SIGNATURE:
        raise PolicyUnsupported(f"the policy {name} is not a signature policy")
    return parse_policy(policy.value)
