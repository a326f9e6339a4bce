from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from network import ports
from network.errors import NetworkError, PortTaken

if TYPE_CHECKING:
    from network.topology import Topology


def test_no_port_is_given_out_twice(wider_table: Topology) -> None:
    found = ports.all_ports(wider_table, 17000)
    assert len(set(found)) == len(found)
    assert min(found) >= 17000
    assert max(found) < 17000 + 5 * 100


def test_an_organizations_ports_do_not_move_when_others_join(table: Topology, wider_table: Topology) -> None:
    for org in table.orgs:
        assert ports.ports_of(table, 17000, org) == ports.ports_of(wider_table, 17000, org)


def test_ports_are_those_in_the_documentation(table: Topology) -> None:
    regulator = ports.ports_of(table, 17000, table.org("regulator"))
    assert (regulator.orderer, regulator.peer, regulator.orderer_admin, regulator.ca) == (
        17250,
        17251,
        17253,
        17254,
    )


def test_a_free_base_has_every_port_free(table: Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    only = 24800  # somebody sits on one port of every other range
    monkeypatch.setattr(ports, "is_free", lambda port: only <= port < only + 400 or port % 400 != 151)
    assert ports.free_base(table) == only


def test_no_free_range_is_said(table: Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda _port: False)
    with pytest.raises(NetworkError, match="no range of free ports"):
        ports.free_base(table)


def test_a_taken_port_names_node_port_and_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda port: port != 17051)
    monkeypatch.setattr(ports, "holder", lambda _port: f"process {os.getpid()} (someone)")
    with pytest.raises(
        PortTaken, match=r"port 17051, which peer0\.x needs, is taken by process \d+ \(someone\)"
    ):
        ports.require_free("peer0.x", (17050, 17051))
