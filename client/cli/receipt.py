"""`concordat receipt`: verify a lender's receipt, offline."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.log.shown import UNTRUSTED
from client.cli import audited_receipt
from client.cli.edge import show
from client.cli.options import JSON, PATH
from client.errors import Negative, UserError
from client.home import home

if TYPE_CHECKING:
    from client.encodings.meeting import Meeting


@click.group(name="receipt")
def group() -> None:
    """Verify a lender's receipt."""


audited_receipt.add_to(group)


@group.command()
@click.argument("file", type=PATH)
@click.option(
    "--record", type=PATH, help="The meeting's record as announced (JSON). Default: from this platform."
)
@click.option("--lender-root", type=PATH, help="The lender CA's root (PEM): who voted.")
@click.option("--door-root", type=PATH, help="The root (PEM) of the door that acknowledged.")
@audited_receipt.trust_option
@JSON
def verify(
    file: Path,
    record: Path | None,
    lender_root: Path | None,
    door_root: Path | None,
    trust: Path | None,
    *,
    as_json: bool,
) -> None:
    """Verify signatures, certificates, roll proof and acknowledgement of a receipt; needs no network.

    It takes the roots of the lender's and the door's certificates: without them anybody could have made it.
    An audited receipt shows, against a trust root instead, that the ballot was accepted, too.
    Exit 0: genuine. 1: not. 2: can't be read, or nothing is trusted.
    """
    from client.receipts import verify as check  # noqa: PLC0415

    data = _read(file)
    roots = {"lender_root": _der(lender_root), "door_root": _der(door_root)}
    if audited_receipt.verified(data, trust, roots, as_json=as_json):
        return
    meeting = meeting_of(data, file, record)
    audited_receipt.check_networks(meeting, trust)
    try:
        verified = check(data, meeting, **roots)
    except Negative as error:
        if as_json:
            show({"verified": False, "code": error.code, "error": error.message}, as_json=True, text="")
        raise
    if not verified.issuers_checked:
        raise UserError(UNTRUSTED)
    value = {"verified": True, **asdict(verified)}
    votes = ", ".join(f"{motion}: {vote}" for motion, vote in verified.votes.items())
    text = (
        f"genuine: ballot {verified.digest} of {verified.sub} at {verified.mtg} ({votes})\n"
        f"acknowledged by {verified.door}, number {verified.acknowledgement}, at {verified.acknowledged_at}\n"
        f"said to be in block {verified.block} of {verified.channel}, transaction {verified.tx}"
    )
    show(value, as_json=as_json, text=text)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from error


def meeting_of(data: bytes, file: Path, record: Path | None) -> Meeting:
    """Return the meeting that the receipt is for: from the record given, or from the platform's database."""
    from client.encodings import jcs  # noqa: PLC0415
    from client.encodings.ballot import parse_ballot  # noqa: PLC0415
    from client.encodings.errors import Refused  # noqa: PLC0415
    from client.encodings.meeting import meeting_from_json  # noqa: PLC0415

    if record is not None:
        try:
            value = jcs.loads(_read(record))
            return meeting_from_json(value.get("record", value) if isinstance(value, dict) else value)
        except (jcs.JsonError, Refused) as error:
            raise UserError(f"{record} is no meeting's record: {error}") from error
    try:
        mtg = parse_ballot(jcs.loads(data)["ballot"]).ballot.mtg
    except (jcs.JsonError, Refused, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file} is no receipt: it names no meeting") from error
    from client.platform import Database, database_url  # noqa: PLC0415
    from client.platform.registers import load_meeting  # noqa: PLC0415

    url = database_url(home())
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        raise UserError(f"the record of meeting {mtg!r} is needed: give it with --record")
    database = Database.open(url)
    try:
        return load_meeting(database, mtg).meeting
    finally:
        database.close()


def _der(path: Path | None) -> bytes | None:
    if path is None:
        return None
    from client.enrolment.issuer import to_der  # noqa: PLC0415

    try:
        return to_der(_read(path))
    except ValueError as error:
        raise UserError(f"{path} is no certificate in PEM form") from error
