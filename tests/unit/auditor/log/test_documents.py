"""docs/transparency.md has every refusal and every kind of contradiction, with the code's own sentences."""

from __future__ import annotations

import re
from pathlib import Path

from auditor.log import contradiction
from auditor.log.errors import REFUSALS

TEXT = (Path(__file__).parents[4] / "docs" / "transparency.md").read_text("utf-8")


def test_the_refusals_are_the_codes_own() -> None:
    rows = re.findall(r"^\| `([A-Z]+_[A-Z_]+)` \| (.+) \|$", TEXT, re.MULTILINE)
    assert dict(rows) == dict(REFUSALS)
    assert len(rows) == len(REFUSALS)


def test_every_refusal_has_a_test() -> None:
    folders = (Path(__file__).parent, Path(__file__).parents[3] / "property")
    tests = "".join(path.read_text("utf-8") for folder in folders for path in folder.glob("test_*.py"))
    assert [code for code in REFUSALS if f'"{code}"' not in tests] == []


def test_the_contradictions_are_the_codes_own() -> None:
    kinds = {
        value for name, value in vars(contradiction).items() if name.isupper() and isinstance(value, str)
    }
    section = TEXT.split("## 7. Contradictions", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)) == kinds
