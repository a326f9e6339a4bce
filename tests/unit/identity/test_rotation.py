from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from client.identity.rotation import Rotating

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_made_of_files_follows_them_and_survives_a_half_done_change(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert", tmp_path / "key"
    cert.write_text("1")
    key.write_text("1")
    built: list[str] = []

    def build() -> str:
        if cert.read_text() != key.read_text():
            raise ValueError("they don't fit together")
        built.append(cert.read_text())
        return built[-1]

    rotating = Rotating([cert, key], build)
    assert [rotating.current(), rotating.current()] == ["1", "1"]
    cert.write_text("2")
    assert rotating.current() == "1"
    key.write_text("2")
    assert rotating.current() == "2"
    assert built == ["1", "2"]


def test_without_anything_that_was_built_before_the_error_is_told(tmp_path: Path) -> None:
    def build() -> str:
        raise FileNotFoundError("no certificate")

    with pytest.raises(FileNotFoundError):
        Rotating([tmp_path / "cert"], build).current()
