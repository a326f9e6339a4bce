"""The guides of both clients name what exists, and all that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import client.ca
import client.gateway

DOCS = Path(__file__).parents[3] / "docs"
GUIDES = {"gateway.md": client.gateway, "ca.md": client.ca}


@pytest.mark.parametrize("guide", GUIDES)
def test_examples_are_python_and_import_what_exists(guide: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / guide).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    imported = 0
    for block in blocks:
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module == GUIDES[guide].__name__:
                assert {alias.name for alias in node.names} <= set(GUIDES[guide].__all__)
                imported += 1
    assert imported


@pytest.mark.parametrize("guide", GUIDES)
def test_every_public_name_is_in_its_guide(guide: str) -> None:
    text = (DOCS / guide).read_text(encoding="utf-8")
    missing = [name for name in GUIDES[guide].__all__ if not re.search(rf"\b{name}\b", text)]
    assert not missing


@pytest.mark.parametrize(
    ("guide", "variable", "kind"),
    [
        ("gateway.md", "gateway", client.gateway.Gateway),
        ("gateway.md", "network", client.gateway.Network),
        ("gateway.md", "contract", client.gateway.Contract),
        ("gateway.md", "proposal", client.gateway.Proposal),
        ("gateway.md", "transaction", client.gateway.Transaction),
        ("gateway.md", "commit", client.gateway.Commit),
        ("gateway.md", "checkpointer", client.gateway.Checkpointer),
        ("ca.md", "ca", client.ca.CAClient),
        ("ca.md", "registrar", client.ca.Registrar),
    ],
)
def test_methods_in_the_guides_exist(guide: str, variable: str, kind: type) -> None:
    text = (DOCS / guide).read_text(encoding="utf-8")
    used = set(re.findall(rf"\b(?<![.\w]){variable}\.([a-z_]+)\b(?!\.)", text)) - {"md", "json"}  # files
    assert used
    missing = {name for name in used if not hasattr(kind, name)}
    assert not missing
