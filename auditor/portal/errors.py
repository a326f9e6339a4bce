"""What the portal refuses: a code whose sentence is in both languages' texts, and an HTTP status."""

from __future__ import annotations

from typing import Final

STATUS: Final = {
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "REQUEST_FORMAT": 400,
    "REQUEST_TOO_LARGE": 413,
    "TOO_MANY_REQUESTS": 429,
    "DOOR_BUSY": 503,
    "DOOR_CLOSED": 503,
    "OVERLOADED": 503,
    "UNAVAILABLE": 503,
    "PICTURE_UNREADABLE": 422,
    "CODE_FORMAT": 422,
    "NOT_SHOWN": 403,
    "ACK_CONTRADICTED": 422,
    "OBJECTIONS_MANY": 422,
    "INTERNAL": 500,
}


class PortalRefused(Exception):  # noqa: N818  an answer, not a failure
    """A request gets no answer but this: `code` is one of STATUS; `retry_after` in seconds, 0 for never."""

    def __init__(self, code: str, *, retry_after: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.status = STATUS[code]
        self.retry_after = retry_after


class NotCarried(Exception):  # noqa: N818  a state of the road
    """Something didn't get into a block, as far as is known; `code` where the chaincode refused it whole."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
