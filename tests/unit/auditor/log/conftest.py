from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.log.service_db import ServiceDatabase
from tests.unit.auditor.log.stage import LogStage

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
def stage(fabric: Network, database: ServiceDatabase) -> LogStage:
    """A meeting with two ballots on the chain, nothing logged yet."""
    return LogStage(fabric, database)
