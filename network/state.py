"""What a home remembers of its network: the table, the port base, and that its making was completed."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from network import topology as tables
from network.errors import NetworkError
from network.files import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from network.layout import Layout
    from network.topology import Topology

_VERSION: Final = 1
_LOCK_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Made:
    """A network's table (`table` is its text) and port base; once made, its genesis blocks hold both."""

    topology: Topology
    table: str
    base: int


def load(layout: Layout) -> Made | None:
    """Return the network of this home, or None where none was completed."""
    try:
        remembered = json.loads(layout.state.read_text(encoding="utf-8"))
        table = layout.table.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise NetworkError(
            f"{layout.state} is damaged ({error}); run `concordat network down --purge`"
        ) from error
    if remembered.get("v") != _VERSION:
        raise NetworkError(
            f"{layout.state} was written by another version; run `concordat network down --purge`"
        )
    return Made(tables.parse(table), table, int(remembered["port_base"]))


def save(layout: Layout, table: str, base: int) -> None:
    """Remember a network as complete; from now on its ledgers are worth keeping."""
    write(layout.table, table)
    write(layout.state, json.dumps({"v": _VERSION, "port_base": base}))


def reconcile(layout: Layout, table: Path | None, base: int | None) -> Made | None:
    """Return this home's network, having checked that what is asked for is not another one."""
    made = load(layout)
    if made is None:
        return None
    if table is not None and tables.load(table) != made.topology:
        raise NetworkError(
            f"the network in {layout.root} was made from another table than {table}; "
            "use another $CONCORDAT_HOME, or delete that one with `concordat network down --purge`"
        )
    if base is not None and base != made.base:
        raise NetworkError(
            f"the network in {layout.root} has port base {made.base}, which is in its genesis blocks; "
            "use another $CONCORDAT_HOME, or delete that one with `concordat network down --purge`"
        )
    return made


def plan(table: Path, base: int | None) -> Made:
    """Return the network that a table and a port base (default: the table's) describe, not made yet.

    Raises `TopologyError`.
    """
    topology = tables.load(table)
    chosen = topology.port_base if base is None else base
    tables.require_room(topology, chosen)
    return Made(topology, table.read_text(encoding="utf-8"), chosen)


def begin(layout: Layout) -> None:
    """Make the network's folder, empty but for the mark that allows to delete it again."""
    layout.root.mkdir(parents=True, mode=0o700)
    layout.marker.touch()


def erase(layout: Layout) -> None:
    """Delete everything of the network; raise `NetworkError` if the folder is something else."""
    ours = layout.marker.exists() or layout.state.exists()
    if layout.root.exists() and not ours and any(layout.root.iterdir()):
        raise NetworkError(
            f"{layout.root} was not made by `concordat network`; choose another $CONCORDAT_HOME"
        )
    shutil.rmtree(layout.root, ignore_errors=True)
    if layout.root.exists():
        raise NetworkError(f"cannot delete {layout.root}; see who owns the files in it")


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Keep other commands from changing the same network; wait for one that is at it.

    The kernel lets go of the lock when its holder dies, however it dies.
    """
    layout.lock.parent.mkdir(parents=True, exist_ok=True)
    with layout.lock.open("a+", encoding="ascii") as file:
        deadline, told = time.monotonic() + _LOCK_SECONDS, False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                who = file.read().strip()
                if time.monotonic() > deadline:
                    raise NetworkError(f"process {who} has been changing this network for too long") from None
                if not told:
                    sys.stderr.write(f"waiting for process {who}, which is changing this network ...\n")
                    told = True
                time.sleep(0.2)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
