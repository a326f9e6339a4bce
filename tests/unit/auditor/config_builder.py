"""Channel configurations as `configtxgen` makes them, and updates of them, signed and applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization

from auditor import protobuf as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.unit.auditor.builder import Chain, Network, Org, Signer

OFFICES = ("AssociationMSP", "RegulatorMSP", "ArbitrationMSP")
MEMBER_POLICIES = {
    "Readers": ("MEMBER",),
    "Writers": ("ADMIN", "CLIENT"),
    "Admins": ("ADMIN",),
    "Endorsement": ("PEER",),
}


def channel_config(network: Network, sequence: int = 0) -> pb.Message:
    config = pb.configtx.Config(sequence=sequence)
    root = config.channel_group
    root.mod_policy = "Admins"
    root.values["Capabilities"].CopyFrom(value(capabilities("V3_0")))
    root.policies["Admins"].CopyFrom(modifiable(administration()))
    for kind in ("Application", "Orderer"):
        group = root.groups[kind]
        group.mod_policy = "Admins"
        group.policies["Admins"].CopyFrom(modifiable(administration()))
        for name, org in network.orgs.items():
            group.groups[name].CopyFrom(member(org, ordering=kind == "Orderer"))
    application = root.groups["Application"]
    application.values["Capabilities"].CopyFrom(value(capabilities("V2_5")))
    application.policies["Endorsement"].CopyFrom(modifiable(two_of(OFFICES, "PEER")))
    application.policies["LifecycleEndorsement"].CopyFrom(modifiable(administration("PEER")))
    orderer = root.groups["Orderer"]
    consenters = pb.configuration.Orderers(
        consenter_mapping=[
            pb.configuration.Consenter(id=number, msp_id=name, identity=network.orderers[name].pem)
            for number, name in enumerate(network.orgs, 1)
        ]
    )
    orderer.values["Orderers"].CopyFrom(value(consenters))
    orderer.values["ConsensusType"].CopyFrom(value(pb.orderer_configuration.ConsensusType(type="BFT")))
    orderer.values["BatchSize"].CopyFrom(value(pb.orderer_configuration.BatchSize(max_message_count=500)))
    orderer.values["BatchTimeout"].CopyFrom(value(pb.orderer_configuration.BatchTimeout(timeout="200ms")))
    orderer.values["Capabilities"].CopyFrom(value(capabilities("V2_0")))
    orderer.policies["BlockValidation"].CopyFrom(modifiable(block_validation(consenters)))
    return config


def member(org: Org, *, ordering: bool = False, name: str = "") -> pb.Message:
    """One organisation's group; `name` where it is to be called otherwise than its policies say."""
    group = pb.configtx.ConfigGroup(mod_policy="Admins")
    msp = pb.msp_config.FabricMSPConfig(
        name=name or org.msp_id, root_certs=[org.root.public_bytes(serialization.Encoding.PEM)]
    )
    msp.fabric_node_ous.enable = True
    for role in ("client", "peer", "admin", "orderer"):
        unit = getattr(msp.fabric_node_ous, f"{role}_ou_identifier")
        unit.organizational_unit_identifier = role
    group.values["MSP"].CopyFrom(value(pb.msp_config.MSPConfig(config=msp.SerializeToString())))
    if ordering:
        addresses = pb.configuration.OrdererAddresses(addresses=[f"{org.msp_id.lower()}:7050"])
        group.values["Endpoints"].CopyFrom(value(addresses))
    else:
        group.values["AnchorPeers"].CopyFrom(value(anchor(org.msp_id.lower())))
    for policy, roles in MEMBER_POLICIES.items():
        group.policies[policy].CopyFrom(modifiable(one_of([(org.msp_id, role) for role in roles])))
    return group


def value(message: pb.Message) -> pb.Message:
    return pb.configtx.ConfigValue(mod_policy="Admins", value=message.SerializeToString())


def modifiable(policy: pb.Message) -> pb.Message:
    return pb.configtx.ConfigPolicy(mod_policy="Admins", policy=policy)


def capabilities(name: str) -> pb.Message:
    found = pb.configuration.Capabilities()
    found.capabilities[name].SetInParent()
    return found


def anchor(host: str) -> pb.Message:
    peers = pb.peer_configuration.AnchorPeers()
    peers.anchor_peers.add(host=host, port=7051)
    return peers


def two_of(orgs: Sequence[str], role: str) -> pb.Message:
    return out_of(2, [(name, role) for name in orgs])


def one_of(principals: Sequence[tuple[str, str]]) -> pb.Message:
    return out_of(1, principals)


def out_of(count: int, principals: Sequence[tuple[str, str]]) -> pb.Message:
    envelope = pb.policies.SignaturePolicyEnvelope()
    envelope.rule.n_out_of.n = count
    for index, (name, role) in enumerate(principals):
        envelope.rule.n_out_of.rules.add().signed_by = index
        envelope.identities.add().principal = principal(name, role)
    return signature_policy(envelope)


