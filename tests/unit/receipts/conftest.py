from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from client.platform import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(f"sqlite:///{tmp_path / 'platform.db'}")
    yield opened
    opened.close()
