"""gRPC channels to a peer's gateway: TLS, message sizes, keepalive, reconnection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import grpc
from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_MESSAGE_BYTES: Final = 128 * 1024 * 1024
"""Largest message taken or sent by default: Fabric's own limit is 100 MiB, plus its envelope."""


def grpc_channel(
    target: str,
    tls_root_pem: bytes | None = None,
    server_name: str | None = None,
    client_cert: bytes | None = None,
    client_key: bytes | None = None,
    *,
    keepalive_seconds: float | None = 120,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    options: Sequence[tuple[str, str | int]] = (),
) -> grpc.Channel:
    """Open a channel to `target` ("host:port"); connecting happens at the first call.

    With `tls_root_pem` (PEM) it is TLS and exactly those roots are trusted; `server_name` is the
    name expected in the server's certificate where it differs from the host. `client_cert` and
    `client_key` (PEM) add mutual TLS. Without `tls_root_pem` the channel is plain text: tests only.
    `keepalive_seconds` finds dead peers behind a silent stream (Fabric peers refuse pings more
    often than every 60 s by default); None turns it off. `options` are gRPC's own, and win.
    The caller closes the channel. Raises `ValueError` for a half-given client certificate, or roots
    that are not PEM certificates.
    """
    if (client_cert is None) != (client_key is None):
        raise ValueError("mutual TLS needs both the client's certificate and its key")
    if client_cert is not None and tls_root_pem is None:
        raise ValueError("mutual TLS needs the root that issued the server's certificate")
    if tls_root_pem is not None:
        _require_certificates(tls_root_pem)
    chosen: dict[str, str | int] = {
        "grpc.max_receive_message_length": max_message_bytes,
        "grpc.max_send_message_length": max_message_bytes,
        # A restarted peer is found again within seconds, not gRPC's two minutes.
        "grpc.initial_reconnect_backoff_ms": 500,
        "grpc.min_reconnect_backoff_ms": 2_000,
        "grpc.max_reconnect_backoff_ms": 5_000,
        # One gateway, one connection: identities never share a TLS session.
        "grpc.use_local_subchannel_pool": 1,
        "grpc.enable_http_proxy": 0,
    }
    if keepalive_seconds is not None:
        chosen |= {
            "grpc.keepalive_time_ms": round(keepalive_seconds * 1000),
            "grpc.keepalive_timeout_ms": 20_000,
            "grpc.http2.max_pings_without_data": 0,
        }
    if server_name is not None:
        chosen |= {"grpc.ssl_target_name_override": server_name, "grpc.default_authority": server_name}
    chosen.update(options)
    if tls_root_pem is None:
        return grpc.insecure_channel(target, options=list(chosen.items()))
    credentials = grpc.ssl_channel_credentials(
        root_certificates=tls_root_pem, private_key=client_key, certificate_chain=client_cert
    )
    return grpc.secure_channel(target, credentials, options=list(chosen.items()))


def _require_certificates(pem: bytes) -> None:
    """Find out here what gRPC would only report as an unreachable server."""
    try:
        x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise ValueError(f"the TLS root for the gateway holds no PEM certificate: {error}") from error
