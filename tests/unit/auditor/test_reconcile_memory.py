"""Reconciliation takes as much memory for many ballots as for few."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
SPARE = 12.0  # MiB: caches that fill up to their bound; rows kept in memory would take several times this


def measured(count: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.unit.auditor.reconcile_load", str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def test_memory_does_not_grow_with_the_rows() -> None:
    few, many = measured(8_000), measured(20_000)
    assert (few["rows"], many["rows"]) == (8_000, 20_000)
    assert (few["discrepancies"], many["discrepancies"]) == (0, 0)
    assert many["rss_mib"] - few["rss_mib"] < SPARE
