from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.log.service_db import ServiceDatabase
from tests.unit.auditor.evidence import kinds
from tests.unit.auditor.evidence.case import Case, make_case

if TYPE_CHECKING:
    from tests.unit.auditor.builder import Network


@pytest.fixture(scope="session")
def case(fabric: Network, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A closed meeting, a trust root and the package of one of its ballots."""
    database = ServiceDatabase.open(f"sqlite:///{tmp_path_factory.mktemp('evidence') / 'audit.db'}")
    try:
        return make_case(fabric, database)
    finally:
        database.close()


@pytest.fixture(scope="session")
def proxied(fabric: Network, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return kinds.proxied(fabric, tmp_path_factory.mktemp("proxied"))


@pytest.fixture(scope="session")
def amended(fabric: Network, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return kinds.amended(fabric, tmp_path_factory.mktemp("amended"))


@pytest.fixture(scope="session")
def disputed(fabric: Network, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return kinds.disputed(fabric, tmp_path_factory.mktemp("disputed"))


@pytest.fixture(scope="session")
def replaced(fabric: Network, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return kinds.replaced(fabric, tmp_path_factory.mktemp("replaced"))


@pytest.fixture(scope="session")
def reweighed(fabric: Network, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return kinds.reweighed(fabric, tmp_path_factory.mktemp("reweighed"))
