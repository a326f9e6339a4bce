from __future__ import annotations

import pytest

from network import topology
from tests.unit.network import tables


@pytest.fixture
def table() -> topology.Topology:
    return topology.parse(tables.DEFAULT)


@pytest.fixture
def wider_table() -> topology.Topology:
    return topology.parse(tables.with_second_institution())
