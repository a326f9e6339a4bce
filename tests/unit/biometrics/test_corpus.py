"""What ten minutes of fuzzing kept: each file comes to the outcome that it is named after, every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fuzz.fuzz_pictures import read
from tests.unit.biometrics.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CORPUS = sorted((ROOT / "tests" / "fuzz" / "corpus").iterdir())


def test_the_corpus_has_a_file_for_every_refusal_of_a_picture() -> None:
    names = {file.name for file in CORPUS}
    assert {
        "taken.picture",
        "IMAGE_EMPTY.picture",
        "IMAGE_FORMAT.picture",
        "IMAGE_TOO_LARGE.picture",
        "IMAGE_UNREADABLE.picture",
        "VIDEO_UNREADABLE.video",
    } <= names


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: str(file.name))
def test_each_file_comes_to_its_outcome_again(file: Path, tmp_path: Path) -> None:
    name, _, kind = file.name.partition(".")
    assert read(kind, file.read_bytes(), tmp_path / "case") == name
