from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from network.files import SECRET, write

if TYPE_CHECKING:
    from pathlib import Path


def test_a_secret_is_only_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key.pem"
    write(path, b"key", SECRET)
    assert path.read_bytes() == b"key"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write(path, "old")
    with pytest.raises(TypeError):
        write(path, object())  # type: ignore[arg-type]
    assert path.read_text(encoding="utf-8") == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
