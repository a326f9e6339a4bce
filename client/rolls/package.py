"""The zip package of an XLSX workbook (ECMA-376 part 2), opened with bounds on what it may grow to.

Workbooks come from outside, so nothing in one is believed: sizes are counted while parts are expanded,
a part named twice is refused (two readers could see two registers), and XML with a document type is.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from client.rolls.errors import RollError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PART: Final = 1 << 30
"""Bytes that one part may expand to; a sheet of a million rows has about a third of that."""

MAX_PARTS: Final = 2_000
_CHUNK: Final = 1 << 18
_ENCRYPTED: Final = 0x1

_OFFICE_DOCUMENT: Final = "/officeDocument"
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)

Relations = dict[str, tuple[str, str]]
"""Relationship id -> (type, the target part's name)."""

Start = "Callable[[str, dict[str, str]], None]"


class Package:
    """A workbook's parts by name."""

    def __init__(self, data: bytes, source: str) -> None:
        """Look into the package; raise RollError for one that can't be trusted to have one meaning."""
        self.source = source
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise RollError(f"{source} is a damaged workbook ({error}): save it again as .xlsx") from error
        names = [entry.filename for entry in self._zip.infolist()]
        if len(names) > MAX_PARTS:
            raise RollError(f"{source} has {len(names)} parts: no workbook of a register has so many")
        if len(set(names)) != len(names):
            raise RollError(f"{source} names one of its parts twice: save it again as .xlsx")
        if any(entry.flag_bits & _ENCRYPTED for entry in self._zip.infolist()):
            raise RollError(f"{source} is encrypted: save it without a password")
        self._names = frozenset(names)

    def workbook(self) -> str:
        """Return the name of the part that lists the sheets; raise RollError where there is none."""
        for kind, target in self.relations("").values():
            if kind.endswith(_OFFICE_DOCUMENT) and target in self._names:
                return target
        raise RollError(
            f"{self.source} is a zip file but no workbook: save the register as .xlsx or CSV UTF-8"
        )

    def relations(self, part: str) -> Relations:
        """Return what a part refers to within the package (the package itself for an empty name)."""
        folder, name = posixpath.split(part)
        listing = posixpath.join(folder, "_rels", f"{name}.rels")
        found: Relations = {}

        def start(tag: str, attributes: dict[str, str]) -> None:
            if local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", "")))
                found[attributes.get("Id", "")] = (attributes.get("Type", ""), target.lstrip("/"))

        if listing in self._names:
            parser = self.parser(listing)
            parser.StartElementHandler = start
            for _ in self.parse(listing, parser):
                pass
        return found

    def parser(self, part: str) -> expat.XMLParserType:
        """Return a parser that refuses a document type, and with it every entity of its own."""
        parser = expat.ParserCreate()
        parser.buffer_text = True

        def refuse(*_: object) -> None:
            raise RollError(f"{self.source}: {part} has a document type (DOCTYPE): save it again as .xlsx")

        parser.StartDoctypeDeclHandler = refuse
        return parser

    def parse(self, part: str, parser: expat.XMLParserType) -> Iterator[None]:
        """Feed a part to its parser, pausing after each piece; raise RollError for what is no such part."""
        size = 0
        try:
            with self._zip.open(part) as file:
                while chunk := file.read(_CHUNK):
                    size += len(chunk)
                    if size > MAX_PART:
                        raise RollError(
                            f"{self.source}: {part} expands to more than {MAX_PART >> 20} MiB: "
                            "split the register, or save it as CSV UTF-8"
                        )
                    parser.Parse(chunk, False)
                    yield
            parser.Parse(b"", True)
            yield
        except expat.ExpatError as error:
            raise RollError(f"{self.source}: {part} is no XML ({error}): save it again as .xlsx") from error
        except (*_BROKEN, KeyError) as error:
            raise RollError(
                f"{self.source}: {part} can't be read ({error}): save it again as .xlsx"
            ) from error


def local(tag: str) -> str:
    """Return an element's name without its prefix: what prefix a program writes is its own affair."""
    return tag.rpartition(":")[2]
