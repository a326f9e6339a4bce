"""Processes that outlive the command that starts them, and can be told apart from all others.

A process is recognised by its pid together with its start time and this machine's boot id, so a
number that the kernel gave to somebody else is never signalled. Linux only (`/proc`, pidfd).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from network.files import SECRET, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from network.layout import Layout

MARK: Final = "CONCORDAT_NETWORK"
"""Environment variable in every process of a network: the folder of that network."""
_NODE: Final = "CONCORDAT_NODE"
_LOG_LIMIT: Final = 20_000_000
_STOP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Command:
    """What to run for one node."""

    node: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ports: tuple[int, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Changes when the program, its arguments or its settings do."""
        content = json.dumps([self.argv, sorted(self.env.items())])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Record:
    """A started process; `start` is field 22 of /proc/PID/stat (clock ticks since boot)."""

    node: str
    pid: int
    start: int
    boot: str
    fingerprint: str

    def alive(self) -> bool:
        """Say whether exactly this process still runs."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)  # a dead child of ours must not linger as a zombie
        return self.boot == _boot_id() and _start_time(self.pid) == self.start


def start(layout: Layout, command: Command) -> Record:
    """Start a node in a session of its own, its output going to its log, and record it."""
    log = layout.log(command.node)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(layout.root),
        **command.env,
        MARK: str(layout.root),
        _NODE: command.node,
    }
    previous = os.umask(0o077)  # Fabric CA would leave some of its secrets readable to all
    # posix_spawn: no object is left behind that expects to be waited for, and no Python runs in the child.
    try:
        pid = os.posix_spawn(
            command.argv[0],
            command.argv,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, SECRET),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGPIPE],
        )
    finally:
        os.umask(previous)
    record = Record(command.node, pid, _start_time(pid) or 0, _boot_id(), command.fingerprint)
    write(_path(layout, command.node), json.dumps(asdict(record)), SECRET)
    return record


def recorded(layout: Layout, node: str) -> Record | None:
    """Return the record of a node's live process; a stale record is removed."""
    path = _path(layout, node)
    try:
        record = Record(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        path.unlink(missing_ok=True)
        return None
    if not record.alive():
        path.unlink(missing_ok=True)
        return None
    return record


def all_recorded(layout: Layout) -> tuple[Record, ...]:
    """Return the records of all live processes."""
    return tuple(record for node in recorded_nodes(layout) if (record := recorded(layout, node)))


def recorded_nodes(layout: Layout) -> tuple[str, ...]:
    """Return the names of all nodes with a record, alive or not."""
    return tuple(sorted(path.stem for path in layout.run.glob("*.json")))


def strays(layout: Layout) -> tuple[Record, ...]:
    """Return live processes that carry this network's mark but have no record (a crash lost it)."""
    known = {r.pid for node in recorded_nodes(layout) if (r := recorded(layout, node))}
    mark = f"{MARK}={layout.root}".encode()
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        pid = int(directory.name)
        if pid in known or pid == os.getpid():
            continue
        try:
            variables = (directory / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark not in variables:
            continue
        node = next(
            (v[len(_NODE) + 1 :].decode() for v in variables if v.startswith(_NODE.encode() + b"=")), "?"
        )
        ticks = _start_time(pid)
        if ticks is not None:
            found.append(Record(node, pid, ticks, _boot_id(), ""))
    return tuple(found)


def stop(layout: Layout, records: Iterable[Record], seconds: float = _STOP_SECONDS) -> None:
    """Ask all of them to end at once, kill those that have not after some seconds, forget them."""
    waiting = list(records)
    for record in waiting:
        send(record, signal.SIGTERM)
    if not wait_gone(waiting, seconds):
        for record in waiting:
            send(record, signal.SIGKILL)
        wait_gone(waiting, seconds)
    for record in waiting:
        _path(layout, record.node).unlink(missing_ok=True)


def send(record: Record, number: signal.Signals) -> None:
    """Signal exactly this process, or nobody if it is gone."""
    try:
        handle = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return
    try:
        # The handle pins the process, so it cannot be replaced between the check and the signal.
        if record.alive():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)
    finally:
        os.close(handle)


def wait_gone(records: Iterable[Record], seconds: float) -> bool:
    """Wait until none of the processes is alive; say whether that came in time."""
    deadline = time.monotonic() + seconds
    for record in records:
        try:
            handle = os.pidfd_open(record.pid)
        except ProcessLookupError:
            continue
        try:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            while record.alive():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                poll.poll(left * 1000)
        finally:
            os.close(handle)
    return True


def last_lines(layout: Layout, node: str, count: int = 12) -> tuple[str, ...]:
    """Return the last lines of a node's log."""
    try:
        with layout.log(node).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 32_768))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ()
    return tuple(line.rstrip() for line in text.splitlines()[-count:])


def resident_bytes(record: Record) -> int:
    """Return the process's resident memory in bytes, 0 if it is gone."""
    try:
        pages = int(Path(f"/proc/{record.pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _path(layout: Layout, node: str) -> Path:
    return layout.run / f"{node}.json"


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _start_time(pid: int) -> int | None:
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except (OSError, ProcessLookupError):
        return None
    state, ticks = fields[0], int(fields[19])
    return None if state in "ZX" else ticks
