"""Rolls at national scale: import from CSV and XLSX, root, proofs; each command in a process of its own."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from client.errors import UserError
from client.rolls import Roll, prove_from_file, read_roll
from client.rolls.entryline import SUB_END, SUB_START
from client.rolls.rollfile import parse_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.bench.progress import Progress

MEETING: Final = "bench-roll"
PROOFS: Final = 1_000
_KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """How many lenders have a row in the register (every tenth has a second), and the seed of their data."""

    rows: int = 390_000
    seed: int = 1


def bench_roll(settings: Settings, progress: Progress) -> dict[str, Any]:
    """Return the figures: seconds by the clock and of CPU, peak RSS in MiB, milliseconds of a proof.

    The register, the roll and its index are made in a temporary folder and deleted. Raises UserError when a
    command fails.
    """
    with TemporaryDirectory(prefix="concordat-bench-roll-") as folder, progress.stage("roll", 7) as step:
        home = Path(folder)
        figures: dict[str, Any] = {"lenders": settings.rows}
        # Nothing large is held here while commands run: on Linux a child's peak begins with its parent's.
        for name in ("csv", "xlsx"):
            register = home / f"register.{name}"
            lenders, seed = str(settings.rows), str(settings.seed)
            _command(home, "roll", "generate", "--lenders", lenders, "--seed", seed, "--out", str(register))
            step(1)
            figures[name] = {"bytes": register.stat().st_size, "import": _import(home, name)}
            step(1)
        roll_file = home / "csv.jsonl"
        with roll_file.open("rb") as file:
            source = parse_header(file.readline().rstrip(b"\n"), roll_file).provenance.source
            figures["rows"] = source.rows if source else 0
            sub = file.readline()[SUB_START:SUB_END].decode()
        figures["root_command"] = _command(home, "roll", "root", str(roll_file))
        step(1)
        figures["prove_command"] = _command(home, "roll", "prove", str(roll_file), "--sub", sub)
        step(1)
        figures |= _loaded(roll_file, settings.seed)
        step(1)
    return figures


def _import(home: Path, name: str) -> dict[str, Any]:
    register, roll_file = home / f"register.{name}", home / f"{name}.jsonl"
    return _command(
        home, "roll", "import", str(register), "--meeting", MEETING, "--out", str(roll_file), "--json"
    )


def _command(home: Path, *arguments: str) -> dict[str, Any]:
    """Run a command of ours as a user would, and return what it took, the interpreter's start included."""
    environment = os.environ | {"CONCORDAT_HOME": str(home)}
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "client.cli.main", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        said = process.stderr.read() if process.stderr else b""
        # wait4 and not wait: it tells what this one child used.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise UserError(
            f"`concordat {' '.join(arguments[:2])}` failed: {said.decode(errors='replace').strip()}"
        )
    return {
        "seconds": round(time.perf_counter() - begun, 2),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
        "rss_mib": round(usage.ru_maxrss / _KIB),
    }


def _loaded(path: Path, seed: int) -> dict[str, Any]:
    """Measure what is done on a roll in memory, and proofs from the file within one process."""
    read = read_roll(path)
    roll = Roll(read.mtg, read.snapshot, read.entries, read.provenance)  # nothing is computed yet
    begun, cpu = time.perf_counter(), time.process_time()
    root = roll.summary.root
    figures: dict[str, Any] = {
        "root_s": round(time.perf_counter() - begun, 2),
        "root_cpu_s": round(time.process_time() - cpu, 2),
    }
    if root != read.summary.root:
        raise UserError("the root came out differently the second time")
    chosen = random.Random(seed).choices([leaf.sub for leaf in roll.leaves], k=PROOFS)  # noqa: S311  a sample
    roll.prove(chosen[0])  # the table of places is part of loading
    figures["proof_ms"] = _milliseconds(chosen, lambda sub: roll.prove(sub).verify())
    figures["proof_from_file_ms"] = _milliseconds(chosen, lambda sub: prove_from_file(path, sub=sub))
    return figures | {"proofs": PROOFS}


def _milliseconds(subs: list[str], prove: Callable[[str], object]) -> dict[str, float]:
    took = []
    for sub in subs:
        begun = time.perf_counter()
        prove(sub)
        took.append((time.perf_counter() - begun) * 1000)
    cuts = statistics.quantiles(took, n=100)
    return {"p50": round(cuts[49], 3), "p95": round(cuts[94], 3), "max": round(max(took), 3)}


def as_text(figures: dict[str, Any]) -> str:
    """Return the figures for people."""
    lines = [f"{figures['lenders']:,} lenders in {figures['rows']:,} rows"]
    for name in ("csv", "xlsx"):
        took = figures[name]["import"]
        size = figures[name]["bytes"] / 1e6
        lines.append(f"import of {size:.0f} MB {name}: {json.dumps(took)}")
    lines += [
        f"root of a loaded roll: {figures['root_s']} s ({figures['root_cpu_s']} s of CPU)",
        f"a proof and its verification on a loaded roll, ms: {json.dumps(figures['proof_ms'])}",
        f"a proof from the file, ms: {json.dumps(figures['proof_from_file_ms'])}",
        f"roll root: {json.dumps(figures['root_command'])}",
        f"roll prove: {json.dumps(figures['prove_command'])}",
    ]
    return "\n".join(lines)
