"""Builds what runs: Fabric, Fabric CA and the chaincodes, once for each content of their sources.

Nothing is downloaded but Go modules, whose sums are in go.sum. A build goes to a temporary folder
that is renamed when complete, so what is in the cache is whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from network.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable

REPOSITORY: Final = Path(__file__).resolve().parent.parent
TOOLS: Final = Path(__file__).resolve().parent / "tools"
CHAINCODE: Final = REPOSITORY / "chaincode"
FABRIC_VERSION: Final = "3.1.1"
FABRIC_CA_VERSION: Final = "1.5.15"


@dataclass(frozen=True, slots=True)
class Binaries:
    """Folders with the built programs, and Fabric's sample configuration."""

    fabric: Path
    fabric_ca: Path
    sample_config: Path

    def program(self, name: str) -> str:
        """Return the path of one of Fabric's or Fabric CA's programs."""
        folder = self.fabric_ca if name.startswith("fabric-ca") else self.fabric
        return str(folder / name)


def cache_folder() -> Path:
    """Where builds are kept: `.cache` beside the sources, or `$CONCORDAT_CACHE`."""
    return Path(os.environ.get("CONCORDAT_CACHE") or REPOSITORY / ".cache").absolute()


def fabric() -> Binaries:
    """Return Fabric's and Fabric CA's programs, building those that are missing."""
    fabric_module, ca_module = TOOLS / "fabric", TOOLS / "fabric-ca"
    built = _build(
        f"Fabric {FABRIC_VERSION}",
        "fabric",
        fabric_module,
        (fabric_module / "go.mod", fabric_module / "go.sum"),
        f"-X github.com/hyperledger/fabric/common/metadata.Version={FABRIC_VERSION}",
        ("tool",),
    )
    sample = built / "sampleconfig"
    built_ca = _build(
        f"Fabric CA {FABRIC_CA_VERSION}",
        "fabric-ca",
        ca_module,
        (ca_module / "go.mod", ca_module / "go.sum"),
        f"-X github.com/hyperledger/fabric-ca/lib/metadata.Version={FABRIC_CA_VERSION}",
        ("tool",),
        cgo=True,
    )
    return Binaries(built, built_ca, sample)


def chaincodes(names: Iterable[str]) -> dict[str, Path]:
    """Return the chaincode programs by name, building them if their sources changed."""
    wanted = tuple(names)
    folder = _build(
        "chaincode",
        "chaincode",
        CHAINCODE,
        chaincode_sources(CHAINCODE),
        "-s -w",
        tuple(f"./cmd/{name}" for name in wanted),
        static=True,
    )
    return {name: folder / name for name in wanted}


def chaincode_sources(module: Path) -> tuple[Path, ...]:
    """Return the files of a Go module that decide what is built, in a fixed order."""
    go = [path for path in module.rglob("*.go") if not path.name.endswith("_test.go")]
    return tuple(sorted([*go, *(p for p in (module / "go.mod", module / "go.sum") if p.exists())]))


def _build(
    title: str,
    prefix: str,
    module: Path,
    sources: tuple[Path, ...],
    ldflags: str,
    packages: tuple[str, ...],
    *,
    cgo: bool = False,
    static: bool = False,
) -> Path:
    if not (module / "go.mod").exists():
        raise BuildError(f"{title} cannot be built: {module} has no go.mod; run from a checkout of Concordat")
    target = cache_folder() / f"{prefix}-{_key(module, sources, ldflags, packages)}"
    if target.is_dir():
        return target
    if cgo and shutil.which(os.environ.get("CC", "cc")) is None:
        raise BuildError(
            f"{title} needs a C compiler for its database driver; install gcc (Debian: apt-get install gcc)"
        )
    sys.stderr.write(f"building {title} (once; a minute or two) ...\n")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{prefix}-"))
    try:
        _go(
            module,
            ["install", "-ldflags", ldflags, *packages],
            title,
            {"GOBIN": str(work), **({"CGO_ENABLED": "0"} if static else {})},
        )
        if prefix == "fabric":
            source = _go(
                module, ["list", "-m", "-f", "{{.Dir}}", "github.com/hyperledger/fabric"], title
            ).strip()
            for name in ("core.yaml", "orderer.yaml"):
                (work / "sampleconfig").mkdir(exist_ok=True)
                shutil.copyfile(Path(source) / "sampleconfig" / name, work / "sampleconfig" / name)
        work.chmod(0o755)
        try:
            work.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another command built the same meanwhile
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _key(module: Path, sources: tuple[Path, ...], ldflags: str, packages: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for part in (go_version(), ldflags, *packages):
        digest.update(part.encode() + b"\0")
    for path in sources:
        digest.update(str(path.relative_to(module)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


@cache
def go_version() -> str:
    """Return the Go toolchain's version; raise `BuildError` if there is none."""
    return _go(REPOSITORY, ["env", "GOVERSION"], "Concordat's network").strip()


def _go(folder: Path, arguments: list[str], title: str, environment: dict[str, str] | None = None) -> str:
    program = shutil.which("go")
    if program is None:
        raise BuildError(
            f"{title} needs Go 1.26 or later, and no `go` is in PATH; install it from https://go.dev/dl/"
        )
    done = subprocess.run(
        [program, *arguments],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = tuple(done.stderr.strip().splitlines()[-15:])
        raise BuildError(
            f"building {title} failed (go {arguments[0]}, exit {done.returncode})", log_lines=lines
        )
    return done.stdout
