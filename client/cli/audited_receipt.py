"""Audited receipts on the command line: made, verified against a trust root, held against another head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from client.cli.edge import show
from client.cli.options import JSON, PATH
from client.errors import Negative, UserError
from client.home import home

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auditor.log.contradiction import Contradiction
    from auditor.log.head import SignedHead
    from auditor.log.service_db import StoredLeaf
    from auditor.log.trust import TrustRoot
    from client.encodings.meeting import Meeting


trust_option = click.option(
    "--trust",
    type=PATH,
    help="The trust root: genesis hashes and the Regulator's CA. Default: trust.json at home.",
)


def add_to(group: click.Group) -> None:
    """Add the commands about audited receipts to `concordat receipt`."""
    group.add_command(contradict)
    group.add_command(code)


def verified(data: bytes, trust: Path | None, roots: Mapping[str, bytes | None], *, as_json: bool) -> bool:
    """Verify and show an audited receipt; return False where the file is no such receipt.

    Raises Negative where it isn't genuine, UserError where nothing is trusted.
    """
    from auditor.log import kinds  # noqa: PLC0415  the auditor only where asked for

    if kinds.kind_of(data) != kinds.RECEIPT:
        return False
    from auditor.log.receipt import verify_audited  # noqa: PLC0415
    from auditor.log.shown import audited_json, audited_text  # noqa: PLC0415

    try:
        receipt = verify_audited(data, load_trust(trust), **roots)
    except Negative as error:
        if as_json:
            show({"verified": False, "code": error.code, "error": error.message}, as_json=True, text="")
        raise Negative(f"the receipt doesn't verify: {error.message}", code=error.code) from error
    show(audited_json(receipt), as_json=as_json, text=audited_text(receipt))
    return True


def check_networks(meeting: Meeting, trust: Path | None) -> None:
    """Raise Negative where a trust root is given and the meeting was held on other networks than its."""
    if trust is not None:
        load_trust(trust).verify_meeting(meeting)


def load_trust(path: Path | None) -> TrustRoot:
    """Return the trust root of a file, or of the one pinned in the home folder; raise UserError for none."""
    from auditor.log.trust import FILE_NAME, parse_trust  # noqa: PLC0415

    pinned = home() / FILE_NAME
    chosen = path or pinned
    if path is None and not pinned.exists():
        raise UserError(f"nothing is trusted: give the trust root with --trust, or pin it as {pinned}")
    return parse_trust(_read(chosen), str(chosen))


def wrap(
    receipt: Path, record: Path | None, signed: SignedHead, found: StoredLeaf, path: tuple[bytes, ...]
) -> bytes:
    """Return the bytes of the audited receipt of a receipt's file; raise Negative where they don't belong."""
    from auditor.log.errors import LogRefused  # noqa: PLC0415
    from auditor.log.receipt import AuditedReceipt, verified_promise  # noqa: PLC0415
    from client.cli.receipt import meeting_of  # noqa: PLC0415  which imports this module

    data = _read(receipt)
    meeting = meeting_of(data, receipt, record)
    signed.head.verify_meeting(mtg=meeting.mtg, mh=meeting.mh, channel=meeting.channel)
    promise = verified_promise(data, meeting)
    leaf = found.leaf
    held, said = (leaf.digest, leaf.block, leaf.tx), (promise.digest, promise.block, promise.tx)
    if held != said:
        raise LogRefused("AUDITED_MISMATCH", expected=held, found=said)
    return AuditedReceipt(data, meeting.record, signed, found.index, leaf.pos, path).encode()


@click.command()
@click.argument("file", type=PATH)
@click.argument("head", type=PATH)
@click.option("--leaves", type=PATH, help="Leaves of the head's log, from `concordat audit leaves`.")
@click.option("--record", type=PATH, help="The meeting's record (JSON), for a receipt without a head.")
@click.option("--door-root", type=PATH, help="The root (PEM) of the door, for a receipt without a head.")
@trust_option
@JSON
def contradict(
    file: Path,
    head: Path,
    *,
    leaves: Path | None,
    record: Path | None,
    door_root: Path | None,
    trust: Path | None,
    as_json: bool,
) -> None:
    """Show that a receipt and a tree head can't both be true; needs no network.

    Exit 0: they contradict each other, and the two files are the proof. 1: they don't, or one isn't genuine.
    2: can't be read, or nothing is trusted.
    """
    found = _contradiction(
        file, _read(head), load_trust(trust), leaves=leaves, record=record, door_root=door_root
    )
    text = f"{found.kind}: ballot {found.digest}\nthe receipt: {found.receipt}\nthe head: {found.head}"
    show(found.as_json(), as_json=as_json, text=text)


@click.command()
@click.argument("file", type=PATH)
@click.option("--qr", type=PATH, help="Write it as a picture of a QR code (PNG) there.")
@JSON
def code(file: Path, qr: Path | None, *, as_json: bool) -> None:
    """Show a receipt's short form, which the Regulator's verification service looks up, as text or picture.

    It has no signature: what it is worth, the service says. Exit 1: the file is no receipt. 2: can't be read.
    """
    import segno  # noqa: PLC0415

    short = _code_of(_read(file))
    if qr is not None:
        try:
            segno.make(short, error="m", micro=False).save(str(qr), kind="png", scale=6)
        except OSError as error:
            raise UserError(f"{qr} can't be written: {error.strerror}") from error
    show({"code": short}, as_json=as_json, text=short)


def _code_of(data: bytes) -> str:
    from auditor.log import kinds  # noqa: PLC0415
    from auditor.log.promise import parse_promise  # noqa: PLC0415
    from auditor.log.receipt import parse_audited, translated  # noqa: PLC0415
    from auditor.portal.code import ReceiptCode  # noqa: PLC0415

    audited = parse_audited(data) if kinds.kind_of(data) == kinds.RECEIPT else None
    promise = translated(lambda: parse_promise(audited.receipt if audited else data))
    institution = promise.channel.removeprefix("arbitration-")
    place = (promise.digest, promise.block, promise.tx)
    return str(
        ReceiptCode(institution, promise.ballot.ballot.mtg, *place, audited.index if audited else None)
    )


def _contradiction(
    file: Path,
    head: bytes,
    trust: TrustRoot,
    *,
    leaves: Path | None,
    record: Path | None,
    door_root: Path | None,
) -> Contradiction:
    from auditor.log import kinds  # noqa: PLC0415
    from auditor.log.contradiction import contradict_audited, contradict_promise  # noqa: PLC0415
    from auditor.log.extract import parse_extract  # noqa: PLC0415
    from client.cli.receipt import meeting_of  # noqa: PLC0415
    from client.enrolment.issuer import to_der  # noqa: PLC0415

    data = _read(file)
    extract = None if leaves is None else parse_extract(_read(leaves))
    if kinds.kind_of(data) == kinds.RECEIPT:
        return contradict_audited(data, head, trust, extract)
    if extract is None or door_root is None:
        raise UserError("a receipt without a head of its own needs --leaves and --door-root as well")
    try:
        root = to_der(_read(door_root))
    except ValueError as error:
        raise UserError(f"{door_root} is no certificate in PEM form") from error
    meeting = meeting_of(data, file, record)
    return contradict_promise(data, head, trust, extract, meeting=meeting, door_root=root)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from error
