"""The clock that services run by, and its moments as records write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from client.encodings import times

Clock = Callable[[], datetime]
"""Gives the present as an aware datetime; tests and rehearsals give their own."""


def now() -> datetime:
    """Return the present, the clock that services use unless they are given another."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """Write an aware moment as `YYYY-MM-DDTHH:MM:SSZ`, cut to whole seconds."""
    return times.form(int(moment.timestamp()))
