"""Throw mutated files at the readers of pictures and videos; anything but a named refusal is a defect.

    python tests/fuzz/fuzz_pictures.py --minutes 10

The seeds are generated patterns: no picture of a person is used or kept. A file that broke a reader is
written to the folder --keep, its name the hash of its content. With --corpus the smallest file that came to
each outcome is kept there, named after it; tests/unit/biometrics/test_corpus.py reads them all again.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from biometrics.capture import frames_of_video
from biometrics.errors import BiometricsError
from biometrics.pairs import read_pairs
from biometrics.picture import read_picture

_FRAMES = 4
_PAIRS = b"file_x,file_y,Decision\na,b,Yes\n"


def pictures() -> list[bytes]:
    """Return small pictures of noise and gradients in the modes that cameras and phones write."""
    y, x = np.mgrid[0:96, 0:128]
    pattern = np.stack([x * 2, y * 2, (x * y) % 256], axis=-1).astype(np.uint8)
    image = Image.fromarray(pattern)
    ways: tuple[dict[str, Any], ...] = ({"quality": 85}, {"quality": 60, "progressive": True})
    seeds = [_saved(image.convert(mode), "JPEG", way) for mode in ("RGB", "L", "CMYK") for way in ways]
    for mode in ("RGB", "RGBA", "L", "P", "LA", "1", "I;16"):
        converted = image.convert("L").convert("I;16") if mode == "I;16" else image.convert(mode)
        seeds.append(_saved(converted, "PNG", {}))
    return seeds


def _saved(image: Image.Image, kind: str, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def video(folder: Path) -> bytes:
    """Return a tiny video."""
    path = folder / "seed.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (128, 96))
    for index in range(_FRAMES):
        writer.write(np.full((96, 128, 3), 40 * index, dtype=np.uint8))
    writer.release()
    return path.read_bytes()


def mutated(data: bytes, source: random.Random) -> bytes:
    """Return the data with a few bytes, lengths or stretches changed."""
    changed = bytearray(data)
    for _ in range(source.randint(1, 8)):
        kind, at = source.randrange(5), source.randrange(max(len(changed), 1))
        if kind == 0 and changed:
            changed[at] = source.randrange(256)
        elif kind == 1:
            changed[at : at + 4] = source.choice((b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff"))
        elif kind == 2:
            del changed[at : at + source.randint(1, 64)]
        elif kind == 3:
            changed[at:at] = source.randbytes(source.randint(1, 64))
        else:
            changed = changed[: source.randrange(len(changed) + 1)]
    return bytes(changed)


def read(kind: str, data: bytes, path: Path) -> str:
    """Read data as what it pretends to be, through the file `path`; return the refusal, or `taken`."""
    try:
        if kind == "picture":
            read_picture(data)
        else:
            path.write_bytes(data)
            if kind == "video":
                list(frames_of_video(path))
            else:
                read_pairs(path, path.parent)
    except BiometricsError as error:
        return str(getattr(error, "reason", "refused"))
    return "taken"


def kept(corpus: Path, smallest: dict[str, bytes]) -> None:
    """Write the smallest file of each outcome."""
    corpus.mkdir(parents=True, exist_ok=True)
    for outcome, data in smallest.items():
        kind, _, name = outcome.partition(": ")
        (corpus / f"{name}.{kind}").write_bytes(data)


def main() -> int:
    """Run for the time given; exit 1 when a reader raised what it doesn't promise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("var/fuzz"))
    parser.add_argument("--corpus", type=Path)
    options = parser.parse_args()
    source = random.Random(options.seed)  # noqa: S311  repeatable, not secret
    outcomes: Counter[str] = Counter()
    smallest: dict[str, bytes] = {}
    broken = 0
    until = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case"
        seeds, film = pictures(), video(Path(folder))
        while time.monotonic() < until:
            kind = source.choice(("picture", "picture", "picture", "picture", "video", "pairs"))
            seed = {"picture": source.choice(seeds), "video": film, "pairs": _PAIRS}[kind]
            data = mutated(seed, source)
            try:
                outcome = f"{kind}: {read(kind, data, path)}"
                outcomes[outcome] += 1
                smallest[outcome] = min(smallest.get(outcome, data), data, key=len)
            except Exception as error:  # noqa: BLE001  this is what is looked for
                broken += 1
                options.keep.mkdir(parents=True, exist_ok=True)
                name = hashlib.sha256(data).hexdigest()[:16]
                (options.keep / f"{name}.{kind}").write_bytes(data)
                sys.stderr.write(f"{kind} {name}: {type(error).__name__}: {error}\n")
    if options.corpus is not None:
        kept(options.corpus, smallest)
    for name, count in sorted(outcomes.items()):
        sys.stdout.write(f"{count:>9,}  {name}\n")
    sys.stdout.write(f"{sum(outcomes.values()) + broken:,} cases, {broken} broken\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
