from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from biometrics.attacks.workers import Photos, read_targets
from biometrics.errors import BiometricsError

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "picture,reference,other\n"


def listed(folder: Path, rows: str) -> Path:
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(b"\xff\xd8\xff")
    file = folder / "targets.csv"
    file.write_text(rows, "utf-8")
    return file


def test_targets_are_files_below_the_root_or_the_sample_face(tmp_path: Path) -> None:
    file = listed(tmp_path, HEADER + "a.jpg,b.jpg,\nastronaut,,b.jpg\n")
    assert read_targets(file, tmp_path) == (
        Photos(tmp_path / "a.jpg", tmp_path / "b.jpg", None),
        Photos(None, None, tmp_path / "b.jpg"),
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (HEADER, "no target"),
        ("picture,other\na.jpg,\n", "no column reference"),
        (HEADER + "a.jpg,none.jpg,\n", "line 2: there is no file"),
        (HEADER + ",b.jpg,\n", "line 2: no picture"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(BiometricsError, match=said):
        read_targets(listed(tmp_path, rows), tmp_path)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(BiometricsError, match=r"none\.csv"):
        read_targets(tmp_path / "none.csv", tmp_path)
