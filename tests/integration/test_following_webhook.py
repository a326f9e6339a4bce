"""The webhook over real HTTP: down, slow to come back, and never waited for."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from auditor.errors import AuditUnavailable
from auditor.following.webhook import Webhook
from client.cli.main import main
from tests.integration.follower_process import Hook
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


def test_a_hook_that_is_down_gets_everything_in_order_once_it_is_up() -> None:
    with Hook() as hook, Webhook(hook.url, first_wait=0.01) as webhook:
        hook.down = True
        for number in range(5):
            webhook.tell({"n": number})
        wait_until(lambda: hook.refused >= 2, "a second attempt")
        assert (hook.told, webhook.waiting) == ([], 5)
        hook.down = False
        wait_until(lambda: len(hook.told) == 5, "all five")
        assert [one["n"] for one in hook.told] == list(range(5))
        wait_until(lambda: webhook.sent == 5, "all taken")
        assert (webhook.waiting, webhook.dropped) == (0, 0)
        assert webhook.failed >= 2


def test_the_queue_is_bounded_and_the_newest_are_kept() -> None:
    with Hook() as hook:
        hook.down = True
        with Webhook(hook.url, queue=3, first_wait=0.01) as webhook:
            wait_until(lambda: not webhook.waiting, "an empty queue")
            for number in range(10):
                webhook.tell({"n": number})
            assert (webhook.waiting, webhook.dropped) == (3, 7)
            hook.down = False
            wait_until(lambda: [one["n"] for one in hook.told[-3:]] == [7, 8, 9], "the newest three")


def test_nobody_listening_blocks_nobody() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        with Webhook(f"http://127.0.0.1:{taken.getsockname()[1]}/", first_wait=30) as webhook:
            for number in range(100):
                webhook.tell({"n": number})
            wait_until(lambda: webhook.failed, "an attempt")
            assert webhook.waiting == 100
        # Leaving ends the wait before the next attempt, too.


def test_a_redirect_is_no_delivery_and_is_not_followed(caplog: pytest.LogCaptureFixture) -> None:
    with Hook() as other, Hook() as hook, Webhook(hook.url, first_wait=0.01) as webhook:
        hook.elsewhere = other.url
        webhook.tell({"n": 1})
        wait_until(lambda: webhook.failed >= 2, "a second attempt")
        assert (other.told, other.refused, webhook.sent, webhook.waiting) == ([], 0, 0, 1)
        assert "did not take an announcement: HTTP Error 302" in caplog.text
        hook.elsewhere = ""
        wait_until(lambda: hook.told == [{"n": 1}], "the delivery")
        assert other.told == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://localhost/",
        "localhost:80",
        "http://",
        "http://[::1/",
        "http://localhost:99999/",
        "http://localhost:x/",
        "http://localhost:0/",
        "http://localhost/ü",
        "http://localhost/a b",
        "http://localhost/a\nb",
        "http://a..b/",
        f"http://{'a' * 64}/",
    ],
)
def test_only_http_is_a_webhook(url: str) -> None:
    with pytest.raises(AuditUnavailable, match="no http or https URL"):
        Webhook(url)


@pytest.mark.parametrize("url", ["http://[::1]:8080/a?b=%C3%BC", "https://alarms.example./x"])
def test_what_is_a_webhook(url: str) -> None:
    assert Webhook(url).waiting == 0


def test_no_announcement_ends_the_thread() -> None:
    with Hook() as hook, Webhook(hook.url, queue=1, first_wait=0.01) as webhook:
        webhook.tell({"n": object()})  # nothing that JSON has
        wait_until(lambda: webhook.failed, "an attempt")
        webhook.tell({"n": "\udc80"})
        wait_until(lambda: hook.told == [{"n": "\udc80"}], "the next one")


def test_a_bad_webhook_is_refused_at_the_start_before_anything_is_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "following.db"
    state.write_bytes(b"kept")
    follow = ["audit", "follow", "--no-database", "--from-genesis", "--state", str(state)]
    assert main([*follow, "--webhook", "http://[::1/"]) == 2
    assert "no http or https URL" in capsys.readouterr().err
    assert state.read_bytes() == b"kept"
