"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

PUBLIC = 0o644
SECRET = 0o600


def write(path: Path, data: bytes | str, mode: int = PUBLIC) -> None:
    """Replace a file's content atomically; the mode is in force before the first byte is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = data.encode() if isinstance(data, str) else data
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise
