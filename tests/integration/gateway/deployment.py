"""Where the tests' chaincode is, and who endorses it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from client.connection import Profile
    from client.gateway import Contract, Gateway, Network

ENDORSERS: Final = ("AssociationMSP", "RegulatorMSP", "ArbitrationMSP")
"""Any two of these make an endorsement; the institution's peer doesn't even have the chaincode."""


@dataclass(frozen=True)
class Deployed:
    """The chaincode of `gatewaychaincode/` on a channel of a running network."""

    profile: Profile
    channel: str
    chaincode: str

    def network(self, gateway: Gateway) -> Network:
        return gateway.network(self.channel)

    def contract(self, gateway: Gateway) -> Contract:
        return self.network(gateway).contract(self.chaincode)


def fresh(prefix: str) -> str:
    """A key or event name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex}"
