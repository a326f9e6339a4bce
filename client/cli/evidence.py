"""`concordat evidence`: export one ballot's evidence package, and verify one offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from client.cli.edge import show
from client.cli.options import FILE, JSON
from client.errors import Negative, UserError
from client.home import home

if TYPE_CHECKING:
    from pathlib import Path


@click.group(name="evidence")
def group() -> None:
    """Export a ballot's evidence package, and verify one offline."""


@group.command()
@click.option("--meeting", required=True, help="The meeting's id.")
@click.option("--ballot", required=True, help="The ballot's digest.")
@click.option("--out", required=True, type=FILE, help="Write the package there.")
@click.option(
    "--provenance",
    multiple=True,
    type=FILE,
    help="Attach the roll's countersignature, or its log of corrections. Repeatable.",
)
@JSON
def export(meeting: str, ballot: str, out: Path, provenance: tuple[Path, ...], *, as_json: bool) -> None:
    """Verify the chain, sign the log's head, and write the evidence package of a ballot.

    Exit 0: done. 1: the chain did not verify, or no such ballot was accepted. 2: could not be done.
    """
    from auditor.evidence.collect import Exporter  # noqa: PLC0415  gRPC, SQL and PDF only where needed
    from auditor.log.service_db import ServiceDatabase, database_url  # noqa: PLC0415
    from auditor.source import OwnPeer  # noqa: PLC0415
    from client.cli.audit_identity import auditor_identity  # noqa: PLC0415
    from client.cli.audit_log import write  # noqa: PLC0415
    from client.platform.times import now, to_text  # noqa: PLC0415

    attached = [_read(path) for path in provenance]
    own = auditor_identity()
    database = ServiceDatabase.open(database_url(home()))
    try:
        with own.profile.gateway(own.roots.offices.regulator, "auditor") as gateway:
            exporter = Exporter(OwnPeer(gateway), own.roots, database, own.signer, own.regulator, own.trust)
            package = exporter.export(meeting, ballot, now=to_text(now()), provenance=attached)
    finally:
        database.close()
    write(out, package)
    value = {"mtg": meeting, "digest": ballot, "file": str(out), "bytes": len(package)}
    show(
        value, as_json=as_json, text=f"{out}: evidence of ballot {ballot} at {meeting}, {len(package)} bytes"
    )


@group.command()
@click.argument("file", type=FILE)
@click.option(
    "--trust",
    type=FILE,
    help="The trust root: genesis hashes and the Regulator's CA. Default: trust.json at home.",
)
@JSON
def verify(file: Path, trust: Path | None, *, as_json: bool) -> None:
    """Verify an evidence package against a trust root; needs no network, clock or database.

    Exit 0: everything in it holds. 1: something doesn't. 2: can't be read, or nothing is trusted.
    """
    from auditor.evidence.shown import as_json as value_of  # noqa: PLC0415
    from auditor.evidence.shown import as_text  # noqa: PLC0415
    from auditor.evidence.verify import verify_evidence  # noqa: PLC0415
    from client.cli.audited_receipt import load_trust  # noqa: PLC0415

    try:
        verified = verify_evidence(_read(file), load_trust(trust))
    except Negative as error:
        if as_json:
            show({"verified": False, "code": error.code, "error": error.message}, as_json=True, text="")
        raise
    show(value_of(verified), as_json=as_json, text=as_text(verified))


def _read(path: Path) -> bytes:
    from auditor.evidence.container import MAX_BYTES  # noqa: PLC0415

    try:
        with path.open("rb") as stream:  # one byte more than a package may have, which is then refused
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from error
