"""What page code this service serves: the SHA-256 of each of its files, and the build that they are of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

_FOLDERS: Final = ("static", "templates", "texts")
STYLE: Final = "static/portal.css"


@dataclass(frozen=True, slots=True)
class Build:
    """Version of the package, and file to SHA-256 (hex); `digest` is over all of them in order."""

    version: str
    files: Mapping[str, str]

    @property
    def digest(self) -> str:
        """The SHA-256 of the lines `hash two-spaces name`, as sha256sum prints them."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in self.files.items())
        return hashlib.sha256(lines.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"v": 1, "version": self.version, "digest": self.digest, "files": dict(self.files)}


@cache
def build() -> Build:
    """Return this installation's build."""
    try:
        version = metadata.version("concordat")
    except metadata.PackageNotFoundError:
        version = "not installed"
    root = resources.files("auditor.portal")
    found = {
        f"{folder}/{one.name}": hashlib.sha256(one.read_bytes()).hexdigest()
        for folder in _FOLDERS
        for one in _files(root / folder)
    }
    return Build(version, dict(sorted(found.items())))


def _files(folder: Traversable) -> list[Traversable]:
    return [one for one in folder.iterdir() if one.is_file() and not one.name.startswith((".", "__"))]


@cache
def style() -> bytes:
    """Return the one style sheet."""
    return (resources.files("auditor.portal") / STYLE).read_bytes()
