"""A channel of the Fabric network, as seen through a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from client.gateway.block_events import BlockKind, build_block_events_request
from client.gateway.chaincode_events import build_chaincode_events_request
from client.gateway.contract import Contract

if TYPE_CHECKING:
    from client.gateway.block_events import BlockEventsRequest
    from client.gateway.chaincode_events import ChaincodeEvent, ChaincodeEventsRequest
    from client.gateway.checkpoint import Checkpoint
    from client.gateway.session import Session
    from client.gateway.stream import EventStream


class Network:
    """One channel. Made by `Gateway.network`; thread-safe.

    Streams start at the checkpoint if it has a position, else at `start_block`, else at the next
    commit; a stream of blocks may also end, after `stop_block`.
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.name = name

    def contract(self, chaincode: str, contract_name: str | None = None) -> Contract:
        """Return a contract of a chaincode; `contract_name` where the chaincode holds several."""
        return Contract(self._session, self.name, chaincode, contract_name)

    def chaincode_events(
        self, chaincode: str, *, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> EventStream[ChaincodeEvent]:
        """Open a stream of a chaincode's events; within a block it goes on after the checkpoint."""
        return self.new_chaincode_events_request(
            chaincode, start_block=start_block, checkpoint=checkpoint
        ).events()

    def block_events(
        self,
        *,
        start_block: int | None = None,
        stop_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> EventStream[Any]:
        """Open a stream of whole blocks (`common.Block`)."""
        return self.new_block_events_request(
            BlockKind.WHOLE, start_block=start_block, stop_block=stop_block, checkpoint=checkpoint
        ).events()

    def filtered_block_events(
        self,
        *,
        start_block: int | None = None,
        stop_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> EventStream[Any]:
        """Open a stream of filtered blocks (`protos.FilteredBlock`): ids and validation codes only."""
        return self.new_block_events_request(
            BlockKind.FILTERED, start_block=start_block, stop_block=stop_block, checkpoint=checkpoint
        ).events()

    def block_and_private_data_events(
        self,
        *,
        start_block: int | None = None,
        stop_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> EventStream[Any]:
        """Open a stream of `protos.BlockAndPrivateData`: only private data that the caller may see."""
        return self.new_block_events_request(
            BlockKind.WITH_PRIVATE_DATA,
            start_block=start_block,
            stop_block=stop_block,
            checkpoint=checkpoint,
        ).events()

    def new_chaincode_events_request(
        self, chaincode: str, *, start_block: int | None = None, checkpoint: Checkpoint | None = None
    ) -> ChaincodeEventsRequest:
        """Return a request for chaincode events, to be signed offline."""
        return build_chaincode_events_request(self._session, self.name, chaincode, start_block, checkpoint)

    def new_block_events_request(
        self,
        kind: BlockKind = BlockKind.WHOLE,
        *,
        start_block: int | None = None,
        stop_block: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> BlockEventsRequest:
        """Return a request for blocks of a kind, to be signed offline."""
        return build_block_events_request(
            self._session,
            kind,
            self.name,
            start_block=start_block,
            stop_block=stop_block,
            checkpoint=checkpoint,
        )
