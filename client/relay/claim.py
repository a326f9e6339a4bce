"""One process a name: two relays of one name would take each other's batches for their own."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from client.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def only_one(folder: Path, mtg: str, door: str, name: str) -> Iterator[None]:
    """Hold a relay's name at a door on this host; raise UserError while another process holds it.

    The lock goes with the process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(folder / f"{mtg}.{door}.{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"a relay called {name!r} runs for meeting {mtg!r} on this host already: "
                "stop it, or give this one another --name"
            ) from error
        yield
