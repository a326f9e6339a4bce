"""A merge join: two sorted streams side by side, one element of each in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_L = TypeVar("_L")
_R = TypeVar("_R")


def outer_join(
    left: Iterable[_L], right: Iterable[_R], left_key: Callable[[_L], str], right_key: Callable[[_R], str]
) -> Iterator[tuple[_L | None, _R | None]]:
    """Yield the pairs of equal keys, and what has no partner with None at its side.

    `left` rises strictly. `right` rises too, but may repeat a key: each repetition is paired with the
    same left element. A right element out of order (the other side chose its own order) is yielded
    without a partner instead of upsetting the rest; the caller has to look it up.
    """
    rest = iter(left)
    current, paired = next(rest, None), False
    last: str | None = None
    for one in right:
        key = right_key(one)
        if last is not None and key < last:
            yield None, one
            continue
        last = key
        while current is not None and left_key(current) < key:
            if not paired:
                yield current, None
            current, paired = next(rest, None), False
        if current is not None and left_key(current) == key:
            paired = True
            yield current, one
        else:
            yield None, one
    while current is not None:
        if not paired:
            yield current, None
        current, paired = next(rest, None), False
