"""The portal's replay on disk: one thread verifies and writes, every other asks what was last committed."""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.ahead import Alone
from auditor.checkpoint import Checkpoints
from auditor.errors import AuditUnavailable
from auditor.resumed import resumed
from auditor.store import TEXT, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from auditor.ahead import Helpers
    from auditor.run import Roots
    from auditor.verifier import Verifier


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader gets: the verifier and the store of the last commit, for as long as its `with` lasts."""

    verifier: Verifier
    store: Store

    def voters(self, channel: str, mtg: str) -> MutableMapping[str, str]:
        """Return, by lender, the digests of the ballots accepted in that name, each after a space."""
        return voters(self.store, channel, mtg)


def voters(store: Store, channel: str, mtg: str) -> MutableMapping[str, str]:
    """Return a store's table of a meeting's ballots by lender."""
    return store.table(f"{channel}/{mtg}/voters", TEXT)


class State:
    """A verifier in a file, and that file as it was at the last `save` for whoever asks meanwhile.

    Readers share one connection and take turns; each turn is short: a few records. They never wait for a
    block that is verified, only for a `save`. Without a path the state is in a temporary folder, which is
    gone with it.
    """

    def __init__(self, roots: Roots, path: Path | None, helpers: Helpers) -> None:
        """Resume, or begin from genesis; raises CheckpointRefused and StoreUnusable."""
        folder = None if path is not None else Path(tempfile.mkdtemp(prefix="concordat-portal-"))
        self.path = path or folder / "serving.db" if folder else path
        self._roots = roots
        self._lock = threading.RLock()
        self.store = Store(self.path)
        try:
            self._checkpoints = Checkpoints(self.store, roots)
            self.verifier = resumed(self._checkpoints, helpers)
            self._reader = Store(self.path, read_only=True)
        except BaseException:
            _end(folder, self.store)
            raise
        self._end = weakref.finalize(self, _end, folder, self._reader, self.store)
        self._look()

    @contextmanager
    def reading(self) -> Iterator[Seen]:
        """Have the state of the last save to oneself for a moment."""
        with self._lock:
            yield self._seen

    def save(self) -> None:
        """Make what was verified durable, and let readers see it."""
        with self._lock:
            # Readers let go of the old state first: only then can SQLite take its log back into the file,
            # which would grow for ever otherwise.
            self._reader.renew()
            self._checkpoints.save(self.verifier)
            self._look()

    def close(self) -> None:
        """Leave the file as the last save made it."""
        with self._lock:
            self._end()

    def _look(self) -> None:
        verifier = Checkpoints(self._reader, self._roots).resume(Alone(), thoroughly=False)
        if verifier is None:
            raise AuditUnavailable(f"{self.path} lost its checkpoint")
        self._seen = Seen(verifier, self._reader)


def _end(folder: Path | None, *stores: Store) -> None:
    for store in stores:
        store.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
