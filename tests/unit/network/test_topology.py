from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from network import topology
from network.errors import TopologyError
from tests.unit.network import tables

if TYPE_CHECKING:
    from pathlib import Path


def test_default_table_is_the_network_of_the_design(table: topology.Topology) -> None:
    assert [org.msp for org in table.orgs] == [
        "AssociationMSP",
        "InstitutionAMSP",
        "RegulatorMSP",
        "ArbitrationMSP",
    ]
    assert [channel.name for channel in table.channels] == ["identity", "arbitration-institutiona"]
    for channel in table.channels:
        assert len(channel.consenters) == 4
        assert len({org.name for org in channel.consenters}) == 4
        assert "institutiona" not in [org.name for org in table.endorsers_of(channel)]


def test_only_institutions_have_a_lender_ca(table: topology.Topology) -> None:
    assert [org.name for org in table.orgs if org.lender_ca] == ["institutiona"]


def test_institution_channels_are_named_after_the_institutions_msp(table: topology.Topology) -> None:
    for channel in table.channels:
        if channel.institution is not None:
            assert channel.name == "arbitration-" + channel.institution.msp.removesuffix("MSP").lower()


def test_a_second_institution_is_only_data(wider_table: topology.Topology) -> None:
    second = wider_table.org("InstitutionBMSP")
    assert [c.name for c in wider_table.channels_of(second)] == ["identity", "arbitration-institutionb"]
    assert [c.name for c in wider_table.channels_ordered_by(second)] == ["arbitration-institutionb"]
    assert wider_table.chaincodes_of(second) == ()
    # No institution is on another's channel, neither as a peer nor as an orderer.
    other = wider_table.channel("arbitration-institutiona")
    assert second not in other.members
    assert second not in other.consenters


def test_endorsers_run_every_chaincode(table: topology.Topology) -> None:
    assert table.chaincodes_of(table.org("regulator")) == ("identity", "arbitration")
    assert table.chaincodes_of(table.org("institutiona")) == ()


def test_unknown_names_are_refused_with_what_there_is(table: topology.Topology) -> None:
    with pytest.raises(TopologyError, match="no organization is called 'nobody'; there are association, "):
        table.org("nobody")
    with pytest.raises(TopologyError, match="no channel is called 'other'"):
        table.channel("other")


REGULATOR = 'administrator = "regulator"'
CONSENTERS = 'consenters = ["association", "institutiona", "regulator", "arbitration"]'
MEMBERS = 'members = ["association", "institutiona", "regulator", "arbitration"]'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version = 1", "version = 2", "version"),
        ("version = 1\n", "", "has no 'version'"),
        ("version = 1", "version = true", "version must be a whole number"),
        ("version = 1", "version = 1\nsurprise = 3", "'surprise' is not understood"),
        ("version = 1", "version = = 1", "not TOML"),
        ("port_base = 17000", "port_base = 80", "port_base must be a whole number from 1024"),
        ("port_base = 17000", 'port_base = "17000"', "port_base must be a whole number"),
        ("port_stride = 100", "port_stride = 10", "port_stride"),
        ('msp = "RegulatorMSP"', 'msp = "AssociationMSP"', "'AssociationMSP' appears twice"),
        ('name = "regulator"', 'name = "association"', "'association' appears twice"),
        ("slot = 2", "slot = 1", "slot: 1 appears twice"),
        ('name = "regulator"', 'name = "../regulator"', "must match"),
        ('msp = "RegulatorMSP"', "msp = \"Regulator', 'MSP\"", "must match"),
        ('roles = ["officer", "relay", "auditor"]', 'roles = ["admin"]', "cannot be a role"),
        ('roles = ["officer", "relay", "auditor"]', 'roles = "officer"', "roles must be a list"),
        ("lender_ca = true", 'lender_ca = "yes"', "lender_ca must be true or false"),
        (REGULATOR, 'administrator = "nobody"', "no organization is called 'nobody'"),
        (REGULATOR, 'administrator = "association"', "cannot also confirm itself"),
        ("endorsements = 2", "endorsements = 4", "endorsements must be a whole number from 1 to 3"),
        ("endorsements = 2", "endorsements = 0", "endorsements must be a whole number"),
        ('endorsers = ["association", "regulator", "arbitration"]', "endorsers = []", "nobody is named"),
        (CONSENTERS, 'consenters = ["association", "regulator", "arbitration"]', "BFT needs 4"),
        (MEMBERS, 'members = ["association", "institutiona", "regulator"]', "lacks its endorser arbitration"),
        ('chaincode = "arbitration"', 'chaincode = "other"', "names chaincode 'other', which is not listed"),
        ('institution = "institutiona"', 'institution = "nobody"', "no organization is called 'nobody'"),
        ('name = "arbitration-institutiona"', 'name = "identity"', "'identity' appears twice"),
    ],
)
def test_contradictions_are_refused(old: str, new: str, message: str) -> None:
    assert old in tables.DEFAULT
    with pytest.raises(TopologyError, match=message):
        topology.parse(tables.DEFAULT.replace(old, new))


@pytest.mark.parametrize(
    "text", ["", "version = 1", "version = 1\nport_base=17000\nport_stride=100\norgs = 3"]
)
def test_half_a_table_is_refused(text: str) -> None:
    with pytest.raises(TopologyError):
        topology.parse(text)


def test_a_missing_or_bad_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(TopologyError, match=f"cannot read the network table {missing}"):
        topology.load(missing)
    bad = tmp_path / "bad.toml"
    bad.write_text("version = 9", encoding="utf-8")
    with pytest.raises(TopologyError, match=f"{bad}: .*version"):
        topology.load(bad)


def test_slots_beyond_the_last_port_are_refused(table: topology.Topology) -> None:
    topology.require_room(table, 65100)
    with pytest.raises(TopologyError, match="port base 65200"):
        topology.require_room(table, 65200)
