from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.log.service_db import ServiceDatabase
from tests.unit.auditor.portal.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.auditor.builder import Network


@pytest.fixture
def database(tmp_path: Path) -> Iterator[ServiceDatabase]:
    opened = ServiceDatabase.open(f"sqlite:///{tmp_path / 'audit.db'}")
    yield opened
    opened.close()


@pytest.fixture
def site(fabric: Network, database: ServiceDatabase) -> Site:
    return Site(fabric, database, revote="last")
