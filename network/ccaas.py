"""External builder for chaincode as a service, run by the peer: `ccaas.py detect|build|release …`.

Stands alone on the standard library (the peer starts it with a bare interpreter). A package of type
`ccaas` holds a `connection.json` whose texts may name `{{.key}}`; the values are in the peer's
CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG, so one package, and thus one package id, serves every peer.
The builder in Fabric's own container image reads the same files.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

_PLACEHOLDER = re.compile(r"\{\{\.(\w+)\}\}")


class BuilderError(Exception):
    """The package is not one that this builder understands."""


def detect(metadata: Path) -> bool:
    """Say whether the package in this folder is ours to build."""
    found = json.loads((metadata / "metadata.json").read_text(encoding="utf-8"))
    return isinstance(found, dict) and found.get("type") == "ccaas"


def build(source: Path, output: Path) -> None:
    """Keep what the release needs: the connection, and index definitions where there are any."""
    shutil.copyfile(source / "connection.json", output / "connection.json")
    if (source / "META-INF").is_dir():
        shutil.copytree(source / "META-INF", output / "META-INF")


def release(built: Path, output: Path, values: dict[str, str]) -> None:
    """Write where the peer finds the running chaincode; raise `BuilderError` for an unknown key."""
    connection = json.loads((built / "connection.json").read_text(encoding="utf-8"))

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise BuilderError(f"connection.json names {match[1]!r}, which this peer has no address for")
        return values[match[1]]

    resolved = {
        key: _PLACEHOLDER.sub(value, item) if isinstance(item, str) else item
        for key, item in connection.items()
    }
    server = output / "chaincode" / "server"
    server.mkdir(parents=True, exist_ok=True)
    (server / "connection.json").write_text(json.dumps(resolved), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run one step with the folders that the peer names; return the exit code that it expects."""
    match arguments:
        case ["detect", _, metadata]:
            return 0 if detect(Path(metadata)) else 1
        case ["build", source, _, output]:
            build(Path(source), Path(output))
        case ["release", built, output]:
            release(
                Path(built),
                Path(output),
                json.loads(os.environ.get("CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG") or "{}"),
            )
        case _:
            sys.stderr.write("usage: ccaas.py detect|build|release FOLDER...\n")
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BuilderError, OSError, ValueError) as error:
        sys.stderr.write(f"ccaas builder: {error}\n")
        sys.exit(1)
