"""Processes and memory of a benchmark that makes very many values."""

from __future__ import annotations

import gc
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def processes(count: int) -> ProcessPoolExecutor:
    """Return a pool of fresh processes: a fork would copy gRPC's threads halfway."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cyclic garbage collector where only acyclic values are made, and very many of them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def collector_spared() -> Iterator[None]:
    """Let the cyclic garbage collector pass over everything that is there already, such as a large roll."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
