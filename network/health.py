"""Waiting on health: a wait ends with the condition, a dead process or a deadline; none sleeps blindly."""

from __future__ import annotations

import re
import socket
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final

from network import processes
from network.errors import NodeFailed
from network.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from network.layout import Layout

_INTERVAL: Final = 0.1
_ANSWER_SECONDS: Final = 2
_SAMPLE = re.compile(r"^(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def http_check(port: int) -> Callable[[], str | None]:
    """Return the check of a node whose operations endpoint is on this port."""
    return lambda: http_healthy(port)


def port_check(port: int) -> Callable[[], str | None]:
    """Return the check that something accepts connections on the port."""
    return lambda: accepts(port)


def all_of(checks: Sequence[Callable[[], str | None]]) -> Callable[[], str | None]:
    """Return a check that passes when all of them do."""
    return lambda: next((reason for check in checks if (reason := check()) is not None), None)


def http_healthy(port: int) -> str | None:
    """Ask a node's operations endpoint; return None when it is healthy, else what it said."""
    try:
        status, text = _get(port, "/healthz")
    except (OSError, HTTPException) as error:
        return f"no answer on port {port} ({type(error).__name__})"
    return None if status == HTTPStatus.OK else f"HTTP {status} {text[:200]}"


def accepts(port: int) -> str | None:
    """Return None when something accepts connections on the port, else that nothing does."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError as error:
        return f"port {port}: {error.strerror or error}"
    return None


def metrics(port: int) -> dict[tuple[str, str], float]:
    """Return a node's gauges and counters by name and channel ("" for none); {} when it is silent."""
    try:
        _, text = _get(port, "/metrics")
    except (OSError, HTTPException):
        return {}
    found = {}
    for sample in _SAMPLE.finditer(text):
        labels = dict(_LABEL.findall(sample["labels"] or ""))
        found[sample["name"], labels.get("channel", "")] = float(sample["value"])
    return found


def _get(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection(LOOPBACK, port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def wait_for(
    layout: Layout,
    checks: Mapping[str, Callable[[], str | None]],
    seconds: float,
    what: str,
    *,
    supervised: bool = False,
) -> None:
    """Wait until every node's check passes.

    Raises `NodeFailed` as soon as one of the nodes' processes is dead, or when `seconds` are over,
    with the last lines of that node's log. A check returns None when all is well, otherwise what is
    still missing. A `supervised` process may die meanwhile: it comes back.
    """
    deadline = time.monotonic() + seconds
    waiting = dict(checks)
    while True:
        reasons = {node: reason for node, check in waiting.items() if (reason := check()) is not None}
        waiting = {node: waiting[node] for node in reasons}
        if not waiting:
            return
        for node in waiting:
            if not supervised and processes.recorded(layout, node) is None:
                lines = processes.last_lines(layout, node)
                raise NodeFailed(
                    node,
                    f"{node} ended while the network was starting; its log is {layout.log(node)}",
                    log_lines=lines,
                )
        if time.monotonic() > deadline:
            node, reason = next(iter(reasons.items()))
            lines = processes.last_lines(layout, node)
            raise NodeFailed(
                node,
                f"{node}: {what} did not come within {seconds:.0f} s ({reason}); log: {layout.log(node)}",
                log_lines=lines,
            )
        time.sleep(_INTERVAL)
