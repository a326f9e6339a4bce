"""A receipt's short form, which fits a QR code; the service resolves it against what it verified."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import segno
from PIL import Image, UnidentifiedImageError

from auditor.portal.errors import PortalRefused
from client.encodings.ids import is_count, is_hash, is_hex_hash, is_meeting_id, is_name

_PREFIX: Final = "CONCORDAT1"
_PARTS: Final = (6, 7)
_MOST_CHARACTERS: Final = 400
_MOST_PIXELS: Final = 25_000_000
_MOST_SIDE: Final = 2000
_FORMATS: Final = ("PNG", "JPEG", "WEBP")


@dataclass(frozen=True, slots=True)
class ReceiptCode:
    """`CONCORDAT1:institution:meeting:digest:block:tx[:index]`; `index` is its leaf's in the log.

    `institution` is its name in its channel: `institutiona` of `arbitration-institutiona`.
    """

    institution: str
    mtg: str
    digest: str
    block: int
    tx: str
    index: int | None = None

    def __str__(self) -> str:
        """Return the text."""
        parts = [_PREFIX, self.institution, self.mtg, self.digest, str(self.block), self.tx]
        return ":".join([*parts, *([] if self.index is None else [str(self.index)])])

    def svg(self) -> str:
        """Return a QR code of the text as an SVG element, to stand within a page."""
        drawn: str = segno.make(str(self), error="m", micro=False).svg_inline(
            scale=4, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True
        )
        return drawn


def parse_code(text: str) -> ReceiptCode:
    """Return the code of a text; refuse with CODE_FORMAT."""
    parts = text.strip()[:_MOST_CHARACTERS].split(":")
    if len(parts) not in _PARTS or parts[0] != _PREFIX:
        raise PortalRefused("CODE_FORMAT")
    _, institution, mtg, digest, block, tx, *rest = parts
    numbers = [int(one) if one.isascii() and one.isdecimal() else -1 for one in (block, *rest)]
    well_formed = is_name(institution) and is_meeting_id(mtg) and is_hash(digest) and is_hex_hash(tx)
    if not well_formed or not all(map(is_count, numbers)):
        raise PortalRefused("CODE_FORMAT")
    return ReceiptCode(institution, mtg, digest, numbers[0], tx, numbers[1] if rest else None)


def is_code(text: str) -> bool:
    """Say whether a text calls itself a receipt's code."""
    return text.lstrip().startswith(f"{_PREFIX}:")


def read_picture(data: bytes) -> str:
    """Return the text of the QR code in a PNG, JPEG or WebP picture; refuse with PICTURE_UNREADABLE."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            width, height = picture.size
            if width * height > _MOST_PIXELS:
                raise PortalRefused("PICTURE_UNREADABLE")
            grey = picture.convert("L")
            grey.thumbnail((_MOST_SIDE, _MOST_SIDE))
            pixels = np.asarray(grey)
        text = _decoded(pixels)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError, cv2.error) as error:
        raise PortalRefused("PICTURE_UNREADABLE") from error
    if not text:
        raise PortalRefused("PICTURE_UNREADABLE")
    return text


def _decoded(pixels: np.typing.NDArray[np.uint8]) -> str:
    """Return the text of the QR code, "" for none.

    Of a hundred codes as `receipt code --qr` draws them, the older of OpenCV's two detectors misses up to
    five, of photographs more; the other one missed none of either.
    """
    for detector in (cv2.QRCodeDetectorAruco(), cv2.QRCodeDetector()):
        text, *_ = detector.detectAndDecode(pixels)
        if text:
            return str(text)
    return ""


def is_picture(data: bytes) -> bool:
    """Say whether bytes begin as a picture of a kind that is read."""
    return data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF"))
