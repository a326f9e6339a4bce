"""Unit tests open no sockets but Unix ones; what talks to the world is an integration test."""

from __future__ import annotations

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_sockets(request: pytest.FixtureRequest) -> object:
    if "real_server" in request.keywords:
        return None
    disable_socket(allow_unix_socket=True)
    request.addfinalizer(enable_socket)
    return None
