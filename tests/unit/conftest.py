"""Unit tests open no sockets but Unix ones; what talks to the world is an integration test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pytest_socket import disable_socket, enable_socket

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    """Refuse network sockets for the length of a test."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
