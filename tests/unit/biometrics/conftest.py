from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import skimage.data
from PIL import Image

from biometrics.matching import default_matcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometrics.matching import Matcher

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def astronaut() -> Image.Image:
    return Image.fromarray(skimage.data.astronaut())  # type: ignore[no-untyped-call]


@pytest.fixture(scope="session")
def matcher() -> Matcher:
    return default_matcher()


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    def encode(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    return encode


@pytest.fixture(scope="session")
def faces() -> Path:
    folder = Path(os.environ.get("CONCORDAT_FACES") or ROOT.parent / "shared" / "data" / "faces")
    if not (folder / "a1.jpg").is_file():
        pytest.skip(f"no face pictures in {folder}; name their folder in CONCORDAT_FACES")
    return folder
