"""Starts nodes that do not run, and can take back what it started."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from network import ports, processes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from network.layout import Layout
    from network.processes import Command

logger = logging.getLogger(__name__)


class Starter:
    """Remembers what it started, in case bringing up the whole fails."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._started: list[processes.Record] = []

    def start(self, commands: Iterable[Command]) -> None:
        """Start every node that does not run, or runs with other settings; raise `PortTaken`."""
        for command in commands:
            record = processes.recorded(self._layout, command.node)
            if record is not None and record.fingerprint == command.fingerprint:
                continue
            if record is not None:
                logger.info("%s has other settings now; restarting it", command.node)
                processes.stop(self._layout, [record])
            ports.require_free(command.node, command.ports)
            self._started.append(processes.start(self._layout, command))

    def undo(self) -> None:
        """Stop what was started here."""
        processes.stop(self._layout, reversed(self._started))
