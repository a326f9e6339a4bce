"""Where blocks come from: the auditor's own peer, which joined every channel from genesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from auditor import protobuf as pb
from auditor.errors import AuditUnavailable
from client.gateway import GatewayError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.gateway import Gateway


class BlockSource(Protocol):
    """Serialized blocks of channels, as one peer committed them."""

    def height(self, channel: str) -> int:
        """Return how many blocks the peer has of a channel."""
        ...

    def blocks(self, channel: str, start: int, stop: int) -> Iterator[bytes]:
        """Yield the blocks `start` to `stop - 1`, waiting for those that are not there yet."""
        ...


class OwnPeer:
    """A peer of the auditor's own organisation, over its gateway and deliver services."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def height(self, channel: str) -> int:
        """Ask the peer's ledger (system chaincode qscc) for its height."""
        own = [self._gateway.identity.msp_id]
        try:
            contract = self._gateway.network(channel).contract("qscc")
            answer = contract.evaluate("GetChainInfo", channel, endorsing_orgs=own)
            return int(pb.ledger.BlockchainInfo.FromString(answer).height)
        except pb.DecodeError as error:
            raise AuditUnavailable(f"the peer did not say the height of {channel}: {error}") from error
        except GatewayError as error:
            raise _silent(channel, error) from error

    def blocks(self, channel: str, start: int, stop: int) -> Iterator[bytes]:
        """Read whole blocks from the peer's deliver service, in order."""
        if start >= stop:
            return
        try:
            network = self._gateway.network(channel)
            with network.block_events(start_block=start, stop_block=stop - 1) as events:
                for block in events:
                    yield block.SerializeToString()
        except GatewayError as error:
            raise _silent(channel, error) from error


def _silent(channel: str, error: GatewayError) -> AuditUnavailable:
    return AuditUnavailable(
        f"the auditor's own peer does not serve {channel} ({' '.join(str(error).split())}); "
        "see `concordat network status`"
    )
