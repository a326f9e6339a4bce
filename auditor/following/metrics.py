"""The follower's figures in Prometheus' text form, served on this host only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from auditor.errors import AuditUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.following.webhook import Webhook

ADDRESS: Final = "127.0.0.1"


class Metrics:
    """One follower's metrics; `registry` holds them."""

    def __init__(self, webhook: Webhook | None = None) -> None:
        """Name the metrics."""
        self.registry = CollectorRegistry()
        one = self.registry
        self.alarms = Counter("concordat_audit_alarms", "Alarms raised.", ["kind", "channel"], registry=one)
        self.height = Gauge("concordat_audit_height", "Blocks verified.", ["channel"], registry=one)
        self.peer_height = Gauge(
            "concordat_audit_peer_height", "Blocks that the own peer has.", ["channel"], registry=one
        )
        self.broken = Gauge(
            "concordat_audit_broken",
            "1 where a block failed, so that nothing after it counts.",
            ["channel"],
            registry=one,
        )
        self.read = Counter(
            "concordat_audit_blocks_read", "Blocks read from the own peer.", ["channel"], registry=one
        )
        self.passes = Counter("concordat_audit_passes", "Full reconciliations.", ["verdict"], registry=one)
        self.passed = Gauge(
            "concordat_audit_last_pass_seconds", "When the last one ended, Unix time.", registry=one
        )
        self.pass_seconds = Gauge("concordat_audit_pass_seconds", "How long the last one took.", registry=one)
        self.pending = Gauge(
            "concordat_audit_pending", "Ballots on their way at the last one.", ["meeting"], registry=one
        )
        self.checkpoints = Counter("concordat_audit_checkpoints", "Checkpoints saved.", registry=one)
        if webhook is not None:
            for name, text, value in (
                ("waiting", "Announcements that the webhook has not taken yet.", lambda: webhook.waiting),
                ("dropped", "Announcements dropped because too many waited.", lambda: webhook.dropped),
            ):
                Gauge(f"concordat_audit_webhook_{name}", text, registry=one).set_function(value)

    @contextmanager
    def serve(self, port: int) -> Iterator[int]:
        """Answer on the loopback address while in the block; give the port (0 chooses a free one)."""
        try:
            server, thread = start_http_server(port, ADDRESS, self.registry)
        except OSError as error:
            raise AuditUnavailable(
                f"metrics can't be served on {ADDRESS}:{port}: {error.strerror}"
            ) from error
        try:
            yield int(server.server_port)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
