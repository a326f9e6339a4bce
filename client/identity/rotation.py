"""Something made from files that are replaced while the service runs, such as a renewed certificate."""

from __future__ import annotations

import hashlib
import logging
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Rotating(Generic[T]):
    """Holds what `build` makes from files, and makes it anew when their content has changed.

    `current()` is called for every use. When the files don't fit together yet (a certificate without
    its key, in the middle of a rotation) `build` raises and what was built before stays in use.
    Thread-safe. `retire` ends what is replaced.
    """

    def __init__(
        self, files: Sequence[Path], build: Callable[[], T], retire: Callable[[T], None] = lambda _: None
    ) -> None:
        self._files = tuple(files)
        self._build = build
        self._retire = retire
        self._lock = threading.Lock()
        self._held: tuple[bytes, T] | None = None

    def current(self) -> T:
        """Return what is made of the files' present content; raises what `build` raises at first."""
        with self._lock:
            state = self._state()
            if self._held is not None and self._held[0] == state:
                return self._held[1]
            try:
                made = self._build()
            except Exception as error:
                if self._held is None:
                    raise
                _log.warning(
                    "replaced credentials can't be used (%s): going on with the former", type(error).__name__
                )
                return self._held[1]
            former, self._held = self._held, (state, made)
            if former is not None:
                _log.warning("credentials were replaced: going on with the new ones")
                self._retire(former[1])
            return made

    def _state(self) -> bytes:
        digest = hashlib.sha256()
        for file in self._files:
            try:
                digest.update(hashlib.sha256(file.read_bytes()).digest())
            except OSError:
                digest.update(b"missing")
        return digest.digest()
