"""Work done by others a few steps ahead of whoever takes the results, in order."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor, Future

Given = TypeVar("Given")
Made = TypeVar("Made")


def in_order(
    pool: Executor, work: Callable[[Given], Made], items: Iterable[Given], depth: int
) -> Iterator[Made]:
    """Yield `work(item)` for every item in order, at most `depth` of them under way.

    What fails is raised in its turn; whatever hasn't begun by then never does.
    """
    waiting: deque[Future[Made]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
