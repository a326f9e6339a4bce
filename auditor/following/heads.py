"""Signed tree heads in a folder, whoever put them there: each names a block, which must be the own one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.errors import AuditUnavailable
from auditor.following.announcement import FORK, PEER, Announcement
from auditor.log.errors import LogRefused
from auditor.log.head import parse_head_file, verify_head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.log.head import TreeHead
    from auditor.members import Organisation
    from auditor.verifier import Verifier


@dataclass(slots=True)
class Heads:
    """Compares head files (`*.json`), each once it is there and its block was verified."""

    folder: Path
    regulator: Organisation
    _done: set[tuple[str, int]] = field(default_factory=set)

    def look(self, verifier: Verifier) -> Iterator[Announcement]:
        """Yield a fork for each head with another hash at its height, and what can't be read or believed."""
        for path in sorted(self.folder.glob("*.json")):
            try:
                version = (path.name, path.stat().st_mtime_ns)
                if version in self._done:
                    continue
                head = verify_head(parse_head_file(path.read_bytes()), self.regulator).head
            except (OSError, LogRefused, AuditUnavailable) as error:
                self._done.add(version)
                yield Announcement(PEER, "", path.name, f"no head that counts: {error}")
                continue
            if head.channel not in verifier.channels():
                self._done.add(version)
                continue
            own = verifier.hash_of(head.channel, head.block)
            if own is None:
                continue  # not verified so far yet
            self._done.add(version)
            if own != head.block_hash:
                yield _fork(path, head, own)


def _fork(path: Path, head: TreeHead, own: str) -> Announcement:
    where = f"{head.channel} block {head.block}"
    return Announcement(
        FORK, head.channel, where, f"hash {own} here, {head.block_hash} in the head {path.name}"
    )
