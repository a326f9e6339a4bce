"""Honest meetings in many variants: no false alarm. `CONCORDAT_VARIANTS` says how many."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.tampering.case import drawing
from tests.tampering.variants import findings_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.auditor.builder import Network

VARIANTS = int(os.environ.get("CONCORDAT_VARIANTS", "30"))
ONE = os.environ.get("CONCORDAT_VARIANT", "")
SEEDS = [int(ONE)] if ONE else range(VARIANTS)


@pytest.mark.timeout(14400)
def test_nothing_is_found_in_an_honest_meeting(
    fabric: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counted: Counter[str] = Counter()
    for seed in SEEDS:
        path = tmp_path / "platform.db"
        path.unlink(missing_ok=True)
        what, found = findings_in(fabric, drawing(seed), path)
        assert found == [], f"repeat with CONCORDAT_VARIANT={seed}: {what}"
        counted[what.split()[0].strip("_")] += 1
        counted["reconfigured"] += "reconfigured" in what
    with capsys.disabled():
        sys.stdout.write(f"\nclean variants: {json.dumps({'false alarms': 0, **counted})}\n")
