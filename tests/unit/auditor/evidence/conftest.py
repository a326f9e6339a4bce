from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.log.service_db import ServiceDatabase
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
