"""docs/evidence.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from auditor.evidence.container import MAX_BYTES, MAX_FILES, NAME
from auditor.evidence.errors import REFUSALS
from auditor.evidence.manifest import TYP

TEXT = (Path(__file__).parents[4] / "docs" / "evidence.md").read_text("utf-8")


def test_every_refusal_is_listed_with_its_sentence() -> None:
    assert dict(re.findall(r"^\| `(EVIDENCE_\w+)` \| (.+) \|$", TEXT, re.MULTILINE)) == REFUSALS


def test_the_forms_are_the_codes_own() -> None:
    assert f'"typ":"{TYP}"' in TEXT
    assert NAME.pattern.replace("(?:", "(") in TEXT
    assert f"{MAX_FILES:,} files and {MAX_BYTES >> 20} MiB" in TEXT
