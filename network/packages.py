"""Chaincode packages for chaincode as a service: the same bytes, hence the same id, for every peer."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shlex
import sys
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from network import ccaas
from network.files import write

if TYPE_CHECKING:
    from network.layout import Layout


@dataclass(frozen=True, slots=True)
class Package:
    """A chaincode package: its label, its bytes, and the id that Fabric derives from both."""

    label: str
    content: bytes

    @property
    def package_id(self) -> str:
        """`label:SHA-256`, as in Fabric's `peer lifecycle chaincode calculatepackageid`."""
        return f"{self.label}:{hashlib.sha256(self.content).hexdigest()}"


def make(name: str, port_key: str) -> Package:
    """Package a chaincode whose address each peer knows under `port_key`."""
    connection = {"address": f"{{{{.{port_key}}}}}", "dial_timeout": "10s", "tls_required": False}
    label = f"{name}_1.0"
    code = _archive({"connection.json": json.dumps(connection).encode()})
    metadata = json.dumps({"type": "ccaas", "label": label}).encode()
    return Package(label, _archive({"metadata.json": metadata, "code.tar.gz": code}))


def install_builder(layout: Layout) -> None:
    """Write the three scripts by which a peer runs `network.ccaas`."""
    for step in ("detect", "build", "release"):
        command = shlex.join([sys.executable, "-SE", ccaas.__file__, step])
        write(layout.builder / "bin" / step, f'#!/bin/sh\nexec {command} "$@"\n', 0o755)


def _archive(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)  # no times or owners: the same content is the same package
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)
