"""Memory of a process and all that descend from it, together. Linux only."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final, Self

from client.bench.meter import resident_mib

_SAMPLE_SECONDS: Final = 0.25


class Family:
    """Adds up resident memory while in the block; `peak_mib` is the highest sum, `most` how many there were.

    A page that several of them share counts for each.
    """

    def __init__(self, pid: int) -> None:
        self.peak_mib = 0.0
        self.most = 0
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="family", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            held = [mib for mib in map(resident_mib, family(self._pid)) if mib is not None]
            self.peak_mib = max(self.peak_mib, round(sum(held), 1))
            self.most = max(self.most, len(held))
            if self._stop.wait(_SAMPLE_SECONDS):
                return


def family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found = [pid]
    for one in found:
        try:
            tasks = list(Path(f"/proc/{one}/task").iterdir())
            children = " ".join((task / "children").read_text(encoding="ascii") for task in tasks)
        except OSError:
            continue
        found.extend(int(child) for child in children.split())
    return found
