"""Bytes to messages, or a clear refusal."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from client.gateway.errors import MalformedError


def parsed(kind: Any, data: bytes, what: str) -> Any:
    """Return `data` as a message of `kind`; raises `MalformedError` naming `what` it should be."""
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise MalformedError(f"these {len(data)} bytes are not {what}: {error}") from error
