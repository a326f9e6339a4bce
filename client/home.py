"""Where Concordat keeps its state on this host."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Return the state folder: `$CONCORDAT_HOME`, or `var/` below the current folder."""
    return Path(os.environ.get("CONCORDAT_HOME") or "var").absolute()
