"""Configuration updates on a real network: the auditor takes over what it should, and nothing else."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from auditor import protobuf as pb
from auditor.blocks import Header, parse_block
from auditor.errors import ConfigurationError
from client.ca.keys import key_from_pem, sign_low_s
from network.errors import CommandFailed
from network.layout import certificate, private_key
from tests.integration.governed import ARBITRATION, IDENTITY, anchor_peer, batch_size, config_of
from tests.unit.auditor.builder import ORDER, Org
from tests.unit.auditor.config_builder import block_validation, member, one_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from network.topology import Org as TableOrg
    from tests.integration.governed import Governed

pytestmark = pytest.mark.network

MEMBER = "InstitutionBMSP"


def add_member(root: pb.Message) -> None:
    """An institution more, with a root as Fabric wants it."""
    group = member(Org(MEMBER, usable=True))
    del group.values["AnchorPeers"]
    root.groups["Application"].groups[MEMBER].CopyFrom(group)


def rotate(governed: Governed, channel: str) -> Callable[[pb.Message], None]:
    """Give one consenter, not the leader, another certificate by its organisation's own CA."""
    cluster = governed.network.cluster
    leader = cluster.leader(cluster.topology.channel(channel))
    org = next(one for one in cluster.topology.channel(channel).consenters if one != leader)

    def change(root: pb.Message) -> None:
        group = root.groups["Orderer"]
        orderers = pb.configuration.Orderers.FromString(group.values["Orderers"].value)
        (found,) = [one for one in orderers.consenter_mapping if one.msp_id == org.msp]
        found.identity = reissued(governed, org)
        group.values["Orderers"].value = orderers.SerializeToString()
        group.policies["BlockValidation"].policy.CopyFrom(block_validation(orderers))

    return change


def reissued(governed: Governed, org: TableOrg) -> bytes:
    """The certificate of the organisation's orderer again, for another key; low-S, as Fabric wants it."""
    layout = governed.network.cluster.layout
    authority = x509.load_pem_x509_certificate(layout.root_certificate(org, "identity").read_bytes())
    (path,) = [
        one
        for one in (layout.ca(org) / "identity-ca" / "msp" / "keystore").glob("*_sk")
        if is_key_of(one.read_bytes(), authority)
    ]
    signer = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    old = x509.load_pem_x509_certificate(certificate(layout.orderer(org)).read_bytes())
    builder = x509.CertificateBuilder(
        old.issuer, old.subject, ec.generate_private_key(ec.SECP256R1()).public_key()
    )
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(old.not_valid_before_utc).not_valid_after(old.not_valid_after_utc)
    for one in old.extensions:
        if not isinstance(one.value, x509.SubjectKeyIdentifier):
            builder = builder.add_extension(one.value, one.critical)
    while True:
        made = builder.sign(signer, hashes.SHA256())
        if decode_dss_signature(made.signature)[1] <= ORDER // 2:
            return made.public_bytes(serialization.Encoding.PEM)


def is_key_of(pem: bytes, authority: x509.Certificate) -> bool:
    key = serialization.load_pem_private_key(pem, None)
    return key.public_key() == authority.public_key()


def endorsed_by_the_institution(root: pb.Message) -> None:
    policy = one_of([("InstitutionAMSP", "PEER")])
    root.groups["Application"].policies["Endorsement"].policy.CopyFrom(policy)


@pytest.fixture(scope="module")
def updated(governed: Governed) -> Governed:
    """Both channels after updates as they should be."""
    governed.update(ARBITRATION, batch_size, "regulator", "association")
    governed.update(ARBITRATION, anchor_peer, "institutiona", "regulator")
    governed.update(IDENTITY, add_member, "arbitration", "regulator")
    governed.update(IDENTITY, rotate(governed, IDENTITY), "regulator", "arbitration")
    return governed


def test_updates_as_they_should_be_are_taken_over(updated: Governed) -> None:
    for channel in (ARBITRATION, IDENTITY):
        blocks = updated.blocks(channel)
        ledger = updated.followed(channel, blocks)
        assert ledger.configuration.sequence == 2
        assert sum(config_of(raw) is not None for raw in blocks) == 3
    assert MEMBER in ledger.configuration.members.organisations