def administration(role: str = "ADMIN") -> pb.Message:
    """The Regulator and one of the other two, as the network's configuration says."""
    envelope = pb.policies.SignaturePolicyEnvelope()
    envelope.rule.n_out_of.n = 2
    envelope.rule.n_out_of.rules.add().signed_by = 0
    others = envelope.rule.n_out_of.rules.add().n_out_of
    others.n = 1
    for index, name in enumerate(("RegulatorMSP", "AssociationMSP", "ArbitrationMSP")):
        envelope.identities.add().principal = principal(name, role)
        if index:
            others.rules.add().signed_by = index
    return signature_policy(envelope)


def block_validation(consenters: pb.Message) -> pb.Message:
    """A quorum of these consenters, by Fabric's EncodeBFTBlockVerificationPolicy."""
    envelope = pb.policies.SignaturePolicyEnvelope()
    count = len(consenters.consenter_mapping)
    envelope.rule.n_out_of.n = -(-(count + (count - 1) // 3 + 1) // 2)
    for index, one in enumerate(consenters.consenter_mapping):
        envelope.rule.n_out_of.rules.add().signed_by = index
        identity = pb.identities.SerializedIdentity(mspid=one.msp_id, id_bytes=one.identity)
        envelope.identities.add(
            principal_classification=pb.msp_principal.MSPPrincipal.IDENTITY,
            principal=identity.SerializeToString(),
        )
    return signature_policy(envelope)


def principal(name: str, role: str) -> bytes:
    raw: bytes = pb.msp_principal.MSPRole(
        msp_identifier=name, role=pb.msp_principal.MSPRole.MSPRoleType.Value(role)
    ).SerializeToString()
    return raw


def signature_policy(envelope: pb.Message) -> pb.Message:
    return pb.policies.Policy(type=pb.policies.Policy.SIGNATURE, value=envelope.SerializeToString())


def updated(config: pb.Message, change: Callable[[pb.Message], object]) -> pb.Message:
    """The next configuration: changed, each changed element one version on, as Fabric applies updates."""
    following = pb.configtx.Config()
    following.CopyFrom(config)
    following.sequence += 1
    change(following.channel_group)
    _next_versions(config.channel_group, following.channel_group)
    return following


def update_of(config: pb.Message, following: pb.Message, channel: str) -> pb.Message:
    """The update from one to the other that reads and writes everything there is."""
    return pb.configtx.ConfigUpdate(
        channel_id=channel, read_set=config.channel_group, write_set=following.channel_group
    )


def config_envelope(
    chain: Chain,
    following: pb.Message,
    update: pb.Message,
    signers: Sequence[Signer],
    *,
    kind: int = pb.common.CONFIG_UPDATE,
) -> bytes:
    """The CONFIG transaction with that configuration, made by that update."""
    signed = pb.configtx.ConfigUpdateEnvelope(config_update=update.SerializeToString())
    for one in signers:
        header = pb.common.SignatureHeader(creator=one.identity, nonce=b"n").SerializeToString()
        signed.signatures.add(signature_header=header, signature=one.sign(header + signed.config_update))
    last = _enveloped(kind, chain.channel, signed)
    config = pb.configtx.ConfigEnvelope(config=following, last_update=last)
    raw: bytes = _enveloped(pb.common.CONFIG, chain.channel, config).SerializeToString()
    return raw


def reconfigure(
    chain: Chain,
    change: Callable[[pb.Message], object],
    by: Sequence[str] = ("RegulatorMSP", "AssociationMSP"),
) -> bytes:
    """Add the block of a configuration changed and signed as it should be, unless `by` says otherwise."""
    following = updated(chain.config, change)
    update = update_of(chain.config, following, chain.channel)
    envelope = config_envelope(chain, following, update, [chain.network.admins[name] for name in by])
    chain.config = following
    return chain.add(envelope, config=True)


def _enveloped(kind: int, channel: str, content: pb.Message) -> pb.Message:
    payload = pb.common.Payload(data=content.SerializeToString())
    payload.header.channel_header = pb.common.ChannelHeader(type=kind, channel_id=channel).SerializeToString()
    return pb.common.Envelope(payload=payload.SerializeToString())


def _next_versions(old: pb.Message, new: pb.Message) -> None:
    same = old.mod_policy == new.mod_policy
    for field in ("groups", "values", "policies"):
        before, after = getattr(old, field), getattr(new, field)
        same = same and set(before) == set(after)
        for name in set(before) & set(after):
            if field == "groups":
                _next_versions(before[name], after[name])
            elif before[name] != after[name]:
                after[name].version = before[name].version + 1
    new.version = old.version if same else old.version + 1
