"""`concordat roll`: what stands behind a roll: corrections, countersignature, a lender's own entry."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from client.cli.edge import show
from client.cli.options import JSON, PATH
from client.connection import Profile
from client.encodings import base64url, merkle
from client.encodings.ids import HASH_BYTES
from client.errors import Negative, UserError
from client.home import home
from client.rolls import RollError, parse_proof, read_roll, write_roll
from client.rolls.changes import CORRECTABLE, Change, read_changes
from client.rolls.corrections import correct, log_path, verify_log
from client.rolls.countersignature import (
    countersign,
    countersignature_path,
    parse_countersignature,
    verify_countersignature,
)
from client.rolls.decode import ENCODINGS
from client.rolls.rollfile import read_header, write_private
from client.rolls.yuan import format_yuan

if TYPE_CHECKING:
    from client.rolls import Proof

REGULATOR = "RegulatorMSP"

_org = click.option("--org", default=REGULATOR, show_default=True, help="The officer's organization.")


@click.command("correct")
@click.argument("file", type=PATH)
@click.option(
    "--from", "table", type=PATH, help="A table (CSV or XLSX) of corrections; or one by the options:"
)
@click.option("--encoding", type=click.Choice(ENCODINGS), default="auto", show_default=True, help="Of CSV.")
@click.option("--sub", help="The lender's pseudonym.")
@click.option("--column", type=click.Choice(CORRECTABLE), help="What is wrong.")
@click.option("--class", "cls", default="", help="Of which claim, for class, claim_yuan and decision.")
@click.option("--old", default="", help="What the roll has; empty adds a claim.")
@click.option("--new", default="", help="What is right; empty takes it away.")
@click.option("--reason", default="", help="Why.")
@click.option("--who", default="", help="Who says so.")
@click.option("--source", type=PATH, help="The document that shows it; the log has its SHA-256.")
@JSON
def correct_command(
    file: Path, table: Path | None, encoding: str, *, as_json: bool, **one: str | None
) -> None:
    """Correct a roll file before the roll is frozen, with a log of what, why and by whom.

    A roll that was countersigned is corrected no more: amend it by a transaction instead.
    """
    if countersignature_path(file).exists():
        raise UserError(
            f"{countersignature_path(file)} is there: a countersigned roll can't be corrected, "
            "propose an amendment, or have the corrected register imported and countersigned anew"
        )
    _refuse_announced(file)
    changes = (_one_change(one),) if table is None else read_changes(_read(table), encoding, str(table))
    roll = read_roll(file)
    log = log_path(file)
    known = _read(log) if log.exists() else b""
    if roll.provenance.corrections is not None and not known:
        raise UserError(f"{log} is missing: a roll that was corrected needs its log beside it")
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    corrected, entries = correct(roll, known, changes, now, str(table or file))
    # The log first: one that is ahead of its roll is cut back, one behind would leave changes unexplained.
    write_private(log, [entries])
    write_roll(corrected, file, replace=True)
    value = {
        "file": str(file),
        "log": str(log),
        "corrected": len(changes),
        "root": base64url.encode(corrected.summary.root),
        **corrected.provenance.as_json(),
    }
    show(value, as_json=as_json, text=f"{file}: {len(changes):,} corrected, root {value['root']}")


@click.command("corrections")
@click.argument("file", type=PATH)
@JSON
def corrections_command(file: Path, *, as_json: bool) -> None:
    """Show a roll's corrections, after holding its log to the roll (exit 1 if it isn't the roll's)."""
    roll = read_roll(file)
    log = log_path(file)
    entries = verify_log(roll, _read(log) if roll.provenance.corrections or log.exists() else b"")
    listed = [
        {"no": entry.no, "at": entry.at, "line": entry.line, **_as_json(entry.change)} for entry in entries
    ]
    value = {"file": str(file), "corrections": listed, **({"log": str(log)} if entries else {})}
    text = "\n".join(
        f"{entry.no} {entry.at} line {entry.line} {entry.change.column} {entry.change.old!r} -> "
        f"{entry.change.new!r}: {entry.change.reason} ({entry.change.who})"
        for entry in entries
    )
    show(value, as_json=as_json, text=text or "no corrections")