def test_blocks_after_a_consenters_rotation_verify(updated: Governed) -> None:
    block = updated.update(IDENTITY, batch_size, "association", "regulator")
    assert len(parse_block(block).signatures) == 3
    assert updated.followed(IDENTITY, updated.blocks(IDENTITY)).configuration.sequence == 3


def test_without_the_regulator_nothing_is_committed(updated: Governed) -> None:
    height = len(updated.blocks(ARBITRATION))
    for by in (
        ("association", "arbitration"),
        ("institutiona", "association"),
        ("regulator", "institutiona"),
    ):
        with pytest.raises(CommandFailed, match=r"BAD_REQUEST|FORBIDDEN"):
            updated.update(ARBITRATION, batch_size, *by)
    assert len(updated.blocks(ARBITRATION)) == height


def refused(governed: Governed, channel: str, before: list[bytes], block: bytes) -> ConfigurationError:
    ledger = governed.followed(channel, before)
    with pytest.raises(ConfigurationError) as error:
        ledger.accept(block)
    assert error.value.step == 5
    assert ledger.height == len(before)
    return error.value


def test_a_forged_configuration_with_a_quorum_of_real_signatures(updated: Governed) -> None:
    """Three orderers collude: they put a policy into the configuration that nobody signed."""
    before = updated.blocks(ARBITRATION)
    (honest,) = [raw for raw in before if (found := config_of(raw)) is not None and found.sequence == 2]
    number = parse_block(honest).header.number
    block = pb.common.Block.FromString(honest)
    envelope = pb.common.Envelope.FromString(block.data.data[0])
    payload = pb.common.Payload.FromString(envelope.payload)
    config = pb.configtx.ConfigEnvelope.FromString(payload.data)
    endorsed_by_the_institution(config.config.channel_group)
    payload.data = config.SerializeToString()
    envelope.payload = payload.SerializeToString()
    block.data.data[0] = envelope.SerializeToString()
    error = refused(updated, ARBITRATION, before[:number], resigned(updated, block))
    assert error.where.endswith("policy /Channel/Application/Endorsement")
    assert error.reason == "the update does not make this"
    assert "InstitutionAMSP" in str(error.found)
    assert "ArbitrationMSP" in str(error.expected)


def resigned(governed: Governed, block: pb.Message) -> bytes:
    """Hash and sign a block anew with the keys of three real orderers."""
    block.header.data_hash = hashlib.sha256(b"".join(block.data.data)).digest()
    header = Header(block.header.number, block.header.previous_hash, block.header.data_hash)
    signed = pb.common.Metadata.FromString(block.metadata.metadata[0])
    del signed.signatures[:]
    cluster = governed.network.cluster
    for identifier, org in list(enumerate(cluster.topology.channel(ARBITRATION).consenters, 1))[:3]:
        named = pb.common.IdentifierHeader(identifier=identifier, nonce=b"n").SerializeToString()
        key = key_from_pem(private_key(cluster.layout.orderer(org)).read_bytes())
        signature = sign_low_s(key, signed.value + named + header.encoded())
        signed.signatures.add(identifier_header=named, signature=signature)
    block.metadata.metadata[0] = signed.SerializeToString()
    raw: bytes = block.SerializeToString()
    return raw


def test_an_institution_alone_changes_its_anchor_peer(updated: Governed) -> None:
    """Fabric lets every organisation change what is its own; the Regulator has not signed, and sees it."""
    before = updated.blocks(IDENTITY)
    error = refused(updated, IDENTITY, before, updated.update(IDENTITY, anchor_peer, "institutiona"))
    assert "no administrator of the Regulator" in error.reason
    assert (error.expected, error.found) == ("RegulatorMSP", ["InstitutionAMSP"])


def test_a_policy_is_not_changed_even_by_those_who_can(updated: Governed) -> None:
    before = updated.blocks(ARBITRATION)
    block = updated.update(ARBITRATION, endorsed_by_the_institution, "association", "regulator")
    error = refused(updated, ARBITRATION, before, block)
    assert error.where.endswith("policy /Channel/Application/Endorsement")
    assert error.reason == "this policy may not change"
