from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.errors import AuditUnavailable
from tests.unit.auditor.meeting_player import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.auditor.meeting_player import Player


class Peer:
    """A peer that holds what the player wrote, as long as it answers."""

    def __init__(self, player: Player) -> None:
        self.chains = {"identity": player.identity, CHANNEL: player.chain}
        self.down = False
        self.served: list[int] = []

    def height(self, channel: str) -> int:
        if self.down:
            raise AuditUnavailable("the auditor's own peer does not serve")
        return len(self.chains[channel].blocks)

    def blocks(self, channel: str, start: int, stop: int) -> Iterator[bytes]:
        self.served.extend(range(start, stop))
        yield from self.chains[channel].blocks[start:stop]
