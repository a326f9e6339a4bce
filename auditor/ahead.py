"""Verification ahead of the replay: signatures that other processes look at while this one replays.

The replay stays sequential and decides everything. What is done ahead is pure: whether one key made one
signature over one text, whether one certificate is a lender's of one issuer. Only what **held** is noted,
under all that it depends on; whatever is not noted, the replay verifies itself. With helpers and without,
the findings are therefore the same.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from collections import OrderedDict, deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, Generic, Protocol, Self, TypeVar

from auditor.facts import that_hold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from auditor.facts import Fact, Facts

_LOG = logging.getLogger(__name__)
DEPTH: Final = 4
"""Items that are under way at a time: enough for every helper, and little memory."""
MOST_BYTES: Final = 1 << 25
"""Of encoded items that are kept until their turn: DEPTH blocks of several full batches each."""
_CHUNK: Final = 250  # facts a message
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)

_Item = TypeVar("_Item")


class Helpers(Protocol):
    """Whoever verifies ahead."""

    def ahead(
        self, items: Iterable[_Item], ask: Callable[[_Item], Sequence[Fact]], facts: Facts
    ) -> Iterator[_Item]:
        """Yield the items in order, each when `facts` has what held of that which `ask` asked for it.

        Items are read before their turn, so they have to be there already.
        """
        ...


class ReadAhead(Generic[_Item]):
    """The items that were read before their turn, by their bytes; no checkpoint keeps them."""

    def __init__(self) -> None:
        self._items: OrderedDict[bytes, _Item] = OrderedDict()
        self._bytes = 0

    def put(self, encoded: bytes, item: _Item) -> None:
        """Keep an item; beyond MOST_BYTES, those that nobody took are forgotten, the oldest first."""
        self.take(encoded)
        self._items[encoded] = item
        self._bytes += len(encoded)
        while self._bytes > MOST_BYTES:
            forgotten, _ = self._items.popitem(last=False)
            self._bytes -= len(forgotten)

    def take(self, encoded: bytes) -> _Item | None:
        """Return an item once; None for any that was not read ahead."""
        if encoded not in self._items:
            return None
        self._bytes -= len(encoded)
        return self._items.pop(encoded)

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        """Be empty in another process and after a restart."""
        return type(self), ()


class Alone:
    """No helpers: nothing is known ahead."""

    def ahead(
        self, items: Iterable[_Item], ask: Callable[[_Item], Sequence[Fact]], facts: Facts
    ) -> Iterator[_Item]:
        """Yield the items as they come."""
        del ask, facts
        yield from items


class HelperProcesses:
    """Processes of their own, which end with the block. One fewer than processors would leave one idle:
    this one waits for them now and then.
    """  # noqa: D205  one sentence after another

    def __init__(self, count: int | None = None) -> None:
        # A fork would copy gRPC's threads halfway.
        self._pool = ProcessPoolExecutor(
            count or os.cpu_count() or 1,
            mp_context=get_context("spawn"),
            initializer=_end_with,
            initargs=(os.getpid(),),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def ahead(
        self, items: Iterable[_Item], ask: Callable[[_Item], Sequence[Fact]], facts: Facts
    ) -> Iterator[_Item]:
        """Yield the items in order, DEPTH of them read and asked about before their turn."""
        waiting: deque[tuple[_Item, list[_Part]]] = deque()
        try:
            for item in items:
                waiting.append((item, self._parts(ask(item))))
                if len(waiting) >= DEPTH:
                    yield _known(*waiting.popleft(), facts)
            while waiting:
                yield _known(*waiting.popleft(), facts)
        finally:
            for _, parts in waiting:
                for part in parts:
                    part.future.cancel()
            facts.renew(())

    def _parts(self, asked: Sequence[Fact]) -> list[_Part]:
        chunks = [asked[start : start + _CHUNK] for start in range(0, len(asked), _CHUNK)]
        try:
            return [_Part(chunk, self._pool.submit(that_hold, chunk)) for chunk in chunks]
        except BrokenProcessPool:
            return []  # the replay does without


def _end_with(parent: int) -> None:
    """Have the kernel end this helper when its parent is gone, even killed (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business


class _Part:
    """Some facts on their way through a helper."""

    def __init__(self, asked: Sequence[Fact], future: Future[list[bool]]) -> None:
        self.asked = asked
        self.future = future

    def held(self) -> list[Fact]:
        """Return what held; nothing where a helper ended before its time: the replay does without."""
        try:
            answers = self.future.result()
        except BrokenProcessPool:
            _LOG.warning("a process that verifies signatures ahead ended: going on without")
            return []
        return [fact for fact, holds in zip(self.asked, answers, strict=True) if holds]


def _known(item: _Item, parts: list[_Part], facts: Facts) -> _Item:
    facts.renew(fact for part in parts for fact in part.held())
    return item
