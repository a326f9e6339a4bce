"""docs/verification.md and the code name the same steps, and every step has a test in which it refuses."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import auditor

ROOT = Path(__file__).resolve().parents[3]
# What only Alembic can run, and what only the verifier's one file has libraries for; neither knows a step.
FOREIGN = (".migrations.env", "portable.curve", "portable.certificates", "portable.install")


def steps_in_code() -> dict[int, str]:
    found: dict[int, str] = {}
    for module in pkgutil.walk_packages(auditor.__path__, "auditor."):
        if module.name.endswith(FOREIGN):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if name.startswith("STEP_"):
                assert found.setdefault(value, name) == name
    return found


def test_the_document_has_every_step_and_no_other() -> None:
    text = (ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
    numbers = [int(one) for one in re.findall(r"^### Step (\d+)\. ", text, re.MULTILINE)]
    assert numbers == sorted(steps_in_code())
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_step_has_a_test_in_which_it_refuses() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    refused = {int(one) for one in re.findall(r"def test_step_(\d+)_", tests)}
    assert refused == set(steps_in_code())
