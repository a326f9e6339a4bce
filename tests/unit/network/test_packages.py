from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from network import ccaas, packages
from network.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path


def unpack(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as archive:
        found = {}
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            found[member.name] = file.read()
        return found


def test_a_package_is_the_same_bytes_each_time() -> None:
    assert packages.make("identity", "identity") == packages.make("identity", "identity")
    assert packages.make("identity", "identity") != packages.make("identity", "extra1")


def test_a_package_holds_what_fabric_expects() -> None:
    package = packages.make("identity", "identity")
    content = unpack(package.content)
    assert json.loads(content["metadata.json"]) == {"type": "ccaas", "label": "identity_1.0"}
    connection = json.loads(unpack(content["code.tar.gz"])["connection.json"])
    assert connection["address"] == "{{.identity}}"
    label, digest = package.package_id.split(":")
    assert label == package.label
    assert len(bytes.fromhex(digest)) == 32


def test_detect_takes_only_chaincode_as_a_service(tmp_path: Path) -> None:
    metadata = tmp_path / "metadata.json"
    metadata.write_text('{"type": "ccaas", "label": "x"}', encoding="utf-8")
    assert ccaas.main(["detect", "unused", str(tmp_path)]) == 0
    metadata.write_text('{"type": "golang", "label": "x"}', encoding="utf-8")
    assert ccaas.main(["detect", "unused", str(tmp_path)]) == 1


def built(tmp_path: Path, connection: dict[str, object]) -> tuple[Path, Path]:
    source, output, released = (tmp_path / name for name in ("source", "output", "released"))
    for folder in (source, output, released):
        folder.mkdir()
    (source / "connection.json").write_text(json.dumps(connection), encoding="utf-8")
    ccaas.main(["build", str(source), "unused", str(output)])
    return output, released


def test_release_puts_in_the_peers_own_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output, released = built(tmp_path, {"address": "{{.identity}}", "tls_required": False})
    monkeypatch.setenv("CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG", '{"identity": "127.0.0.1:17060"}')
    assert ccaas.main(["release", str(output), str(released)]) == 0
    found = json.loads((released / "chaincode" / "server" / "connection.json").read_text(encoding="utf-8"))
    assert found == {"address": "127.0.0.1:17060", "tls_required": False}


def test_release_refuses_an_unknown_key(tmp_path: Path) -> None:
    output, released = built(tmp_path, {"address": "{{.other}}"})
    with pytest.raises(ccaas.BuilderError, match="names 'other'"):
        ccaas.release(output, released, {"identity": "127.0.0.1:17060"})


def test_scripts_run_in_a_bare_environment(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    packages.install_builder(layout)
    output, released = built(tmp_path, {"address": "{{.identity}}"})
    (tmp_path / "metadata.json").write_text('{"type": "ccaas"}', encoding="utf-8")
    scripts = layout.builder / "bin"
    assert all(os.access(scripts / step, os.X_OK) for step in ("detect", "build", "release"))
    detected = subprocess.run([scripts / "detect", tmp_path, tmp_path], env={}, check=False)
    assert detected.returncode == 0
    # The peer shows these lines to whoever installs the chaincode: no traceback.
    failed = subprocess.run(
        [scripts / "release", output, released], env={}, check=False, capture_output=True, text=True
    )
    assert failed.returncode == 1
    assert failed.stderr.splitlines() == [
        "ccaas builder: connection.json names 'identity', which this peer has no address for"
    ]
