"""The portal's own server: connections beyond its number are told at once when to come back."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from client.serving.bounded import BoundedServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[BoundedServer]:
    app = Flask("answering")
    app.add_url_rule("/", view_func=lambda: "here")
    one = BoundedServer("127.0.0.1", 0, app, connections=1)
    thread = threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield one
    one.shutdown()
    thread.join(timeout=10)
    one.server_close()


def ask(server: BoundedServer) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    connection.request("GET", "/")
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def test_beyond_its_connections_it_answers_busy_and_then_serves_again(server: BoundedServer) -> None:
    # Connections are taken in the order in which they came, so the first has the only room.
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as idle:
        busy = ask(server)
        assert (busy.status, busy.headers["Retry-After"]) == (503, "5")
        idle.sendall(b"GET / HTTP/1.1\r\nHost: portal\r\n\r\n")
        with idle.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 200")
    # The thread makes room after it has answered, so the next ones may still come too early.
    until = time.monotonic() + 30
    while (status := ask(server).status) == 503 and time.monotonic() < until:
        pass
    assert status == 200
