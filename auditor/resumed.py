"""A verifier whose state is on disk: resumed where a checkpoint is, begun from genesis where none is."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from auditor.errors import AuditUnavailable
from auditor.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.ahead import Helpers
    from auditor.checkpoint import Checkpoints
    from auditor.source import BlockSource

_LOG = logging.getLogger(__name__)
SLICE: Final = 10
"""Blocks of a channel between two looks at the clock, while there are more."""


def resumed(checkpoints: Checkpoints, helpers: Helpers) -> Verifier:
    """Return the last checkpoint's verifier, else a new one with a first checkpoint.

    Raises CheckpointRefused for a checkpoint that is damaged, of other channels or of other code.
    """
    verifier = checkpoints.resume(helpers)
    if verifier is None:
        roots = checkpoints.roots
        _LOG.info("no checkpoint: verifying from genesis")
        verifier = Verifier(roots.genesis, roots.offices, helpers, checkpoints.store)
        checkpoints.save(verifier)
    return verifier


def catch_up(source: BlockSource, verifier: Verifier, channel: str, height: int) -> Iterator[int]:
    """Verify a channel up to a height, a slice at a time; yield how far it got after each.

    Raises AuditUnavailable where the peer doesn't serve a block.
    """
    while not verifier.broken(channel) and (start := verifier.height(channel)) < height:
        verifier.follow(channel, source.blocks(channel, start, min(start + SLICE, height)))
        if verifier.height(channel) == start and not verifier.broken(channel):
            raise AuditUnavailable(f"the auditor's own peer serves no block {start} of {channel}")
        yield verifier.height(channel)


def remove(path: Path) -> None:
    """Remove a state, so that the next one begins from genesis; raises AuditUnavailable."""
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        try:
            name.unlink(missing_ok=True)
        except OSError as error:
            raise AuditUnavailable(f"{name} can't be removed: {error.strerror}") from error
