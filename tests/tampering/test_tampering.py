"""Random tamperings: every one found, and named as the coverage map predicts.

`CONCORDAT_TAMPERINGS` says how many; `CONCORDAT_TAMPERING=SEED` repeats one.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from auditor.coverage_rows import COLUMNS
from tests.tampering.attacks import ATTACKS
from tests.tampering.case import drawing
from tests.tampering.harness import WEIGHTS
from tests.tampering.rows import altered

if TYPE_CHECKING:
    from tests.tampering.harness import Harness

TAMPERINGS = int(os.environ.get("CONCORDAT_TAMPERINGS", "400"))
ONE = os.environ.get("CONCORDAT_TAMPERING", "")
# A flipped bit makes a serial number negative, which the library reads and warns of.
pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")
SEEDS = [int(ONE)] if ONE else range(TAMPERINGS)


@pytest.mark.timeout(14400)
def test_every_tampering_is_found_and_named(harness: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    counted: Counter[str] = Counter()
    for seed in SEEDS:
        case = harness.case(seed)
        assert case.named, f"repeat with CONCORDAT_TAMPERING={seed}: {case}"
        counted[case.surface] += 1
    with capsys.disabled():
        sys.stdout.write(f"\ntamperings found: {json.dumps({'all': counted.total(), **counted})}\n")


@pytest.mark.parametrize("attack", range(len(ATTACKS)), ids=[one.__name__ for one in ATTACKS])
def test_every_attack_is_found_and_named(
    harness: Harness, attack: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.tampering.attacks.ATTACKS", (ATTACKS[attack],))
    for seed in range(3):
        case = harness.case(seed, "attacks")
        assert case.named, case


@pytest.mark.parametrize(
    "column", [one for one in COLUMNS if one.findings], ids=lambda one: f"{one.rows}-{one.name}"
)
def test_every_column_that_the_map_says_is_held(harness: Harness, column: object) -> None:
    for seed in range(3):
        case = altered(harness.platform, drawing(seed), column)  # type: ignore[arg-type]
        assert case.named, case


@pytest.mark.parametrize(
    "column", [one for one in COLUMNS if not one.findings], ids=lambda one: f"{one.rows}-{one.name}"
)
def test_a_column_that_nothing_holds_is_reported_unfound(harness: Harness, column: object) -> None:
    """The harness can fail: where the map says that nothing is compared, nothing is found."""
    case = altered(harness.platform, drawing(1), column)  # type: ignore[arg-type]
    assert (case.named, case.found) == (False, frozenset())


def test_a_byte_that_nothing_covers_is_reported_unfound(harness: Harness) -> None:
    """A commit hash or a validation code: the harness doesn't take its being there for its being found."""
    cases = [harness.blocks.flip(drawing(seed), covered=False) for seed in range(40)]
    assert not any(case.named for case in cases)
    assert any(not case.found for case in cases)


def test_the_lot_decides_everything(harness: Harness) -> None:
    for surface in WEIGHTS:
        assert harness.case(7, surface).what == harness.case(7, surface).what
