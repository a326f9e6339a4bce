from __future__ import annotations

import pytest

from tests.unit.auditor.builder import Chain, Network


@pytest.fixture(scope="session")
def fabric() -> Network:
    return Network()


@pytest.fixture
def chain(fabric: Network) -> Chain:
    return Chain(fabric, "arbitration-institutiona")
