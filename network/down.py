"""Stops a network, and deletes it when asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from network import processes, state, supervisor
from network.errors import NetworkError
from network.layout import Layout

if TYPE_CHECKING:
    from pathlib import Path


def down(home: Path, *, purge: bool = False) -> tuple[str, ...]:
    """Stop everything of the home's network and return the names of what was stopped.

    Processes are told by pid, start time and boot, never by name. `purge` also deletes ledgers and
    certificates. Raises `NetworkError` if something would not end.
    """
    layout = Layout(home.resolve())
    with state.locked(layout):
        stopped = stop_all(layout)
        if purge:
            state.erase(layout)
    return stopped


def stop_all(layout: Layout) -> tuple[str, ...]:
    """Stop all of the network's processes, recorded or not; the lock must be held."""
    layout.profile.unlink(
        missing_ok=True
    )  # before anything ends: clients are not to start on a dying network
    stopped: list[str] = []
    keeper = processes.recorded(layout, supervisor.NAME)
    if keeper is not None:
        processes.stop(layout, [keeper])  # first, so that it restarts nothing
        stopped.append(keeper.node)
    nodes = processes.all_recorded(layout)
    processes.stop(layout, nodes)
    strays = processes.strays(layout)
    processes.stop(layout, strays)
    stopped += [record.node for record in (*nodes, *strays)]
    if left := [record for record in (*nodes, *strays) if record.alive()]:
        raise NetworkError(f"process {left[0].pid} ({left[0].node}) does not end, not even when killed")
    return tuple(stopped)
