"""Streams of events: iterators that can be closed from anywhere."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import grpc

from client.gateway.errors import EventsError
from client.gateway.service import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from client.gateway.service import Call

T = TypeVar("T")


class EventStream(Generic[T]):
    """An iterator over events as they come. Use it in a `with`, or close it.

    `next()` waits for the next event. Closing, from this thread or another, ends the iteration
    there. If the connection breaks, iterating raises `EventsError`: open a new stream from a
    checkpoint. One stream is for one reading thread.
    """

    def __init__(self, call: Call, unpack: Callable[[Any], Iterable[T]], doing: str) -> None:
        self._call = call
        self._doing = doing
        self._closed = threading.Event()
        self._events = self._read(unpack)

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return next(self._events)

    def close(self) -> None:
        """End the stream, and whoever waits on it; safe from any thread, and more than once."""
        self._closed.set()
        self._call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, unpack: Callable[[Any], Iterable[T]]) -> Iterator[T]:
        try:
            for message in self._call:
                for event in unpack(message):
                    if self._closed.is_set():
                        return
                    yield event
        except grpc.RpcError as error:
            if self._closed.is_set():
                return
            raise translate(error, EventsError, self._doing) from error
