from __future__ import annotations

import contextlib
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from biometrics.errors import BiometricsError, PictureRefused
from biometrics.picture import MAX_BYTES, MAX_SCANS, load_picture, picture_of_pixels, read_picture
from biometrics.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from biometrics.matching import Matcher


def reason_of(data: bytes) -> Reason:
    with pytest.raises(PictureRefused) as caught:
        read_picture(data, "upload")
    assert str(caught.value).startswith("upload: ")
    assert "\n" not in str(caught.value)
    return caught.value.reason


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def test_a_picture_is_rgb_upright_and_read_only(astronaut: Image.Image, encode: Callable[..., bytes]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter, as phones store portraits
    wide = astronaut.crop((0, 0, 400, 200))
    picture = read_picture(encode(wide, exif=exif))
    assert (picture.width, picture.height) == (200, 400)
    assert picture.pixels.dtype == np.uint8
    with pytest.raises(ValueError, match="read-only"):
        picture.pixels[0, 0, 0] = 1


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA"])
def test_plain_modes_are_converted(astronaut: Image.Image, encode: Callable[..., bytes], mode: str) -> None:
    source = astronaut.convert("L").convert(mode) if mode == "LA" else astronaut.convert(mode)
    assert read_picture(encode(source, "PNG")).pixels.shape == (512, 512, 3)


def test_the_first_picture_of_a_phones_multi_picture_file_counts(
    astronaut: Image.Image, encode: Callable[..., bytes]
) -> None:
    data = encode(astronaut, "MPO", save_all=True, append_images=[astronaut.resize((64, 64))])
    assert read_picture(data).width == 512


def test_bad_files_are_refused_by_name(astronaut: Image.Image, encode: Callable[..., bytes]) -> None:
    good = encode(astronaut)
    assert reason_of(b"") is Reason.IMAGE_EMPTY
    assert reason_of(b"not a picture at all") is Reason.IMAGE_FORMAT
    assert reason_of(encode(astronaut, "GIF")) is Reason.IMAGE_FORMAT
    assert reason_of(encode(astronaut, "WEBP")) is Reason.IMAGE_FORMAT
    assert reason_of(good[: len(good) // 2]) is Reason.IMAGE_UNREADABLE
    assert reason_of(good[:20]) is Reason.IMAGE_UNREADABLE
    assert reason_of(encode(astronaut.convert("CMYK"))) is Reason.IMAGE_COLOUR
    assert reason_of(encode(astronaut.resize((63, 200)))) is Reason.IMAGE_TOO_SMALL
    assert reason_of(b"\xff\xd8\xff" + bytes(MAX_BYTES)) is Reason.IMAGE_TOO_LARGE


def test_an_animation_is_refused(astronaut: Image.Image, encode: Callable[..., bytes]) -> None:
    other = astronaut.rotate(10)
    assert reason_of(encode(astronaut, "PNG", save_all=True, append_images=[other])) is Reason.IMAGE_ANIMATED


def test_transparent_parts_are_refused(astronaut: Image.Image, encode: Callable[..., bytes]) -> None:
    clear = astronaut.convert("RGBA")
    clear.putpixel((3, 3), (0, 0, 0, 0))
    assert reason_of(encode(clear, "PNG")) is Reason.IMAGE_COLOUR


def test_sixteen_bit_samples_are_refused(encode: Callable[..., bytes]) -> None:
    deep = Image.fromarray(np.zeros((80, 80), dtype=np.uint16))
    assert reason_of(encode(deep, "PNG")) is Reason.IMAGE_COLOUR


@pytest.mark.parametrize("side", [5001, 10_000, 12_000, 60_000])
def test_size_is_judged_by_the_header_before_anything_is_unpacked(side: int) -> None:
    # No pixel data at all: whoever starts to decode this reports a damaged file instead.
    assert reason_of(png(side, side)) is Reason.IMAGE_TOO_LARGE


def test_a_file_that_unpacks_to_gigabytes_is_refused() -> None:
    bomb = chunk(b"IDAT", zlib.compress(bytes(30_000_000), 9))
    data = png(40_000, 40_000, bomb)
    assert len(data) < 40_000
    assert reason_of(data) is Reason.IMAGE_TOO_LARGE


def test_a_text_chunk_that_unpacks_to_megabytes_is_refused() -> None:
    text = chunk(b"zTXt", b"k\x00\x00" + zlib.compress(bytes(80_000_000), 9))
    rows = chunk(b"IDAT", zlib.compress((b"\x00" + bytes(300)) * 100))
    assert read_picture(png(100, 100, rows)).width == 100
    assert reason_of(png(100, 100, text, rows)) is Reason.IMAGE_UNREADABLE


def test_25_megapixels_are_taken(encode: Callable[..., bytes]) -> None:
    data = encode(Image.new("L", (5000, 5000)), "PNG", compress_level=1)
    assert read_picture(data).width == 5000


def test_the_same_picture_is_known_in_another_wrapping(
    astronaut: Image.Image, encode: Callable[..., bytes]
) -> None:
    first = read_picture(encode(astronaut, "PNG", compress_level=1))
    second = read_picture(encode(astronaut, "PNG", compress_level=9))
    assert first.file_digest != second.file_digest
    assert first.same_as(second)
    assert not first.same_as(read_picture(encode(astronaut)))


def test_a_frame_is_copied_and_checked() -> None:
    frame = np.zeros((100, 120, 3), dtype=np.uint8)
    picture = picture_of_pixels(frame)
    frame[:] = 255
    assert picture.pixels.max() == 0
    for wrong in (np.zeros((100, 120), np.uint8), np.zeros((100, 120, 4), np.uint8)):
        with pytest.raises(PictureRefused, match="IMAGE_COLOUR"):
            picture_of_pixels(wrong)
    with pytest.raises(PictureRefused, match="IMAGE_TOO_SMALL"):
        picture_of_pixels(np.zeros((10, 120, 3), np.uint8))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BiometricsError, match=r"absent\.jpg: the picture can't be read: No such file"):
        load_picture(tmp_path / "absent.jpg")
    with pytest.raises(BiometricsError, match="Is a directory"):
        load_picture(tmp_path)


def test_no_picture_shows_in_a_log(astronaut: Image.Image, encode: Callable[..., bytes]) -> None:
    picture = read_picture(encode(astronaut), "upload")
    assert repr(picture) == "Picture(source='upload')"


def test_pictures_cut_short_stay_refused_once_the_models_are_loaded(
    astronaut: Image.Image, encode: Callable[..., bytes], matcher: Matcher
) -> None:
    # Importing face_recognition turns this switch on for the whole process.
    matcher.template(read_picture(encode(astronaut)))
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    good = encode(astronaut)
    assert reason_of(good[: len(good) - 2000]) is Reason.IMAGE_UNREADABLE


@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]), st.binary(max_size=400))
def test_any_bytes_are_a_picture_or_refused(signature: bytes, rest: bytes) -> None:
    with contextlib.suppress(PictureRefused):
        assert read_picture(signature + rest).width > 0


