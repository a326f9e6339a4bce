"""Waiting for what another process will have done soon."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 180.0


def wait_until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Ask until the condition holds; fail the test after `patience` seconds, saying what did not come."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > patience:
            pytest.fail(f"not within {patience:.0f} s: {what}")
        time.sleep(0.05)
