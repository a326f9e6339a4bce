"""Fabric's own command-line programs, run to their end."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from network.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TIMEOUT_SECONDS = 120


def run(argv: Sequence[str], env: Mapping[str, str]) -> str:
    """Run one command and return its standard output.

    Raises `CommandFailed` with the command's last lines when it refuses or takes over two minutes.
    """
    name = " ".join([argv[0].rpartition("/")[2], *(a for a in argv[1:4] if not a.startswith("-"))])
    try:
        done = subprocess.run(
            list(argv),
            env={"PATH": os.environ.get("PATH", os.defpath), **env},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"`{name}` did not finish within {_TIMEOUT_SECONDS} s") from error
    if done.returncode != 0:
        lines = tuple((done.stderr.strip() or done.stdout.strip()).splitlines()[-8:])
        raise CommandFailed(f"`{name}` failed: {lines[-1] if lines else 'no output'}", log_lines=lines)
    return done.stdout
