"""The portal's own server: connections beyond its number are told at once when to come back."""

from __future__ import annotations

import http.client
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from auditor.portal.server import BoundedServer

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
    assert ask(server).status == 200
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\n")
        busy = ask(server)
        assert (busy.status, busy.headers["Retry-After"]) == (503, "5")
        idle.sendall(b"\r\n")
        with idle.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 200")
    # The thread makes room after it has answered, so the next one may still come too early.
    assert 200 in (ask(server).status for _ in range(100))