@given(st.data())
def test_a_damaged_file_is_a_picture_or_refused(
    astronaut: Image.Image, encode: Callable[..., bytes], data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(["JPEG", "PNG"]))
    good = bytearray(encode(astronaut.crop((0, 0, 80, 80)), kind))
    for place in data.draw(st.lists(st.integers(8, min(300, len(good) - 1)), max_size=4)):
        good[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(PictureRefused):
        assert read_picture(bytes(good)).width > 0


def scans(data: bytes, more: int) -> bytes:
    """Return a progressive JPEG with its last scan repeated."""
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * more + data[-2:]


def test_a_small_file_that_takes_minutes_to_decode_is_refused(
    astronaut: Image.Image, encode: Callable[..., bytes]
) -> None:
    progressive = encode(astronaut, progressive=True)
    assert progressive.count(b"\xff\xda") < MAX_SCANS
    assert read_picture(progressive).width == astronaut.width
    with pytest.raises(PictureRefused, match="scans") as refused:
        read_picture(scans(progressive, MAX_SCANS))
    assert refused.value.reason == "IMAGE_TOO_LARGE"


def test_a_frame_may_have_fewer_pixels_than_a_photo(
    astronaut: Image.Image, encode: Callable[..., bytes]
) -> None:
    data = encode(astronaut)
    pixels = astronaut.width * astronaut.height
    assert read_picture(data, pixels_at_most=pixels).height == astronaut.height
    with pytest.raises(PictureRefused, match="at most") as refused:
        read_picture(data, pixels_at_most=pixels - 1)
    assert refused.value.reason == "IMAGE_TOO_LARGE"
