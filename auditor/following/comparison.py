"""Other organisations' peers, block by block beside the own one: a fork, or other validation codes."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from auditor.blocks import parse_block
from auditor.errors import AuditUnavailable, BlockError
from auditor.following.announcement import CODES, FORK, PEER, Announcement

if TYPE_CHECKING:
    import queue
    from collections.abc import Callable, Iterator

    from auditor.blocks import Block
    from auditor.source import BlockSource

_WINDOW: Final = 10_000  # blocks a channel that wait for a peer which doesn't answer
_CODE_NAMES: Final = 3
_STILL: Final = 10
PATIENCE: Final = 60.0
"""Seconds that another peer may be behind the own one before somebody is told."""


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

    A peer that doesn't answer, or gives other blocks than those asked for, is told of once and asked again
    and again; what it didn't give goes on waiting. One that is behind is told of when a block of the own peer
    has waited for it for `patience` seconds, again after ten times as long, and when it caught up.
    `compared` counts blocks. `clock` gives seconds.
    """

    def __init__(
        self,
        name: str,
        source: BlockSource,
        found: queue.SimpleQueue[Announcement],
        *,
        interval: float = 1.0,
        patience: float = PATIENCE,
        window: int = _WINDOW,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.compared = 0
        self._name = name
        self._source = source
        self._found = found
        self._interval = interval
        self._patience = patience
        self._window = window
        self._clock = clock
        self._waiting: dict[str, deque[tuple[float, Seen]]] = {}
        self._dropped: dict[str, int] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._standing: set[tuple[str, str]] = set()
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
            waiting = self._waiting.setdefault(channel, deque())
            while waiting and waiting[-1][1].number >= seen.number:
                waiting.pop()  # it is read a second time
            if len(waiting) >= self._window:
                waiting.popleft()
                self._dropped[channel] = self._dropped.get(channel, 0) + 1
            waiting.append((self._clock(), seen))

    def look(self) -> None:
        """Compare what the other peer has of that which waits; raises AuditUnavailable, at the end."""
        with self._lock:
            channels = list(self._waiting)
        failed: AuditUnavailable | None = None
        for channel in channels:
            try:
                self._look(channel)
            except AuditUnavailable as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def watch(self) -> None:
        """Tell of blocks that wait too long, and of a peer that caught up.

        For the thread that notes blocks: a peer that never ends an answer holds up only the other one.
        """
        with self._lock:
            oldest = {channel: waiting[0] if waiting else None for channel, waiting in self._waiting.items()}
        for channel, one in oldest.items():
            self._late(channel, one)

    def _look(self, channel: str) -> None:
        with self._lock:
            dropped = self._dropped.get(channel, 0)
        if dropped:
            text = f"{self._name} is so far behind that blocks are no longer kept to compare with it"
            self._stand(channel, "dropped", text)
        height = self._source.height(channel)
        with self._lock:
            due = [one for _, one in self._waiting[channel] if one.number < height]
        # What waits has a gap only where blocks were dropped.
        if all(self._compare(channel, run) for run in _runs(due)):
            self._over(channel, "gives")

    def _compare(self, channel: str, due: list[Seen]) -> bool:
        """Compare neighbouring blocks, say whether the peer gave exactly these."""
        blocks = iter(self._source.blocks(channel, due[0].number, due[-1].number + 1))
        for own in due:
            raw = next(blocks, None)
            if raw is None:
                text = f"{self._name} has block {own.number} by its height and does not give it"
                self._stand(channel, "gives", text)
                return False
            try:
                other = Seen.of(parse_block(raw))
            except BlockError as error:
                text = f"{self._name} gives a block that can't be read as block {own.number}: {error}"
                self._tell(FORK, channel, f"{channel} block {own.number}", text)
            else:
                if other.number != own.number:
                    text = f"{self._name} gives block {other.number} where block {own.number} was asked for"
                    self._stand(channel, "gives", text)
                    return False
                self._differs(channel, own, other)
            self._done(channel, own.number)
        return True

    def _done(self, channel: str, number: int) -> None:
        self.compared += 1
        with self._lock:
            waiting = self._waiting[channel]
            while waiting and waiting[0][1].number <= number:
                waiting.popleft()

    def _late(self, channel: str, oldest: tuple[float, Seen] | None) -> None:
        since, first = oldest or (None, None)
        waited = 0.0 if since is None else self._clock() - since
        if first is None or waited < self._patience:
            if self._over(channel, "late"):
                self._tell_peer(channel, f"{self._name} has caught up again")
            self._over(channel, "later")
            return
        said = f"block {first.number}, which the own peer had {waited:.0f} s ago, is not compared yet"
        self._stand(channel, "late", f"{self._name} is behind: {said}")
        if waited >= _STILL * self._patience:
            self._stand(channel, "later", f"{self._name} is still behind: {said}")

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

    def _tell_peer(self, channel: str, text: str) -> None:
        self._found.put(Announcement(PEER, channel, self._name, text, passing=True))

    def _stand(self, channel: str, what: str, text: str) -> None:
        """Tell of something that may pass, once while it lasts."""
        if (channel, what) not in self._standing:
            self._standing.add((channel, what))
            self._tell_peer(channel, text)

    def _over(self, channel: str, what: str) -> bool:
        """Note that it passed; say whether it stood."""
        stood = (channel, what) in self._standing
        self._standing.discard((channel, what))
        return stood

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.look()
                self._over("", "silent")
            except AuditUnavailable as error:
                self._stand("", "silent", f"{self._name} can't be compared with: {error}")
            except Exception as error:  # noqa: BLE001  whatever it is, the comparing must not end unheard
                said = f"{type(error).__name__}: {error}"
                self._stand("", "silent", f"{self._name} can't be compared with: {said}")


def _runs(due: list[Seen]) -> Iterator[list[Seen]]:
    """Yield what is due in runs of neighbouring numbers."""
    run: list[Seen] = []
    for one in due:
        if run and one.number != run[-1].number + 1:
            yield run
            run = []
        run.append(one)
    if run:
        yield run
