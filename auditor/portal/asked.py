"""Reading requests: fields of forms, each given as text or as a file; and the meeting that a path names."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING

from flask import Request, request

from auditor.portal.address import client_of
from auditor.portal.errors import PortalRefused

if TYPE_CHECKING:
    from auditor.portal.facts import MeetingFacts
    from auditor.portal.parts import Parts

MOST_BYTES = 6_000_000
MOST_TEXT = 300_000
MOST_PARTS = 8


class MemoryRequest(Request):
    """A request whose uploads stay in memory: the default writes larger ones into temporary files."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        del total_content_length, content_type, filename, content_length
        return io.BytesIO()


def given(name: str) -> bytes:
    """Return a field's file, else its text; empty where neither was given."""
    file = request.files.get(f"{name}_file")
    data = file.stream.read() if file is not None else b""
    return data or request.form.get(name, "").strip().encode()


def meeting_of(parts: Parts, institution: str, mtg: str) -> MeetingFacts:
    """Return the meeting that a path names; refuse with NOT_FOUND."""
    facts = parts.watcher.facts.find(institution, mtg)
    if facts is None:
        raise PortalRefused("NOT_FOUND")
    return facts


def pace(parts: Parts) -> None:
    """Count a request that costs something; refuse with TOO_MANY_REQUESTS."""
    parts.pace.take(_client(parts))


def pace_reading(parts: Parts) -> None:
    """Count any request at all, at the rate of who reads; refuse with TOO_MANY_REQUESTS."""
    parts.reading.take(_client(parts))


def _client(parts: Parts) -> str:
    return client_of(request.remote_addr or "", request.headers.getlist("X-Forwarded-For"), parts.proxies)
