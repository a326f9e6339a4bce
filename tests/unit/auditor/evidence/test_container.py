"""The container: what it writes any ZIP tool reads, and of what others write it takes only its own form."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from auditor.evidence.container import MAX_BYTES, MAX_FILES, decode, encode
from auditor.evidence.errors import EvidenceRefused

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = {"manifest.json": b"{}", "a.json": b"1" * 1000, "blocks/identity/0000000000.pb": bytes(300)}


def refusal(data: bytes) -> str:
    with pytest.raises(EvidenceRefused) as caught:
        decode(data)
    assert caught.value.code == "EVIDENCE_CONTAINER"
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_written_is_read_again() -> None:
    assert decode(encode(FILES)) == FILES
    assert list(decode(encode(FILES))) == list(FILES)
    assert encode(FILES) == encode(dict(FILES))


def test_any_zip_tool_reads_it() -> None:
    with zipfile.ZipFile(io.BytesIO(encode(FILES))) as archive:
        assert archive.testzip() is None
        assert {one.filename: archive.read(one) for one in archive.infolist()} == FILES
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {stat.S_ISREG(one.external_attr >> 16) for one in archive.infolist()} == {True}


def test_every_flipped_bit_is_refused_or_another_content() -> None:
    data = encode(FILES)
    for place in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            with pytest.raises(EvidenceRefused):  # a content no longer fits its checksum
                decode(bytes(changed))


def other(change: Callable[[zipfile.ZipFile], object], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        change(archive)
    return stream.getvalue()


def with_mode(archive: zipfile.ZipFile) -> None:
    link = zipfile.ZipInfo("manifest.json", (1980, 1, 1, 0, 0, 0))
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    archive.writestr(link, "/etc/passwd")


def commented(archive: zipfile.ZipFile) -> None:
    archive.writestr(zipfile.ZipInfo("manifest.json", (1980, 1, 1, 0, 0, 0)), "{}")
    archive.comment = b"more"


def twice(archive: zipfile.ZipFile) -> None:
    archive.writestr("a.json", "1")
    archive.writestr("a.json", "2")


HOSTILE = {
    "a path upwards": other(lambda archive: archive.writestr("../manifest.json", "{}")),
    "an absolute path": other(lambda archive: archive.writestr("/etc/passwd", "{}")),
    "a path of another system": other(lambda archive: archive.writestr("..\\manifest.json", "{}")),
    "a folder": other(lambda archive: archive.mkdir("blocks")),
    "a bomb": other(
        lambda archive: archive.writestr("manifest.json", bytes(5_000_000)), zipfile.ZIP_DEFLATED
    ),
    "a link": other(with_mode),
    "a comment": other(commented),
    "another time": other(lambda a: a.writestr(zipfile.ZipInfo("a.json", (2026, 1, 1, 0, 0, 0)), "{}")),
    "an archive within": other(lambda a: a.writestr("a.zip", encode(FILES))),
    "nothing": b"",
    "an empty archive": other(lambda archive: None),
    "no archive": b"PDF-1.7",
    "bytes before": b"#!/bin/sh\n" + encode(FILES),
    "bytes after": encode(FILES) + b"\0",
    "an archive after": encode(FILES) + encode(FILES),
    "cut off": encode(FILES)[:-1],
    "cut off early": encode(FILES)[:50],
    "cut off in a header": encode(FILES)[:20],
    "no directory": encode(FILES)[: encode(FILES).index(b"PK\1\2")],
    "an odd name": other(lambda archive: archive.writestr("A B.json", "{}")),
    "a name in Chinese": other(lambda archive: archive.writestr("证据.json", "{}")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused(name: str) -> None:
    refusal(HOSTILE[name])


def test_the_same_name_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = other(twice)
    assert "a.json is there twice" in refusal(data)


def test_an_encrypted_file_is_named() -> None:
    data = bytearray(encode(FILES))
    data[6] |= 1
    assert "manifest.json is encrypted" in refusal(bytes(data))


def test_a_compressed_file_is_named() -> None:
    assert "manifest.json is compressed" in refusal(HOSTILE["a bomb"])


def test_a_huge_size_is_refused_without_reserving_it() -> None:
    data = bytearray(encode(FILES))
    struct.pack_into("<II", data, 18, 0xFFFFFFFF, 0xFFFFFFFF)
    assert "cut off within manifest.json" in refusal(bytes(data))


def test_too_many_files_are_refused() -> None:
    with pytest.raises(ValueError, match="number of files"):
        encode({f"f{number}.json": b"" for number in range(MAX_FILES + 1)})
    assert MAX_BYTES > 4_000_000 * 8  # a ballot's block, and more


def test_a_name_beyond_the_form_is_not_written() -> None:
    with pytest.raises(ValueError, match="a name"):
        encode({"../a.json": b""})
