"""Another institution is only data: an organization and a channel more in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from client.gateway import GatewayError
from network.ports import free_base
from network.topology import load
from tests.integration.conftest import LiveNetwork
from tests.unit.network.tables import with_second_institution

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.network


@pytest.fixture
def wider(tmp_path: Path) -> Iterator[LiveNetwork]:
    table = tmp_path / "table.toml"
    table.write_text(with_second_institution(), encoding="utf-8")
    running = LiveNetwork(tmp_path / "home")
    try:
        running.up(table=table, base=free_base(load(table)))
        yield running
    finally:
        running.down(purge=True)


def test_two_institutions_have_a_channel_each(wider: LiveNetwork) -> None:
    profile = wider.profile
    assert wider.status().healthy
    first = profile.arbitration_channel("InstitutionAMSP")
    second = profile.arbitration_channel("InstitutionBMSP")
    assert first.genesis != second.genesis
    assert "InstitutionBMSP" in profile.channel("identity").orgs
    assert "lender" in profile.org("InstitutionBMSP").roots
    with profile.gateway("InstitutionBMSP", "officer") as gateway:
        assert gateway.network(second.name).contract("arbitration").evaluate("ListMeetings") == b"[]"
        # Its peer is not on the other institution's channel, and other peers don't answer it there.
        with pytest.raises(GatewayError):
            gateway.network(first.name).contract("arbitration").evaluate("ListMeetings")
    with (
        profile.gateway("InstitutionBMSP", "officer", via="RegulatorMSP") as gateway,
        pytest.raises(GatewayError),
    ):
        gateway.network(first.name).contract("arbitration").evaluate("ListMeetings")
