"""docs/encodings.md and docs/rolls.md say what the code does with registers and rolls."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.rolls import (
    changes,
    claims,
    corrections,
    countersignature,
    package,
    person,
    rollfile,
    sheet,
    tables,
)

DOCS = Path(__file__).parents[3] / "docs"
ENCODINGS = (DOCS / "encodings.md").read_text("utf-8")
REGISTER = ENCODINGS.split("\n## 9. ", 1)[1].split("\n## 10. ", 1)[0]
ROLLS = (DOCS / "rolls.md").read_text("utf-8")


@pytest.mark.parametrize("text", [REGISTER, ROLLS])
def test_every_column_is_named(text: str) -> None:
    for name in (*claims.COLUMNS, *claims.OPTIONAL):
        assert name in text


def test_forms_and_limits_are_the_codes() -> None:
    for name in (*person.ID_TYPES, *changes.CORRECTABLE):
        assert f"`{name}`" in REGISTER
    assert f"at most {tables.EXACT_DIGITS} digits" in " ".join(REGISTER.split())
    assert f"{package.MAX_PART >> 30} GiB" in REGISTER
    assert f'"v":{rollfile.VERSION}, "kind":"{rollfile.KIND}"' in REGISTER
    assert countersignature.TYP in REGISTER
    for member in corrections._MEMBERS:
        assert f'"{member}"' in REGISTER
    assert ",".join(changes.COLUMNS) in ROLLS
    assert len(claims.COLUMNS) + len(claims.OPTIONAL) <= sheet.MAX_COLUMNS
