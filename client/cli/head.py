"""`concordat head`: verify a signed tree head, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from client.cli.audited_receipt import load_trust, trust_option
from client.cli.edge import show
from client.cli.options import FILE, JSON
from client.errors import Negative, UserError

if TYPE_CHECKING:
    from pathlib import Path


@click.group(name="head")
def group() -> None:
    """Verify a signed tree head."""


@group.command()
@click.argument("file", type=FILE)
@trust_option
@JSON
def verify(file: Path, trust: Path | None, *, as_json: bool) -> None:
    """Verify that the Regulator's auditor signed a tree head; needs no network.

    Exit 0: genuine. 1: not. 2: can't be read, or nothing is trusted.
    """
    from auditor.log.head import parse_head_file, verify_head  # noqa: PLC0415  the auditor only where asked for
    from auditor.log.shown import head_json, head_text  # noqa: PLC0415

    root = load_trust(trust)
    try:
        signed = parse_head_file(file.read_bytes())
        head = verify_head(signed, root.regulator(signed.load_certificates()))
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from error
    except Negative as error:
        if as_json:
            show({"verified": False, "code": error.code, "error": error.message}, as_json=True, text="")
        raise
    show(head_json(head), as_json=as_json, text=head_text(head))
