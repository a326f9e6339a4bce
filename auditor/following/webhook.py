"""Announcements by HTTP POST: a thread of its own with a bounded queue, so that nobody waits for it."""

from __future__ import annotations

import json
import logging
import threading
import urllib.parse
import urllib.request
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Self

from auditor.errors import AuditUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOG = logging.getLogger(__name__)
QUEUE: Final = 1000
"""Announcements that wait; of more, the oldest are dropped, and counted."""
_TIMEOUT: Final = 5.0
_LABEL: Final = 64
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0


class Webhook:
    """Posts each announcement as JSON until it is taken (2xx), in order. Use it in a `with`."""

    def __init__(self, url: str, *, queue: int = QUEUE, first_wait: float = _FIRST_WAIT) -> None:
        """Raise AuditUnavailable for what is no http or https URL to post to; waits are in seconds."""
        _verify_url(url)
        self.sent = 0
        self.failed = 0
        self.dropped = 0
        self._url = url
        self._most = queue
        self._first_wait = first_wait
        self._waiting: deque[Mapping[str, Any]] = deque()
        self._change = threading.Condition()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop at once; what wasn't taken yet is in the log."""
        self._closed.set()
        with self._change:
            self._change.notify_all()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """How many announcements wait to be taken."""
        return len(self._waiting)

    def tell(self, document: Mapping[str, Any]) -> None:
        """Queue an announcement; never waits."""
        with self._change:
            if len(self._waiting) >= self._most:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(document)
            self._change.notify_all()

    def _run(self) -> None:
        wait = self._first_wait
        while (document := self._next()) is not None:
            if self._post(document):
                wait = self._first_wait
                with self._change:
                    if self._waiting and self._waiting[0] is document:
                        self._waiting.popleft()
                    self.sent += 1
                continue
            self.failed += 1
            self._closed.wait(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _next(self) -> Mapping[str, Any] | None:
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._closed.is_set())
            return None if self._closed.is_set() else self._waiting[0]

    def _post(self, document: Mapping[str, Any]) -> bool:
        try:
            data = json.dumps(document).encode()  # in ASCII, which takes any text
            request = urllib.request.Request(  # noqa: S310  the scheme was looked at
                self._url, data=data, headers={"Content-Type": "application/json"}, method="POST"
            )
            with _OPENER.open(request, timeout=_TIMEOUT):
                return True
        except Exception as error:  # noqa: BLE001  whatever it is, the thread must go on and say so
            _LOG.warning("the webhook did not take an announcement: %s", error)
            return False


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for an answer that isn't 2xx: alarms go where the operator said, and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


def _verify_url(url: str) -> None:
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AuditUnavailable(f"the webhook {url!r} is no http or https URL: {error}") from error
    if not url.startswith(("http://", "https://")) or not host or port == 0:
        raise AuditUnavailable(f"the webhook {url!r} is no http or https URL")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise AuditUnavailable(
            f"the webhook {url!r} is no http or https URL: write other characters than printable ASCII as %XX"
        )
    # A host that no name can be: the client would refuse it at every attempt.
    if any(not 0 < len(label) < _LABEL for label in host.removesuffix(".").split(".")):
        raise AuditUnavailable(f"the webhook {url!r} is no http or https URL: there is no such host name")
