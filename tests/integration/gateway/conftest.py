from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from client.connection import Profile
from tests.integration.gateway.deployment import Deployed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.gateway import Contract, Gateway
    from network.running import RunningNetwork

SOURCE = Path(__file__).parents[1] / "gatewaychaincode"


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests' chaincode, built."""
    target = tmp_path_factory.mktemp("gatewaychaincode") / SOURCE.name
    subprocess.run(
        ["go", "build", "-o", str(target), "."],
        cwd=SOURCE,
        env={**os.environ, "CGO_ENABLED": "0"},
        check=True,
    )
    return target


@pytest.fixture(scope="session")
def deployed(network: RunningNetwork, program: Path) -> Deployed:
    """The tests' chaincode on the channel that every organization is a member of."""
    network.deploy_chaincode(SOURCE.name, program, "identity")
    return Deployed(Profile.load(network.home), "identity", SOURCE.name)


@pytest.fixture(scope="module")
def gateway(deployed: Deployed) -> Iterator[Gateway]:
    """The Association's, through its own peer."""
    with deployed.profile.gateway("AssociationMSP", "officer") as opened:
        yield opened


@pytest.fixture(scope="module")
def contract(deployed: Deployed, gateway: Gateway) -> Contract:
    return deployed.contract(gateway)
