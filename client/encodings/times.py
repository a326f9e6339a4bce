"""Times as `YYYY-MM-DDTHH:MM:SSZ`, and as whole seconds since 1970 (POSIX: no leap seconds)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

MAX_SECONDS: Final = 253_402_300_799
"""9999-12-31T23:59:59Z."""

_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


@lru_cache(maxsize=4096)
def parse(text: str) -> int:
    """Return the seconds since 1970 of a time from 1970 to 9999; raise ValueError for any other text."""
    if _FORM.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r} is not of the form 2026-01-31T08:00:00Z")
    seconds = int(datetime.fromisoformat(text).timestamp())
    if seconds < 0:
        raise ValueError(f"{text!r} is before 1970")
    return seconds


@lru_cache(maxsize=4096)
def form(seconds: int) -> str:
    """Return whole `seconds` since 1970 as text; raise ValueError outside 1970 to 9999."""
    if not 0 <= seconds <= MAX_SECONDS:
        raise ValueError(f"{seconds} seconds is outside 1970 to 9999")
    # strftime's %Y is unpadded on some platforms, isoformat's never.
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19] + "Z"


def is_time(value: object) -> bool:
    """Say whether `value` is a time in the one form allowed."""
    if not isinstance(value, str):
        return False
    try:
        parse(value)
    except ValueError:
        return False
    return True
