"""Serving an application: a bounded number of connections; those beyond are told to come back, at once."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    import socket

    from flask import Flask

_READ_SECONDS: Final = 30.0
_BUSY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Busy:
    """What those are told who come when there is no room: a body and its media type."""

    body: bytes = json.dumps({"v": 1, "code": "OVERLOADED"}).encode("ascii")
    media_type: str = "application/json"


BUSY: Final = Busy()


class QuietHandler(WSGIRequestHandler):
    """Logs nothing by itself (paths may name people), and gives up on clients that send nothing."""

    timeout = _READ_SECONDS
    server_version = "concordat"
    sys_version = ""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the application logs its routes."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Say nothing: what a client sent may be in it."""


class BoundedServer(ThreadedWSGIServer):
    """A thread for each connection, at most `connections` of them; more are told that it is `busy`."""

    daemon_threads = True

    def __init__(self, host: str, port: int, app: Flask, *, connections: int = 64, busy: Busy = BUSY) -> None:
        super().__init__(host, port, app, QuietHandler)
        self._busy = busy
        self._room = threading.BoundedSemaphore(connections)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve the connection in a thread of its own, or turn it away."""
        if not self._room.acquire(blocking=False):
            _turn_away(request, self._busy)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection and make room again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()


def _turn_away(connection: socket.socket, busy: Busy) -> None:
    head = (
        f"HTTP/1.1 503 Service Unavailable\r\nContent-Type: {busy.media_type}\r\n"
        f"Content-Length: {len(busy.body)}\r\nRetry-After: {_BUSY_SECONDS}\r\nConnection: close\r\n\r\n"
    )
    try:
        connection.settimeout(1.0)
        connection.sendall(head.encode("ascii") + busy.body)
    except OSError:
        return
