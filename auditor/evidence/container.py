"""The package's container: a ZIP archive with exactly one form, so that its bytes follow from its files.

Files lie one after the other, stored and not compressed, each under a plain name, all at the first moment
that ZIP knows, with nothing before, between or after. What is read is written again and has to come out
byte-equal: whatever else a ZIP archive may hold (links, encryption, extra fields, comments, a second
directory, a bomb) has no place in it. Nothing is ever unpacked to a disk.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, Final

from auditor.evidence.errors import EvidenceRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES: Final = 256 * 1024 * 1024
MAX_FILES: Final = 4096
NAME: Final = re.compile(r"[a-z0-9-]{1,64}(?:/[a-z0-9-]{1,64}){0,2}\.[a-z]{2,5}", re.ASCII)

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_VERSION: Final = 20  # 2.0: files stored or deflated (APPNOTE 6.3.10, section 4.4.3.2)
_UNIX: Final = 3 << 8
_DATE: Final = (1 << 5) | 1  # 1980-01-01; the time is 0
_MODE: Final = 0o100644 << 16  # a regular file that everybody may read
_ENCRYPTED: Final = 1


def encode(files: Mapping[str, bytes]) -> bytes:
    """Return the archive of `files`, in their order; ValueError for names, numbers or sizes beyond it."""
    if not 0 < len(files) <= MAX_FILES or any(NAME.fullmatch(name) is None for name in files):
        raise ValueError("a name or the number of files")
    body, directory = bytearray(), bytearray()
    for name, data in files.items():
        encoded = name.encode("ascii")
        common = (_VERSION, 0, 0, 0, _DATE, zlib.crc32(data), len(data), len(data), len(encoded), 0)
        directory += _CENTRAL.pack(b"PK\1\2", _UNIX | _VERSION, *common, 0, 0, 0, _MODE, len(body))
        directory += encoded
        body += _LOCAL.pack(b"PK\3\4", *common)
        body += encoded
        body += data
        if len(body) > MAX_BYTES:
            raise ValueError("more than 256 MiB")
    end = _END.pack(b"PK\5\6", 0, 0, len(files), len(files), len(directory), len(body), 0)
    return bytes(body + directory + end)


def decode(data: bytes) -> dict[str, bytes]:
    """Return an archive's files in their order; refuse (EVIDENCE_CONTAINER) any other than the one form."""
    if len(data) > MAX_BYTES:
        raise EvidenceRefused("EVIDENCE_CONTAINER", f"{len(data)} bytes, more than {MAX_BYTES}")
    files: dict[str, bytes] = {}
    position = 0
    while data[position : position + 4] == b"PK\3\4":
        name, content, position = _file(data, position)
        if name in files:
            raise EvidenceRefused("EVIDENCE_CONTAINER", f"{name} is there twice")
        files[name] = content
        if len(files) > MAX_FILES:
            raise EvidenceRefused("EVIDENCE_CONTAINER", f"more than {MAX_FILES} files")
    if not files:
        raise EvidenceRefused("EVIDENCE_CONTAINER", "it doesn't begin as a ZIP archive with files")
    if encode(files) != data:
        raise EvidenceRefused("EVIDENCE_CONTAINER", _difference(data, encode(files)))
    return files


def _file(data: bytes, position: int) -> tuple[str, bytes, int]:
    if len(data) < position + _LOCAL.size:
        raise EvidenceRefused("EVIDENCE_CONTAINER", "it is cut off")
    _, _, flags, method, *_, packed, size, name_length, extra = _LOCAL.unpack_from(data, position)
    start = position + _LOCAL.size
    encoded = data[start : start + name_length]
    shown = encoded[:80].decode("ascii", "backslashreplace")
    if NAME.fullmatch(encoded.decode("latin-1")) is None:
        raise EvidenceRefused("EVIDENCE_CONTAINER", f"{shown!r} is no name that a package has")
    for wrong, why in (
        (flags & _ENCRYPTED, "is encrypted"),
        (method, "is compressed"),
        (flags, "has flags set"),
        (packed != size, "has two sizes"),
        (extra, "has extra fields"),
    ):
        if wrong:
            raise EvidenceRefused("EVIDENCE_CONTAINER", f"{shown} {why}")
    start += name_length
    if start + size > len(data):
        raise EvidenceRefused("EVIDENCE_CONTAINER", f"it is cut off within {shown}")
    return encoded.decode("ascii"), data[start : start + size], start + size


def _difference(data: bytes, written: bytes) -> str:
    if len(data) != len(written):
        return f"{len(data)} bytes where its files make {len(written)}: something is added or cut off"
    place = next(index for index, (one, other) in enumerate(zip(data, written, strict=True)) if one != other)
    return f"byte {place} is not what its files make it"
