"""`concordat audit serve|answer`: the verification service's pages, and answers to their challenges."""

from __future__ import annotations

import base64
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from client.cli.options import PATH
from client.connection import Profile
from client.errors import UserError
from client.home import home

if TYPE_CHECKING:
    from types import FrameType

    from auditor.portal.address import IpNetwork


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; TLS is a proxy's."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8460, show_default=True, help="0: any free one."
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 60),
    default=1.0,
    show_default=True,
    help="How often to look for new blocks.",
)
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    help="Address or network (CIDR) of a proxy in front, whose X-Forwarded-For is believed. Again for more.",
)
def serve(host: str, port: int, seconds: float, proxies: tuple[str, ...]) -> None:
    """Serve the Regulator's verification service: pages, receipt checks, second door, no-vote check.

    Runs until SIGINT or SIGTERM. Exit 2: no network, no database or no port, or a --proxy that is no address.
    """
    from auditor.log.service_db import database_url  # noqa: PLC0415  gRPC, SQL and Flask only where needed
    from auditor.portal.service import Service  # noqa: PLC0415

    trusted = _proxies(proxies)
    with Service(Profile.load(home()), database_url(home()), proxies=trusted) as service:
        service.watcher.refresh()
        server = service.serve(host, port)
        signal.signal(signal.SIGTERM, _interrupt)
        service.start(seconds)
        click.echo(f"http://{host}:{server.server_port}/")
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
        finally:
            server.server_close()


def _proxies(texts: tuple[str, ...]) -> list[IpNetwork]:
    from auditor.portal.address import parse_proxy  # noqa: PLC0415

    try:
        return [parse_proxy(text) for text in texts]
    except ValueError as error:
        raise UserError(f"--proxy takes an address or a network like 10.0.0.0/8: {error}") from error


@click.command()
@click.argument("challenge")
@click.option("--lender", type=PATH, help="Sign with this lender's key file.")
@click.option("--msp", help="Sign as this organisation's --role instead.")
@click.option("--role", type=click.Choice(["officer", "auditor"]), default="officer", show_default=True)
def answer(challenge: str, lender: Path | None, msp: str | None, role: str) -> None:
    """Sign a CHALLENGE of the verification service (its text, or a file that has it); print the answer.

    Exit 2: it is no such challenge, or there is no such key.
    """
    from client.encodings import jcs  # noqa: PLC0415

    payload = _challenge(challenge)
    if (lender is None) == (msp is None):
        raise UserError("give either --lender or --msp")
    value = _by_lender(payload, lender) if lender is not None else _by_officer(payload, str(msp), role)
    click.echo(jcs.dumps({"v": 1} | value))


def _challenge(text: str) -> bytes:
    """Return the payload to sign: exactly a challenge, so that nothing else is ever signed unseen."""
    from client.encodings import jcs  # noqa: PLC0415

    try:
        raw = text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")
        value = jcs.loads(raw.strip().encode())
    except (OSError, ValueError) as error:
        raise UserError(f"that is no challenge of the verification service: {error}") from error
    if not isinstance(value, dict) or value.keys() != {"v", "purpose", "channel", "mtg", "nonce"}:
        raise UserError("that is no challenge of the verification service: other members than a challenge's")
    return jcs.dumps(value)


def _by_lender(payload: bytes, path: Path) -> dict[str, Any]:
    from auditor.portal.challenge import TYP  # noqa: PLC0415
    from client.encodings import jws  # noqa: PLC0415
    from client.enrolment.lender import LenderKey  # noqa: PLC0415

    key = LenderKey.load(path)
    return {"answer": jws.sign(TYP, key.x5t, payload, key.key).compact}


def _by_officer(payload: bytes, msp: str, role: str) -> dict[str, Any]:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key  # noqa: PLC0415

    from auditor.portal.challenge import TYP  # noqa: PLC0415
    from client.encodings import certificates, jws  # noqa: PLC0415

    credentials = Profile.load(home()).org(msp).identity(role)
    key = load_pem_private_key(credentials.key.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise UserError(f"the {role}'s key of {msp} is no P-256 key; enrol it again")
    der = x509.load_pem_x509_certificate(credentials.cert.read_bytes()).public_bytes(Encoding.DER)
    signed = jws.sign(TYP, certificates.thumbprint(der), payload, key)
    return {"answer": signed.compact, "msp": msp, "certificate": base64.b64encode(der).decode("ascii")}


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def add_to(group: click.Group) -> None:
    """Add the service's commands to `concordat audit`."""
    group.add_command(serve)
    group.add_command(answer)
