"""What a relay tells whoever watches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Watch:
    """A watcher that looks away. Others override what they want to know; calls come from any thread."""

    def claimed(self, ballots: int, octets: int) -> None:
        """A batch of `ballots` was read from the outbox, `octets` bytes of entries."""

    def retried(self, reason: str) -> None:
        """A batch has to be tried again: `route`, `refused`, `verdicts`, `lost`, `conflict` or `invalid`."""

    def settled(self, seconds: float, verdicts: Mapping[str, int]) -> None:
        """A batch is settled, `seconds` after its ballots were read from the outbox.

        `verdicts` counts its ballots by `accepted`, `held`, or the code of a refused or pending one.
        """
