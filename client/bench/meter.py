"""Memory and processor time of processes, from /proc. Linux only."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

_MIB: Final = 1024 * 1024
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_SAMPLE_SECONDS: Final = 0.25
_TENTH: Final = 10


class Meter:
    """Measures named processes while in the block, and samples the memory of one of them throughout.

    After it, `peaks` are peak RSS in MiB and `processor` seconds of processor time within the block, by
    name (a process that ended is left out); `samples` are (seconds since the beginning, MiB).
    """

    def __init__(self, processes: Mapping[str, int], sampled: str) -> None:
        self._processes = dict(processes)
        self._sampled = self._processes[sampled]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="meter", daemon=True)
        self._began = 0.0
        self._before: dict[str, float] = {}
        self.samples: list[tuple[float, float]] = []
        self.peaks: dict[str, float] = {}
        self.processor: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        for name, pid in self._processes.items():
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")  # peak RSS from now on
            seconds = processor_seconds(pid)
            if seconds is not None:
                self._before[name] = seconds
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()
        for name, before in self._before.items():
            seconds, peak = processor_seconds(self._processes[name]), peak_mib(self._processes[name])
            if seconds is not None and peak is not None:
                self.processor[name] = round(seconds - before, 2)
                self.peaks[name] = round(peak, 1)

    def flatness(self) -> dict[str, Any]:
        """Return the sampled process's mean MiB in the first and the last tenth of the time, and the peak."""
        values = [mib for _, mib in self.samples]
        if not values:
            return {"first_tenth": None, "last_tenth": None, "peak": None, "samples": 0}
        tenth = max(1, len(values) // _TENTH)
        return {
            "first_tenth": round(sum(values[:tenth]) / tenth, 1),
            "last_tenth": round(sum(values[-tenth:]) / tenth, 1),
            "peak": round(max(values), 1),
            "samples": len(values),
        }

    def _sample(self) -> None:
        while True:
            mib = resident_mib(self._sampled)
            if mib is not None:
                self.samples.append((time.monotonic() - self._began, mib))
            if self._stop.wait(_SAMPLE_SECONDS):
                return


def processor_seconds(pid: int) -> float | None:
    """Return the seconds that a process has run, in user and kernel mode, None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    after_name = fields.rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS  # utime and stime, fields 14 and 15


def peak_mib(pid: int) -> float | None:
    """Return a process's peak RSS in MiB, None when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None


def resident_mib(pid: int) -> float | None:
    """Return a process's RSS in MiB, None when it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return None
    return pages * _PAGE / _MIB
