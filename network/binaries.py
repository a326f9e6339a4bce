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
    from collections.abc import Iterable, Mapping

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
    built = _build(_FABRIC)
    return Binaries(built, _build(_FABRIC_CA), built / "sampleconfig")


def chaincodes(names: Iterable[str]) -> dict[str, Path]:
    """Return the chaincode programs by name, building them if their sources changed."""
    wanted = tuple(names)
    commands = tuple(f"./cmd/{name}" for name in wanted)
    folder = _build(_Build("chaincode", "chaincode", CHAINCODE, "-s -w", commands, {"CGO_ENABLED": "0"}))
    return {name: folder / name for name in wanted}


def sources(module: Path) -> tuple[Path, ...]:
    """Return the files of a Go module that decide what is built, in a fixed order."""
    go = [path for path in module.rglob("*.go") if not path.name.endswith("_test.go")]
    return tuple(sorted([*go, *(p for p in (module / "go.mod", module / "go.sum") if p.exists())]))


@dataclass(frozen=True, slots=True)
class _Build:
    """One `go install`: of which packages of which module, with which linker flags and settings."""

    title: str
    prefix: str
    module: Path
    ldflags: str
    packages: tuple[str, ...]
    env: Mapping[str, str]

    def key(self) -> str:
        """Return a hash of all that the result depends on."""
        digest = hashlib.sha256()
        for part in (go_version(), self.ldflags, *self.packages, *map(str, sorted(self.env.items()))):
            digest.update(part.encode() + b"\0")
        for path in sources(self.module):
            digest.update(str(path.relative_to(self.module)).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:16]


_FABRIC: Final = _Build(
    f"Fabric {FABRIC_VERSION}",
    "fabric",
    TOOLS / "fabric",
    f"-X github.com/hyperledger/fabric/common/metadata.Version={FABRIC_VERSION}",
    ("tool",),
    {},
)
_FABRIC_CA: Final = _Build(
    f"Fabric CA {FABRIC_CA_VERSION}",
    "fabric-ca",
    TOOLS / "fabric-ca",
    f"-X github.com/hyperledger/fabric-ca/lib/metadata.Version={FABRIC_CA_VERSION}",
    ("tool",),
    {"CGO_ENABLED": "1"},  # its SQLite driver is C
)


def _build(build: _Build) -> Path:
    if not (build.module / "go.mod").exists():
        raise BuildError(f"{build.module} has no go.mod; run from a checkout of Concordat")
    target = cache_folder() / f"{build.prefix}-{build.key()}"
    if target.is_dir():
        return target
    if build.env.get("CGO_ENABLED") == "1" and shutil.which(os.environ.get("CC", "gcc")) is None:
        raise BuildError(f"{build.title} needs a C compiler; install gcc (Debian: apt-get install gcc)")
    sys.stderr.write(f"building {build.title} (once; a minute or two) ...\n")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{build.prefix}-"))
    try:
        arguments = ["install", "-buildvcs=false", "-ldflags", build.ldflags, *build.packages]
        _go(build.module, arguments, {**build.env, "GOBIN": str(work)})
        if build is _FABRIC:
            _copy_sample_configuration(work)
        work.chmod(0o755)
        try:
            work.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another command built the same meanwhile
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _copy_sample_configuration(work: Path) -> None:
    source = _go(_FABRIC.module, ["list", "-m", "-f", "{{.Dir}}", "github.com/hyperledger/fabric"]).strip()
    (work / "sampleconfig").mkdir()
    for name in ("core.yaml", "orderer.yaml"):
        shutil.copyfile(Path(source) / "sampleconfig" / name, work / "sampleconfig" / name)


@cache
def go_version() -> str:
    """Return the Go toolchain's version; raise `BuildError` if there is none."""
    return _go(REPOSITORY, ["env", "GOVERSION"]).strip()


def _go(folder: Path, arguments: list[str], environment: Mapping[str, str] | None = None) -> str:
    program = shutil.which("go")
    if program is None:
        raise BuildError("no `go` is in PATH, and the network is built with it; install Go 1.26 or later")
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
        raise BuildError(f"`go {arguments[0]}` in {folder} failed (exit {done.returncode})", log_lines=lines)
    return done.stdout
