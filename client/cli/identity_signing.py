"""Requests to the identity service, signed as an officer: to one elsewhere, or to this host's own."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any

import click
import httpx
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.service.app import create_app
from biometrics.service.proofs import sign_request
from client.cli.identity_wiring import identity_service
from client.cli.options import JSON, PATH
from client.connection import Profile
from client.encodings import certificates
from client.errors import Negative, UserError
from client.home import home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

URL = click.option("--url", help="A service elsewhere; without it the store of this host is used directly.")


def as_officer(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say as whom an officer's request is signed."""
    for option in (
        click.option("--officer", default="AssociationMSP", show_default=True, help="Organization (MSP id)."),
        click.option("--cert", type=PATH, help="The officer's certificate (PEM)."),
        click.option("--key", type=PATH, help="The officer's key (PEM)."),
        URL,
        JSON,
    ):
        command = option(command)
    return command


def ask(method: str, target: str, value: Any, **signer: Any) -> dict[str, Any]:
    """Send a request signed as an officer, to a service elsewhere or to this host's own."""
    body = b"" if value is None else json.dumps(value).encode()
    headers = {"Authorization": sign(method, target, body, **signer)}
    return send(method, target, body, headers, signer["url"])


def sign(method: str, target: str, body: bytes, **signer: Any) -> str:
    """Return what goes into `Authorization`: the officer's signature over this very request."""
    cert, key = signer["cert"], signer["key"]
    if cert is None or key is None:
        credentials = Profile.load(home()).org(signer["officer"]).identity("officer")
        cert, key = cert or credentials.cert, key or credentials.key
    private = serialization.load_pem_private_key(_bytes(key), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise UserError(f"{key} is no key on P-256")
    x5t = certificates.thumbprint(certificate(cert))
    jws = sign_request(private, x5t, method, target, body, now=int(time.time()), jti=secrets.token_bytes(16))
    return f"Officer {jws}"


def send(method: str, target: str, body: bytes, headers: dict[str, str], url: str | None) -> dict[str, Any]:
    """Send a request as it is; return the answer's JSON.

    Raises Negative where the service says that things don't stand so, UserError for any other refusal, and
    for a service that can't be reached.
    """
    if url is not None:
        try:
            answer = httpx.request(
                method, url.rstrip("/") + target, content=body, headers=headers, timeout=60
            )
        except httpx.HTTPError as error:
            raise UserError(f"the identity service at {url} can't be reached: {error}") from error
    else:
        with identity_service(home()) as service:
            transport = httpx.WSGITransport(create_app(service))
            with httpx.Client(transport=transport, base_url="http://identity") as local:
                answer = local.request(method, target, content=body, headers=headers)
    value: dict[str, Any] = answer.json()
    if answer.is_error:
        refused = Negative if answer.status_code == httpx.codes.CONFLICT else UserError
        raise refused(f"{value['code']}: {value['title']}", code=value["code"])
    return value


def certificate(path: Path) -> bytes:
    """Return the DER of a certificate in PEM; raises UserError where there is none in the file."""
    try:
        return x509.load_pem_x509_certificate(_bytes(path)).public_bytes(serialization.Encoding.DER)
    except ValueError as error:
        raise UserError(f"{path} is no certificate in PEM") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from error
