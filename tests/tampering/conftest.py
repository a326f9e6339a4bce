from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tampering.harness import Harness
from tests.unit.auditor.builder import Network

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def fabric() -> Network:
    return Network()


@pytest.fixture(scope="session")
def harness(fabric: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    one = Harness(fabric, tmp_path_factory.mktemp("tampering"))
    yield one
    one.close()
