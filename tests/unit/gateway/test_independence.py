"""Both clients are fit to be published by themselves: they import nothing else of the project."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OURS = {path.name for path in ROOT.iterdir() if path.is_dir() and any(path.glob("*.py"))}


def imported(source: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source} imports relatively"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("package", ["client.ca", "client.gateway"])
def test_a_client_imports_nothing_else_of_the_project(package: str) -> None:
    sources = list(Path(ROOT, *package.split(".")).rglob("*.py"))
    assert len(sources) > 5
    assert "client" in OURS
    for source in sources:
        ours = {name for name in imported(source) if name.split(".")[0] in OURS}
        strangers = {name for name in ours if name != package and not name.startswith(f"{package}.")}
        assert not strangers, f"{source.relative_to(ROOT)} imports {sorted(strangers)}"


def test_nothing_is_hidden_in_the_package_above_them() -> None:
    assert not imported(ROOT / "client" / "__init__.py")
