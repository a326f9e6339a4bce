"""Keeps chaincode processes running: `python -m network.supervisor HOME`, started by `network up`.

Peers and orderers are left dead when they die, so that a fault stays visible until somebody runs
`network up` again; a chaincode process holds no state and simply comes back.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from network import processes
from network.files import SECRET, write
from network.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME: Final = "supervisor"
_LOOK_SECONDS: Final = 1.0
_FIRST_DELAY: Final = 0.2
_LONGEST_DELAY: Final = 5.0
_SETTLED_SECONDS: Final = 5.0

logger = logging.getLogger(__name__)


def command(home: Path, source: Path) -> processes.Command:
    """Return how the supervisor of one home is started; `source` is the folder with our packages."""
    return processes.Command(
        node=NAME,
        argv=(sys.executable, "-m", "network.supervisor", str(home)),
        env={"PYTHONPATH": str(source)},
    )


def write_services(layout: Layout, services: Iterable[processes.Command]) -> None:
    """Say what is to run; a running supervisor notices within a second."""
    content = [asdict(service) for service in sorted(services, key=lambda service: service.node)]
    write(layout.services, json.dumps(content, indent=1), SECRET)


def read_services(layout: Layout) -> tuple[processes.Command, ...]:
    """Return what is to run, nothing if nobody said so yet."""
    try:
        entries = json.loads(layout.services.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    return tuple(
        processes.Command(e["node"], tuple(e["argv"]), dict(e["env"]), tuple(e["ports"])) for e in entries
    )


@dataclass(slots=True)
class _Attempt:
    """When a service was last started, and how long to wait if it dies young again."""

    started: float = 0.0
    delay: float = _FIRST_DELAY

    def due(self, now: float) -> float:
        """Return when the next start is allowed."""
        return self.started + self.delay if self.started else now

    def begin(self, now: float) -> None:
        """Note a start; one that follows a long life begins with the shortest delay again."""
        lived = now - self.started
        self.delay = _FIRST_DELAY if lived > _SETTLED_SECONDS else min(self.delay * 2, _LONGEST_DELAY)
        self.started = now


@dataclass(slots=True)
class Supervisor:
    """Compares what should run with what does, again and again."""

    layout: Layout
    attempts: dict[str, _Attempt] = field(default_factory=dict)

    def step(self) -> tuple[list[processes.Record], float]:
        """Start what is missing or changed; return what runs and the seconds until the next look."""
        now, next_look = time.monotonic(), _LOOK_SECONDS
        running = []
        for service in read_services(self.layout):
            record = processes.recorded(self.layout, service.node)
            if record is not None and record.fingerprint != service.fingerprint:
                logger.info("%s changed; restarting it", service.node)
                processes.stop(self.layout, [record])
                record = None
            if record is None:
                attempt = self.attempts.setdefault(service.node, _Attempt())
                if (due := attempt.due(now)) > now:
                    next_look = min(next_look, due - now)
                    continue
                attempt.begin(now)
                try:
                    record = processes.start(self.layout, service)
                except OSError as error:
                    logger.error("%s cannot be started: %s", service.node, error)  # noqa: TRY400  it says all
                    continue
                logger.info("%s started as process %d", service.node, record.pid)
            running.append(record)
        return running, next_look

    def run(self) -> None:
        """Supervise until told to end; the services are left running for `down` to stop."""
        ending = []
        signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
        reader, writer = os.pipe2(os.O_NONBLOCK)
        signal.set_wakeup_fd(writer)
        while not ending:
            running, seconds = self.step()
            _wait_for_death(running, reader, seconds)


def _wait_for_death(records: Iterable[processes.Record], wake: int, seconds: float) -> None:
    """Return when one of the processes dies, a signal arrives, or the time is over."""
    poll = select.poll()
    poll.register(wake, select.POLLIN)
    handles = []
    try:
        for record in records:
            try:
                handle = os.pidfd_open(record.pid)
            except ProcessLookupError:
                return
            handles.append(handle)
            poll.register(handle, select.POLLIN)
        poll.poll(seconds * 1000)
    finally:
        for handle in handles:
            os.close(handle)


def main() -> None:
    """Entry point of the supervising process."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    Supervisor(Layout(Path(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