@click.command("countersign")
@click.argument("file", type=PATH)
@_org
@click.option("--certificate", type=PATH, help="The officer's (PEM). Default: of the network in the home.")
@click.option("--key", "key_file", type=PATH, help="Its key (PEM).")
@click.option("--out", type=PATH, help="Default: MEETING.countersignature.json beside the roll file.")
@JSON
def countersign_command(
    file: Path, org: str, certificate: Path | None, key_file: Path | None, out: Path | None, *, as_json: bool
) -> None:
    """Recompute a roll, hold its corrections to their log, and sign root and figures as an officer."""
    if (certificate is None) != (key_file is None):
        raise UserError("name both --certificate and --key, or neither")
    if certificate is None or key_file is None:
        officer = Profile.load(home()).org(org).identity("officer")
        certificate, key_file = officer.cert, officer.key
    der, key = _certificate(certificate), _key(key_file)
    roll = read_roll(file)
    verify_log(roll, _read(log_path(file)) if roll.provenance.corrections else b"")
    signature = countersign(roll, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", der, key)
    target = out or countersignature_path(file)
    write_private(target, [signature.encode()])
    value = {
        "file": str(target),
        "root": base64url.encode(roll.summary.root),
        "jws": signature.signed.compact,
    }
    show(value, as_json=as_json, text=f"{target}: root {value['root']} countersigned")


@click.command("verify")
@click.argument("file", type=PATH)
@click.option("--countersignature", type=PATH, help="Default: the one beside the roll file.")
@_org
@click.option(
    "--ca", type=PATH, help="The organization's CA root (PEM). Default: of the network in the home."
)
@JSON
def verify_command(
    file: Path, countersignature: Path | None, org: str, ca: Path | None, *, as_json: bool
) -> None:
    """Verify that an officer countersigned exactly this roll (exit 1 if not). Offline, with --ca."""
    path = countersignature or countersignature_path(file)
    signature = parse_countersignature(_read(path), str(path))
    authority = _certificate(ca or Profile.load(home()).org(org).roots["identity"])
    roll = read_roll(file)
    at = verify_countersignature(signature, roll, authority)
    verify_log(roll, _read(log_path(file)) if roll.provenance.corrections else b"")
    value = {"file": str(file), "verified": True, "at": at, "root": base64url.encode(roll.summary.root)}
    show(value, as_json=as_json, text=f"countersigned at {at}, root {value['root']}")


@click.command("check-own")
@click.argument("file", type=PATH)
@click.option("--root", required=True, help="The roll's root, from the meeting's public record.")
@click.option("--sub", help="The pseudonym that the invitation names.")
@click.option("--yuan", help="What the lender's claims come to together.")
@JSON
def check_own_command(file: Path, root: str, sub: str | None, yuan: str | None, *, as_json: bool) -> None:
    """Check one's own entry: that this leaf, with these claims, is on the roll of that root (exit 1 if not).

    FILE is what `concordat roll prove --json` prints. Needs no network and no roll.
    """
    proof = parse_proof(_read(file), str(file))
    try:
        trusted = base64url.decode(root, HASH_BYTES)
    except ValueError as error:
        raise UserError(f"--root {root[:60]!r} is no root of a roll: 43 characters of base64url") from error
    if proof.root != trusted:
        raise Negative(f"the proof is for the root {base64url.encode(proof.root)}, not for {root}")
    try:
        proof.verify()
    except merkle.ProofError as error:
        raise Negative(f"the entry is not on the roll of the root {root}: {error}") from error
    if sub is not None and proof.leaf.sub != sub:
        raise Negative(f"the entry is of the pseudonym {proof.leaf.sub}, not of {sub[:40]!r}")
    total = format_yuan(proof.leaf.fen)
    if yuan is not None and total != yuan and total.removesuffix(".00") != yuan:
        raise Negative(f"the entry has claims of {total} yuan, not of {yuan[:40]}")
    value = {
        "on_roll": True,
        "root": root,
        "index": proof.index,
        "size": proof.size,
        "leaf": proof.leaf.as_json(),
    }
    show(value, as_json=as_json, text=_own(proof))


COMMANDS = (correct_command, corrections_command, countersign_command, verify_command, check_own_command)


def _refuse_announced(file: Path) -> None:
    """Refuse a roll whose meeting this platform knows to be announced: its root is on the channel."""
    from client.platform import Database  # noqa: PLC0415  most of these commands need no database
    from client.platform.database import database_url  # noqa: PLC0415
    from client.platform.models import Meeting  # noqa: PLC0415

    url = database_url(home())
    if url == f"sqlite:///{home() / 'platform.db'}" and not (home() / "platform.db").exists():
        return
    mtg = read_header(file).mtg
    database = Database.open(url)
    try:
        with database.read() as session:
            meeting = session.get(Meeting, mtg)
            if meeting is not None and meeting.state != "draft":
                raise UserError(
                    f"meeting {mtg!r} is {meeting.state}: its roll is frozen, propose an amendment"
                )
    finally:
        database.close()


def _own(proof: Proof) -> str:
    leaf = proof.leaf
    lines = [f"entry {proof.index + 1:,} of {proof.size:,} on the roll of {leaf.mtg}, pseudonym {leaf.sub}"]
    for claim in leaf.claims:
        disputed = f", as decision {claim.decision} fixed it" if claim.decision else ""
        lines.append(f"  {claim.cls:<20} {format_yuan(claim.fen):>20} yuan{disputed}")
    if leaf.excluded:
        lines.append(f"  may not vote on {', '.join(leaf.excluded)}")
    return "\n".join(lines)


def _one_change(one: dict[str, str | None]) -> Change:
    source = one.pop("source")
    missing = [name for name in ("sub", "column", "reason", "who") if not one[name]]
    if missing or source is None:
        raise UserError(
            f"name {', '.join(f'--{name}' for name in (*missing, *([] if source else ['source'])))}, "
            "or a table of corrections by --from"
        )
    digest = hashlib.sha256(_read(Path(source))).hexdigest()
    fields = {name: value or "" for name, value in one.items()}
    try:
        return Change(**fields, source=digest)
    except ValueError as error:
        raise UserError(str(error)) from error


def _as_json(change: Change) -> dict[str, str]:
    return {
        "sub": change.sub,
        "column": change.column,
        "class": change.cls,
        "old": change.old,
        "new": change.new,
        "reason": change.reason,
        "who": change.who,
        "source_sha256": change.source,
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RollError(f"{path} can't be read: {error.strerror}") from error


def _certificate(path: Path) -> bytes:
    try:
        return x509.load_pem_x509_certificate(_read(path)).public_bytes(Encoding.DER)
    except ValueError as error:
        raise UserError(f"{path} is no certificate in PEM") from error


def _key(path: Path) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(_read(path), None)
    except (ValueError, TypeError) as error:
        raise UserError(f"{path} is no private key in PEM without a password") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise UserError(f"{path} is no P-256 key")
    return key
