"""Step 5: which updates of the configuration are taken over, and who has to sign them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from auditor import protobuf as pb
from auditor.configuration import parse_configuration
from auditor.errors import ConfigurationError
from auditor.ledger import Ledger
from tests.unit.auditor.builder import Chain, Network, Org
from tests.unit.auditor.config_builder import (
    config_envelope,
    reconfigure,
    update_of,
    updated,
)
from tests.unit.auditor.config_changes import (
    ANOTHER,
    INSTITUTION,
    add_member,
    anchor_peer,
    batch_size,
    change_consenters,
    change_msp,
    follow,
    invoke,
    pem,
    refused,
    revocation,
    signers,
)

if TYPE_CHECKING:
    from tests.unit.auditor.config_changes import Change


@pytest.mark.parametrize("place", ["consenter", "root"])
def test_step_5_a_certificate_of_no_known_version(chain: Chain, place: str) -> None:
    envelope = pb.common.Envelope.FromString(pb.common.Block.FromString(chain.blocks[0]).data.data[0])
    payload = pb.common.Payload.FromString(envelope.payload)
    config = pb.configtx.ConfigEnvelope.FromString(payload.data)
    orderer = config.config.channel_group.groups["Orderer"]
    if place == "consenter":
        value = orderer.values["Orderers"]
        orderers = pb.configuration.Orderers.FromString(value.value)
        orderers.consenter_mapping[0].identity = of_version_5(orderers.consenter_mapping[0].identity)
        value.value = orderers.SerializeToString()
    else:
        value = orderer.groups["RegulatorMSP"].values["MSP"]
        outer = pb.msp_config.MSPConfig.FromString(value.value)
        msp = pb.msp_config.FabricMSPConfig.FromString(outer.config)
        msp.root_certs[0] = of_version_5(msp.root_certs[0])
        outer.config = msp.SerializeToString()
        value.value = outer.SerializeToString()
    payload.data = config.SerializeToString()
    envelope.payload = payload.SerializeToString()
    with pytest.raises(ConfigurationError, match="malformed configuration") as error:
        parse_configuration(chain.channel, envelope.SerializeToString(), "block 0")
    assert error.value.step == 5


def of_version_5(certificate: bytes) -> bytes:
    der = x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)
    other = base64.encodebytes(der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020104"), 1))
    return b"-----BEGIN CERTIFICATE-----\n" + other + b"-----END CERTIFICATE-----\n"


# What is allowed


@pytest.mark.parametrize(
    "change",
    [
        batch_size,
        anchor_peer,
        add_member(Org("InstitutionBMSP")),
        add_member(Org("InstitutionBMSP"), lambda group: group.values.pop("AnchorPeers")),
        change_msp(INSTITUTION, lambda msp: msp.root_certs.append(pem(ANOTHER.root))),
        lambda root: setattr(
            root.groups["Orderer"].groups[INSTITUTION].values["Endpoints"],
            "value",
            pb.configuration.OrdererAddresses(addresses=["elsewhere:7050"]).SerializeToString(),
        ),
        lambda root: (
            root.groups["Application"].groups[INSTITUTION].values["MSP"].SetInParent()
        ),  # nothing but versions: the update below makes one
    ][:-1],
    ids=["batch size", "anchor peer", "member", "member without anchor", "root", "endpoint"],
)
def test_an_allowed_update_is_taken_over(chain: Chain, change: Change) -> None:
    reconfigure(chain, change, by=("RegulatorMSP", "AssociationMSP", INSTITUTION))
    chain.add(invoke(chain))
    ledger = follow(chain)
    assert ledger.configuration.sequence == 1
    reconfigure(
        chain, batch_size if change is not batch_size else anchor_peer, by=tuple(chain.network.admins)
    )
    assert follow(chain).configuration.sequence == 2


def test_an_organisation_and_the_regulator_change_what_is_its_own(chain: Chain) -> None:
    reconfigure(chain, anchor_peer, by=(INSTITUTION, "RegulatorMSP"))
    assert follow(chain).configuration.sequence == 1


def test_a_sparse_update_as_fabrics_tool_computes_it(chain: Chain) -> None:
    following = updated(chain.config, batch_size)
    update = pb.configtx.ConfigUpdate(channel_id=chain.channel)
    for one in (update.read_set, update.write_set):
        one.groups["Orderer"].SetInParent()
    update.write_set.groups["Orderer"].values["BatchSize"].CopyFrom(
        following.channel_group.groups["Orderer"].values["BatchSize"]
    )
    chain.add(config_envelope(chain, following, update, signers(chain)), config=True)
    assert follow(chain).configuration.sequence == 1


def test_a_revoked_member_signs_no_more(chain: Chain) -> None:
    org = chain.network.orgs[INSTITUTION]
    officer = chain.network.person(INSTITUTION, "officer")
    listed = revocation(org, officer.certificate)
    chain.add(chain.invoke(officer, "arbitration", [b"f"]))
    reconfigure(
        chain,
        change_msp(INSTITUTION, lambda msp: msp.revocation_list.append(listed)),
        by=(INSTITUTION, "RegulatorMSP"),
    )
    follow(chain)
    chain.add(chain.invoke(officer, "arbitration", [b"f"]))
    ledger = Ledger(chain.channel, chain.genesis)
    findings = [one.step for raw in chain.blocks for one in ledger.accept(raw).findings]
    assert findings == [7]


def test_a_revocation_list_of_somebody_else_revokes_nobody(chain: Chain) -> None:
    officer = chain.network.person(INSTITUTION, "officer")
    forged = revocation(Org(INSTITUTION), officer.certificate)
    reconfigure(
        chain,
        change_msp(INSTITUTION, lambda msp: msp.revocation_list.append(forged)),
        by=(INSTITUTION, "RegulatorMSP"),
    )
    chain.add(chain.invoke(officer, "arbitration", [b"f"]))
    follow(chain)


@pytest.fixture
def rotated(fabric: Network) -> tuple[Chain, Network]:
    """A chain whose first consenter has got another certificate, and the network that has its key."""
    after = Network.__new__(Network)
    after.__dict__.update(vars(fabric))
    name = next(iter(fabric.orgs))
    after.orderers = {**fabric.orderers, name: fabric.orgs[name].issue("orderer1", "orderer")}
    chain = Chain(fabric, "arbitration-institutiona")
    identity = after.orderers[name].pem
    reconfigure(chain, change_consenters(lambda found: setattr(found[0], "identity", identity)))
    return chain, after


def test_a_consenter_with_another_certificate_signs(rotated: tuple[Chain, Network]) -> None:
    chain, after = rotated
    chain.network = after
    chain.add(invoke(chain))
    assert follow(chain).height == 3


def test_a_consenters_former_certificate_no_longer_signs(rotated: tuple[Chain, Network]) -> None:
    chain, _ = rotated
    chain.add(invoke(chain))
    ledger = Ledger(chain.channel, chain.genesis)
    for raw in chain.blocks[:2]:
        ledger.accept(raw)
    with pytest.raises(Exception, match=r"step 4: .*too few distinct consenters"):
        ledger.accept(chain.blocks[2])


# What is not


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ((), "no administrator of the Regulator"),
        (("AssociationMSP", "ArbitrationMSP"), "no administrator of the Regulator"),
        ((INSTITUTION, "AssociationMSP"), "no administrator of the Regulator"),
        (("RegulatorMSP",), "not signed as it has to be"),
        (("RegulatorMSP", INSTITUTION), "not signed as it has to be"),
    ],
)
def test_step_5_too_few_signed(chain: Chain, by: tuple[str, ...], reason: str) -> None:
    reconfigure(chain, batch_size, by=by)
    assert reason in refused(chain).reason


def test_step_5_an_organisation_alone_changes_what_is_its_own(chain: Chain) -> None:
    """Fabric lets it; the Regulator has to know."""
    reconfigure(chain, anchor_peer, by=(INSTITUTION,))
    error = refused(chain)
    assert "no administrator of the Regulator" in error.reason
    assert (error.expected, error.found) == ("RegulatorMSP", [INSTITUTION])


def test_step_5_a_clerk_of_the_regulator_is_no_administrator(chain: Chain) -> None:
    following = updated(chain.config, batch_size)
    update = update_of(chain.config, following, chain.channel)
    by = [chain.network.person("RegulatorMSP", "officer"), *signers(chain, "AssociationMSP")]
    chain.add(config_envelope(chain, following, update, by), config=True)
    assert "no administrator" in refused(chain).reason


def test_step_5_a_signature_over_another_update(chain: Chain) -> None:
    following = updated(chain.config, batch_size)
    update = update_of(chain.config, following, chain.channel)
    raw = pb.common.Envelope.FromString(config_envelope(chain, following, update, signers(chain)))
    payload = pb.common.Payload.FromString(raw.payload)
    config = pb.configtx.ConfigEnvelope.FromString(payload.data)
    last = pb.common.Payload.FromString(config.last_update.payload)
    signed = pb.configtx.ConfigUpdateEnvelope.FromString(last.data)
    signed.config_update += update_of(chain.config, following, chain.channel).SerializeToString()
    last.data = signed.SerializeToString()
    config.last_update.payload = last.SerializeToString()
    payload.data = config.SerializeToString()
    chain.add(pb.common.Envelope(payload=payload.SerializeToString()).SerializeToString(), config=True)
    assert "no administrator" in refused(chain).reason
