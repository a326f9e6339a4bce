from __future__ import annotations

import re
from typing import TYPE_CHECKING

from network import genesis, policies
from network.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from network.topology import Topology


def test_policies_are_those_of_the_design(table: Topology) -> None:
    governance = table.governance
    assert policies.endorsement(governance) == (
        "OutOf(2, 'AssociationMSP.peer', 'RegulatorMSP.peer', 'ArbitrationMSP.peer')"
    )
    assert policies.lifecycle_endorsement(governance) == (
        "AND('RegulatorMSP.peer', OR('AssociationMSP.peer', 'ArbitrationMSP.peer'))"
    )
    assert policies.administration(governance) == (
        "AND('RegulatorMSP.admin', OR('AssociationMSP.admin', 'ArbitrationMSP.admin'))"
    )


def test_a_second_institution_has_no_say(table: Topology, wider_table: Topology) -> None:
    for policy in (policies.endorsement, policies.lifecycle_endorsement, policies.administration):
        assert policy(table.governance) == policy(wider_table.governance)


def profile_of(topology: Topology, channel: str, root: Path) -> Any:
    made: Any = genesis.configuration(Layout(root), topology, 17000, topology.channel(channel))
    (found,) = made["Profiles"].values()
    return found


def test_configuration_never_counts_a_majority(wider_table: Topology, tmp_path: Path) -> None:
    for channel in wider_table.channels:
        assert not re.search("MAJORITY|ALL ", str(profile_of(wider_table, channel.name, tmp_path)))


def test_configuration_of_an_institutions_channel(wider_table: Topology, tmp_path: Path) -> None:
    profile = profile_of(wider_table, "arbitration-institutionb", tmp_path)
    members = ["AssociationMSP", "InstitutionBMSP", "RegulatorMSP", "ArbitrationMSP"]
    assert [org["ID"] for org in profile["Application"]["Organizations"]] == members
    assert [org["ID"] for org in profile["Orderer"]["Organizations"]] == members
    assert all(org["AnchorPeers"] for org in profile["Application"]["Organizations"])
    assert all(org["OrdererEndpoints"] for org in profile["Orderer"]["Organizations"])
    consenters = profile["Orderer"]["ConsenterMapping"]
    assert [c["ID"] for c in consenters] == [1, 2, 3, 4]
    assert [c["MSPID"] for c in consenters] == members
    assert {c["Host"] for c in consenters} == {"127.0.0.1"}
    assert profile["Orderer"]["OrdererType"] == "BFT"


def test_administration_holds_on_every_level(table: Topology, tmp_path: Path) -> None:
    profile = profile_of(table, "identity", tmp_path)
    expected = {"Type": "Signature", "Rule": policies.administration(table.governance)}
    for level in (profile, profile["Application"], profile["Orderer"]):
        assert level["Policies"]["Admins"] == expected


def test_only_ordering_organizations_let_orderers_write(table: Topology, tmp_path: Path) -> None:
    profile = profile_of(table, "identity", tmp_path)
    for org in profile["Application"]["Organizations"]:
        assert "orderer" not in org["Policies"]["Writers"]["Rule"]
    for org in profile["Orderer"]["Organizations"]:
        assert f"'{org['ID']}.orderer'" in org["Policies"]["Writers"]["Rule"]


def test_a_leader_is_replaced_within_seconds() -> None:
    options = genesis.SMART_BFT
    for name in ("LeaderHeartbeatTimeout", "RequestComplainTimeout", "RequestForwardTimeout"):
        assert float(str(options[name]).removesuffix("s")) <= 5
    assert float(str(options["ViewChangeTimeout"]).removesuffix("s")) <= 10
