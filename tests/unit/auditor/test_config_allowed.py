"""Step 5: changes that are not on the list are refused, whoever signed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor import protobuf as pb
from tests.unit.auditor.builder import Chain, Org
from tests.unit.auditor.config_builder import (
    capabilities,
    member,
    modifiable,
    one_of,
    reconfigure,
    two_of,
    value,
)
from tests.unit.auditor.config_changes import (
    ANOTHER,
    APPLICATION,
    INSTITUTION,
    ORDERER,
    add_member,
    change_consenters,
    change_msp,
    endorsed_by_one,
    follow,
    pem,
    refused,
)

if TYPE_CHECKING:
    from tests.unit.auditor.config_changes import Change


def in_orderer(name: str, message: pb.Message) -> Change:
    return lambda root: root.groups["Orderer"].values[name].CopyFrom(value(message))


def first_two_swap(found: pb.Message) -> None:
    found[0].identity, found[1].identity = found[1].identity, found[0].identity
    found[0].msp_id, found[1].msp_id = found[1].msp_id, found[0].msp_id


def idemix(group: pb.Message) -> None:
    config = pb.msp_config.MSPConfig.FromString(group.values["MSP"].value)
    config.type = 1
    group.values["MSP"].value = config.SerializeToString()


def with_policy(name: str, policy: pb.Message) -> Change:
    return lambda group: group.policies[name].CopyFrom(modifiable(policy))


B = Org("InstitutionBMSP")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (endorsed_by_one, f"policy {APPLICATION}/Endorsement"),
        (
            lambda root: (
                root.groups["Application"]
                .policies["Admins"]
                .policy.CopyFrom(two_of(("RegulatorMSP", INSTITUTION), "ADMIN"))
            ),
            f"policy {APPLICATION}/Admins",
        ),
        (
            lambda root: (
                root.groups["Application"]
                .groups[INSTITUTION]
                .policies["Endorsement"]
                .policy.CopyFrom(one_of([(INSTITUTION, "CLIENT")]))
            ),
            f"policy {APPLICATION}/{INSTITUTION}/Endorsement",
        ),
        (
            lambda root: root.policies["More"].CopyFrom(modifiable(one_of([(INSTITUTION, "ADMIN")]))),
            "policy /Channel/More",
        ),
        (
            lambda root: setattr(root.groups["Orderer"].values["BatchSize"], "mod_policy", "Writers"),
            f"value {ORDERER}/BatchSize",
        ),
        (lambda root: setattr(root.groups["Application"], "mod_policy", "x"), f"group {APPLICATION}"),
        (
            lambda root: (
                root.groups["Application"].values["Capabilities"].CopyFrom(value(capabilities("V9")))
            ),
            f"value {APPLICATION}/Capabilities",
        ),
        (
            lambda root: (
                root.groups["Application"].values["ACLs"].CopyFrom(value(pb.peer_configuration.ACLs()))
            ),
            f"value {APPLICATION}/ACLs",
        ),
        (
            in_orderer("ConsensusType", pb.orderer_configuration.ConsensusType(type="etcdraft")),
            f"value {ORDERER}/ConsensusType",
        ),
        (
            in_orderer("ConsensusType", pb.orderer_configuration.ConsensusType(type="BFT", metadata=b"\1")),
            f"value {ORDERER}/ConsensusType",
        ),
        (
            lambda root: root.groups["Application"].groups.pop(INSTITUTION),
            f"group {APPLICATION}/{INSTITUTION}",
        ),
        (
            lambda root: root.groups["Application"].groups[INSTITUTION].values.pop("AnchorPeers"),
            f"value {APPLICATION}/{INSTITUTION}/AnchorPeers",
        ),
        (
            lambda root: root.groups["Orderer"].groups["InstitutionBMSP"].CopyFrom(member(B, ordering=True)),
            f"group {ORDERER}/InstitutionBMSP",
        ),
        (lambda root: root.groups["Consortiums"].CopyFrom(member(B)), "group /Channel/Consortiums"),
        # consenters
        (change_consenters(first_two_swap), f"value {ORDERER}/Orderers"),
        (
            change_consenters(lambda found: setattr(found[0], "msp_id", INSTITUTION)),
            f"value {ORDERER}/Orderers",
        ),
        (change_consenters(lambda found: found.pop()), f"value {ORDERER}/Orderers"),
        (
            change_consenters(lambda found: setattr(found[0], "host", "elsewhere"), policy=False),
            "",
        ),
        (
            lambda root: (
                root.groups["Orderer"]
                .policies["BlockValidation"]
                .policy.CopyFrom(one_of([(INSTITUTION, "ORDERER")]))
            ),
            f"policy {ORDERER}/BlockValidation",
        ),
        # certificates
        (
            change_msp(INSTITUTION, lambda msp: setattr(msp.fabric_node_ous, "enable", False)),
            f"value {APPLICATION}/{INSTITUTION}/MSP",
        ),
        (
            change_msp(INSTITUTION, lambda msp: msp.admins.append(b"x")),
            f"value {APPLICATION}/{INSTITUTION}/MSP",
        ),
        # members
        (
            add_member(B, with_policy("Endorsement", one_of([("InstitutionBMSP", "CLIENT")]))),
            f"policy {APPLICATION}/InstitutionBMSP/Endorsement",
        ),
        (
            add_member(B, with_policy("Admins", one_of([(INSTITUTION, "ADMIN")]))),
            f"policy {APPLICATION}/InstitutionBMSP/Admins",
        ),
        (
            add_member(B, with_policy("More", one_of([(INSTITUTION, "ADMIN")]))),
            f"policy {APPLICATION}/InstitutionBMSP/More",
        ),
        (
            add_member(B, lambda group: group.policies.pop("Admins")),
            f"policy {APPLICATION}/InstitutionBMSP/Admins",
        ),
        (
            add_member(B, with_policy("Admins", pb.policies.Policy(type=9))),
            f"policy {APPLICATION}/InstitutionBMSP/Admins",
        ),
        (
            add_member(B, lambda group: setattr(group.values["MSP"], "mod_policy", "Readers")),
            f"value {APPLICATION}/InstitutionBMSP/MSP",
        ),
        (
            add_member(B, lambda group: setattr(group, "mod_policy", "Readers")),
            f"group {APPLICATION}/InstitutionBMSP",
        ),
        (add_member(B, idemix), f"value {APPLICATION}/InstitutionBMSP/MSP"),
        (add_member(B, name="OtherMSP"), f"value {APPLICATION}/InstitutionBMSP/MSP"),
        (
            add_member(B, lambda group: group.groups["Inner"].CopyFrom(member(B))),
            f"group {APPLICATION}/InstitutionBMSP/Inner",
        ),
    ],
)
def test_step_5_a_change_that_is_not_on_the_list(chain: Chain, change: Change, place: str) -> None:
    reconfigure(chain, change, by=tuple(chain.network.admins))
    if not place:  # the consenters' addresses are in no policy
        assert follow(chain).configuration.sequence == 1
        return
    error = refused(chain)
    assert error.where == f"arbitration-institutiona block 1 {place}"
    assert error.expected != error.found


def test_step_5_a_quorum_of_former_consenters(chain: Chain) -> None:
    identity = chain.network.orgs["AssociationMSP"].issue("orderer1", "orderer").pem
    change = change_consenters(lambda found: setattr(found[0], "identity", identity), policy=False)
    reconfigure(chain, change)
    assert refused(chain).where.endswith(f"policy {ORDERER}/BlockValidation")


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (Org("AssociationMSP").issue("orderer0", "orderer").pem, "does not chain"),
        (None, "is no orderer of AssociationMSP"),
    ],
    ids=["of a stranger", "of a peer"],
)
def test_step_5_a_consenter_that_is_no_orderer_of_its_organisation(
    chain: Chain, identity: bytes | None, reason: str
) -> None:
    pem = identity or chain.network.orgs["AssociationMSP"].issue("peer1", "peer").pem
    reconfigure(chain, change_consenters(lambda found: setattr(found[0], "identity", pem)))
    assert reason in refused(chain).reason


def test_step_5_one_orderer_under_two_numbers(chain: Chain) -> None:
    change = change_consenters(lambda found: setattr(found[0], "identity", found[1].identity))
    reconfigure(chain, change)
    assert "missing or not distinct" in refused(chain).reason


def test_step_5_an_authority_of_two_organisations(chain: Chain) -> None:
    root = pem(chain.network.orgs["RegulatorMSP"].root)
    change = change_msp(INSTITUTION, lambda msp: msp.root_certs.append(root))
    reconfigure(chain, change, by=("RegulatorMSP", INSTITUTION))
    assert "a certificate authority of two organisations" in refused(chain).reason


def test_step_5_two_definitions_of_one_organisation(chain: Chain) -> None:
    root = pem(ANOTHER.root)
    change = change_msp(INSTITUTION, lambda msp: msp.root_certs.append(root), kinds=("Orderer",))
    reconfigure(chain, change, by=("RegulatorMSP", INSTITUTION))
    assert "two definitions" in refused(chain).reason
