from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from network import binaries
from network.errors import BuildError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "module"
    (folder / "cmd" / "hello").mkdir(parents=True)
    (folder / "go.mod").write_text("module example.org/hello\n\ngo 1.26\n", encoding="utf-8")
    (folder / "cmd" / "hello" / "main.go").write_text(
        'package main\n\nfunc main() { println("hello") }\n', encoding="utf-8"
    )
    return folder


@pytest.fixture
def build(module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> binaries._Build:
    monkeypatch.setenv("CONCORDAT_CACHE", str(tmp_path / "cache"))
    return binaries._Build("hello", "hello", module, "", ("./cmd/hello",), {"CGO_ENABLED": "0"})


def test_a_build_is_kept_and_found_again(build: binaries._Build, capsys: pytest.CaptureFixture[str]) -> None:
    folder = binaries._build(build)
    assert (folder / "hello").is_file()
    assert "building hello" in capsys.readouterr().err
    assert binaries._build(build) == folder
    assert capsys.readouterr().err == ""


def test_sources_decide_and_tests_do_not(build: binaries._Build, module: Path) -> None:
    key = build.key()
    (module / "cmd" / "hello" / "main_test.go").write_text("package main\n", encoding="utf-8")
    assert build.key() == key
    (module / "cmd" / "hello" / "more.go").write_text("package main\n", encoding="utf-8")
    assert build.key() != key


def test_a_failed_build_leaves_nothing_and_shows_the_compilers_words(
    build: binaries._Build, module: Path
) -> None:
    (module / "cmd" / "hello" / "main.go").write_text(
        "package main\n\nfunc main() { oops }\n", encoding="utf-8"
    )
    with pytest.raises(BuildError, match="failed") as caught:
        binaries._build(build)
    assert any("oops" in line for line in caught.value.log_lines)
    assert list(binaries.cache_folder().iterdir()) == []


def test_a_missing_compiler_is_named(build: binaries._Build, monkeypatch: pytest.MonkeyPatch) -> None:
    binaries.go_version.cache_clear()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(BuildError, match="no `go` is in PATH"):
        binaries._build(build)


def test_a_missing_checkout_is_named(tmp_path: Path) -> None:
    build = binaries._Build("hello", "hello", tmp_path, "", (), {})
    with pytest.raises(BuildError, match=r"has no go\.mod"):
        binaries._build(build)


def test_versions_are_those_of_the_modules() -> None:
    tools = (binaries.TOOLS / "fabric" / "go.mod").read_text(encoding="utf-8")
    assert "github.com/hyperledger/fabric v1.4.0-rc1.0.20250510200036-435a7f1a780a" in tools
    authority = (binaries.TOOLS / "fabric-ca" / "go.mod").read_text(encoding="utf-8")
    assert f"github.com/hyperledger/fabric-ca v{binaries.FABRIC_CA_VERSION}" in authority
