"""Starts the relay's process and hears what it did."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from client.errors import OutcomeUnknown, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction that the relay sent: when its ballots were read from the outbox (Unix seconds)."""

    tx: str
    read_at: float
    ballots: int


@dataclass(frozen=True, slots=True)
class Carried:
    """What the relay did: when it began, and the transactions it sent, invalid ones among them."""

    began: float
    sent: tuple[Sent, ...]


class Carriage:
    """A relay that is connected and waits for the word."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def go(self) -> Carried:
        """Let it carry all that is in the outbox; raise OutcomeUnknown when it ends without a word."""
        told = self.exchange("go\n")
        if not isinstance(told, dict):
            raise OutcomeUnknown("the relay ended before the chain had settled every ballot: see its lines")
        return Carried(told["began"], tuple(Sent(*one) for one in told["sent"]))

    def exchange(self, line: str) -> Any:
        """Send a line and return what the next line says, None when the process has ended."""
        if self._process.stdin is None or self._process.stdout is None:
            raise TypeError("the relay's process has pipes")
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        answer = self._process.stdout.readline()
        return json.loads(answer) if answer else None


@contextmanager
def connected(order: Mapping[str, Any]) -> Iterator[Carriage]:
    """Give a relay that is connected; it ends with the block."""
    command = (sys.executable, "-m", "client.bench.carrier")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        carriage = Carriage(process)
        try:
            answer = carriage.exchange(json.dumps(order) + "\n")
            if answer == "ready":
                yield carriage
        finally:
            process.terminate()  # nothing is lost: what it didn't settle is in the outbox
    if answer != "ready":
        raise UserError("the relay's process didn't start: see its lines")
