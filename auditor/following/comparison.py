"""Other organisations' peers, block by block beside the own one: a fork, or other validation codes."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from auditor.blocks import parse_block
from auditor.errors import AuditUnavailable, BlockError
from auditor.following.announcement import CODES, FORK, PEER, Announcement

if TYPE_CHECKING:
    import queue

    from auditor.blocks import Block
    from auditor.source import BlockSource

_WINDOW: Final = 10_000  # blocks a channel that wait for a peer which doesn't answer
_CODE_NAMES: Final = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """A block as the own peer has it: its number, its header's hash, the validation codes."""

    number: int
    hash: str
    codes: bytes

    @classmethod
    def of(cls, block: Block) -> Seen:
        """Return what is compared of a block."""
        return cls(block.header.number, block.header.hash().hex(), bytes(block.codes))


class Comparison:
    """Reads one other peer in a thread of its own, and puts what differs into `found`. Use it in a `with`.

    A peer that doesn't answer is asked again and again; `compared` counts blocks.
    """

    def __init__(
        self,
        name: str,
        source: BlockSource,
        found: queue.SimpleQueue[Announcement],
        *,
        interval: float = 1.0,
    ) -> None:
        self.compared = 0
        self._name = name
        self._source = source
        self._found = found
        self._interval = interval
        self._waiting: dict[str, deque[Seen]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._silent = False
        self._thread = threading.Thread(target=self._run, name=f"compare-{name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def note(self, channel: str, seen: Seen) -> None:
        """Have a block of the own peer compared; never waits."""
        with self._lock:
            self._waiting.setdefault(channel, deque(maxlen=_WINDOW)).append(seen)

    def look(self) -> None:
        """Compare what the other peer has of that which waits; raises AuditUnavailable."""
        with self._lock:
            channels = [name for name, waiting in self._waiting.items() if waiting]
        for channel in channels:
            height = self._source.height(channel)
            with self._lock:
                due = [one for one in self._waiting[channel] if one.number < height]
            if due:
                self._compare(channel, due)

    def _compare(self, channel: str, due: list[Seen]) -> None:
        blocks = self._source.blocks(channel, due[0].number, due[-1].number + 1)
        by_number = {one.number: one for one in due}
        for raw in blocks:
            try:
                other = Seen.of(parse_block(raw))
            except BlockError as error:
                self._tell(
                    FORK, channel, error.where, f"{self._name} gives a block that can't be read: {error}"
                )
                other = None
            own = by_number.get(other.number) if other is not None else None
            if own is not None and other is not None:
                self._differs(channel, own, other)
            self.compared += 1
        with self._lock:
            waiting = self._waiting[channel]
            while waiting and waiting[0].number <= due[-1].number:
                waiting.popleft()

    def _differs(self, channel: str, own: Seen, other: Seen) -> None:
        where = f"{channel} block {own.number}"
        if own.hash != other.hash:
            self._tell(FORK, channel, where, f"hash {own.hash} here, {other.hash} at {self._name}")
        elif own.codes != other.codes:
            pairs = enumerate(zip(own.codes, other.codes, strict=False))
            odd = [f"{place}: {mine} and {theirs}" for place, (mine, theirs) in pairs if mine != theirs]
            said = ", ".join(odd[:_CODE_NAMES]) or f"{len(own.codes)} and {len(other.codes)} of them"
            self._tell(CODES, channel, where, f"other validation codes at {self._name} ({said})")

    def _tell(self, kind: str, channel: str, where: str, text: str) -> None:
        self._found.put(Announcement(kind, channel, where, text))

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.look()
                self._silent = False
            except AuditUnavailable as error:
                if not self._silent:
                    self._silent = True
                    text = f"{self._name} can't be compared with: {error}"
                    self._found.put(Announcement(PEER, "", self._name, text, passing=True))
