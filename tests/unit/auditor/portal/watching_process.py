"""A watcher as a process of its own, over a load's blocks: says what its facts are of, until killed.

`python -m tests.unit.auditor.portal.watching_process FOLDER STATE`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.unit.auditor.portal.portal_load import Files, watcher_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.portal.watch import Watcher


class Telling(Files):
    """A peer that, whenever it is asked for blocks, says how far the watcher's facts are."""

    watcher: Watcher

    def blocks(self, channel: str, start: int, stop: int) -> Iterator[bytes]:
        sys.stdout.write(json.dumps(dict(self.watcher.facts.blocks)) + "\n")
        sys.stdout.flush()
        yield from super().blocks(channel, start, stop)


def main() -> None:
    """Refresh once, with a checkpoint after every slice."""
    folder, state = map(Path, sys.argv[1:])
    peer = Telling(folder / "blocks")
    peer.watcher = watcher_of(folder, state, source=peer, save=0)
    peer.watcher.refresh()


if __name__ == "__main__":
    main()
