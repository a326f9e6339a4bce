"""`concordat report`: verify the report of an audit, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from client.cli.audited_receipt import load_trust, trust_option
from client.cli.edge import show
from client.cli.options import JSON, PATH
from client.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


@click.group(name="report")
def group() -> None:
    """Verify a signed report of an audit."""


@group.command()
@click.argument("file", type=PATH)
@click.option("--signature", type=PATH, help="The signature. Default: beside FILE, ending in .jws.")
@trust_option
@JSON
def verify(file: Path, signature: Path | None, trust: Path | None, *, as_json: bool) -> None:
    """Verify that the Regulator's auditor signed a report, in whichever format; needs no network.

    Exit 0: genuine. 1: not, or not signed. 2: can't be read, or nothing is trusted.
    """
    from auditor.reporting.errors import ReportRefused  # noqa: PLC0415  the auditor only where asked for
    from auditor.reporting.signature import verify_signed  # noqa: PLC0415

    data = _read(file)
    beside = file.with_suffix(".jws")
    if signature is None and not beside.exists():
        raise ReportRefused("REPORT_UNSIGNED", str(beside))
    verified = verify_signed(data, _read(signature or beside), load_trust(trust))
    said = verified.statement
    value = {"verified": True, "format": verified.format, "mtg": said["mtg"], "verdict": said["verdict"]}
    heights = ", ".join(f"{channel} {height}" for channel, height in said["blocks"].items())
    text = f"genuine: the {verified.format} report on {said['mtg']}, {said['verdict']}; blocks: {heights}"
    show(value | {"blocks": said["blocks"], "heads": said["heads"]}, as_json=as_json, text=text)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from error
