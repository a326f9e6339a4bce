"""Take a picture in: untrusted bytes become an immutable picture, or are refused by name.

The order matters: length, signature and the size in the header are judged before a decoder
allocates anything, so a file that unpacks to gigabytes costs nothing.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from biometrics.errors import BiometricsError, PictureRefused
from biometrics.reasons import Reason

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 25_000_000
MAX_SCANS = 20
"""Of a JPEG. Cameras write one, progressive pictures about ten; each makes the decoder go over all pixels
again, so a small file with thousands of them takes minutes."""
MIN_SIDE = 64  # pixels; below this no face is large enough for any policy

_JPEG = b"\xff\xd8\xff"
_START_OF_SCAN = b"\xff\xda"
SIGNATURES = (_JPEG, b"\x89PNG\r\n\x1a\n")
"""What the pictures that are taken begin with: JPEG, PNG."""

# Many phones write MPO, a JPEG with previews behind it; Pillow opens it as one, at its first picture.
_FORMATS = ("JPEG", "PNG")
_PLAIN = frozenset({"RGB", "L"})
_WITH_ALPHA = frozenset({"RGBA", "LA", "P", "PA"})
_OPAQUE = 255


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture: `pixels` is a read-only uint8 array of height x width x 3 (RGB), upright.

    `file_digest` is the SHA-256 of the bytes it came from, `pixel_digest` of shape and pixels. Both
    identify a face image, so they stay in memory and in encrypted evidence, never on a chain.
    """

    source: str
    pixels: NDArray[np.uint8] = field(repr=False)
    file_digest: bytes = field(repr=False)
    pixel_digest: bytes = field(repr=False)

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    def same_as(self, other: Picture) -> bool:
        """Whether both are the same file, or the same pixels in another wrapping."""
        return self.file_digest == other.file_digest or self.pixel_digest == other.pixel_digest


def read_picture(data: bytes, source: str = "picture", pixels_at_most: int = MAX_PIXELS) -> Picture:
    """Decode `data` into a picture.

    `source` names it in messages and is never opened. Raises PictureRefused with reason IMAGE_EMPTY,
    IMAGE_TOO_LARGE (over 20 MiB, over 25 megapixels or `pixels_at_most` by its header, or a JPEG of more
    than 20 scans), IMAGE_FORMAT (neither JPEG nor PNG), IMAGE_ANIMATED, IMAGE_TOO_SMALL, IMAGE_COLOUR (CMYK
    and other spaces whose conversion would guess, 16-bit samples, transparent parts) or IMAGE_UNREADABLE
    (damaged or cut short).
    """
    if not data:
        raise PictureRefused(Reason.IMAGE_EMPTY, source, "has no content")
    if len(data) > MAX_BYTES:
        detail = f"has {len(data):,} bytes, at most {MAX_BYTES:,} are taken"
        raise PictureRefused(Reason.IMAGE_TOO_LARGE, source, detail)
    if not data.startswith(SIGNATURES):
        raise PictureRefused(Reason.IMAGE_FORMAT, source, "is neither a JPEG nor a PNG picture")
    # In a JPEG's compressed data no marker can occur, so this counts scans, those of a thumbnail included.
    if data.startswith(_JPEG) and (scans := data.count(_START_OF_SCAN)) > MAX_SCANS:
        detail = f"is a JPEG of {scans:,} scans, at most {MAX_SCANS} are taken"
        raise PictureRefused(Reason.IMAGE_TOO_LARGE, source, detail)
    try:
        pixels = _decode(data, source, pixels_at_most)
    except PictureRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        detail = f"unpacks to more than {MAX_PIXELS:,} pixels"
        raise PictureRefused(Reason.IMAGE_TOO_LARGE, source, detail) from error
    except Exception as error:  # a hostile file may bring anything out of a decoder
        raise PictureRefused(Reason.IMAGE_UNREADABLE, source, "can't be decoded") from error
    return _picture(source, pixels, hashlib.sha256(data).digest())


def load_picture(path: Path) -> Picture:
    """Read the picture in a file; raises as `read_picture` does, BiometricsError if it can't be opened."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BiometricsError(f"{path}: the picture can't be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise PictureRefused(Reason.IMAGE_TOO_LARGE, str(path), f"has more than {MAX_BYTES:,} bytes")
    return read_picture(data, str(path))


def picture_of_pixels(pixels: NDArray[np.uint8], source: str = "frame") -> Picture:
    """Wrap a frame that is already decoded (height x width x 3, uint8, RGB); the pixels are copied."""
    if pixels.dtype != np.uint8 or np.ndim(pixels) != 3 or np.shape(pixels)[2] != 3:  # noqa: PLR2004
        raise PictureRefused(Reason.IMAGE_COLOUR, source, "is not an array of 8-bit RGB pixels")
    _check_size(int(pixels.shape[1]), int(pixels.shape[0]), source)
    copied = pixels.copy()
    return _picture(source, copied, hashlib.sha256(copied.tobytes()).digest())


def _picture(source: str, pixels: NDArray[np.uint8], file_digest: bytes) -> Picture:
    pixels.setflags(write=False)
    shape = f"{pixels.shape[0]}x{pixels.shape[1]}:".encode()
    return Picture(source, pixels, file_digest, hashlib.sha256(shape + pixels.tobytes()).digest())


def _check_size(width: int, height: int, source: str, pixels_at_most: int = MAX_PIXELS) -> None:
    if width * height > pixels_at_most:
        detail = f"is {width} x {height}, at most {pixels_at_most:,} pixels are taken"
        raise PictureRefused(Reason.IMAGE_TOO_LARGE, source, detail)
    if min(width, height) < MIN_SIDE:
        detail = f"is {width} x {height}, each side needs {MIN_SIDE} pixels"
        raise PictureRefused(Reason.IMAGE_TOO_SMALL, source, detail)


def _decode(data: bytes, source: str, pixels_at_most: int) -> NDArray[np.uint8]:
    with warnings.catch_warnings():
        # Pillow only warns about half of the bombs; and a file's other oddities are no user's concern.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_size(image.width, image.height, source, pixels_at_most)
            if image.format == "PNG" and getattr(image, "n_frames", 1) > 1:
                raise PictureRefused(Reason.IMAGE_ANIMATED, source, "is an animation")
            if image.mode not in _PLAIN | _WITH_ALPHA:
                raise PictureRefused(Reason.IMAGE_COLOUR, source, f"has colour mode {image.mode}")
            upright = ImageOps.exif_transpose(image)
            if upright.mode in _WITH_ALPHA:
                upright = upright.convert("RGBA")
                # What a person sees behind transparent parts is not what a machine would compare.
                if upright.getchannel("A").getextrema()[0] != _OPAQUE:
                    raise PictureRefused(Reason.IMAGE_COLOUR, source, "has transparent parts")
            return np.array(upright.convert("RGB"), dtype=np.uint8)
