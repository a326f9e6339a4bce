"""Requests whose uploads stay in memory."""

from __future__ import annotations

import io
from typing import IO

from flask import Request


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
