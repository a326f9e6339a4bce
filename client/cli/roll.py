"""`concordat roll`: registers of claims in, leaves, root and proofs out."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from client.errors import UserError
from client.home import home
from client.rolls import RollError, generate_csv, make_roll, read_claims, read_roll, write_roll
from client.rolls.decode import ENCODINGS
from client.rolls.yuan import format_yuan

if TYPE_CHECKING:
    from client.rolls import Proof, Roll

_WRITTEN = {"utf-8": "utf-8", "utf-8-bom": "utf-8-sig", "gb18030": "gb18030"}

_json = click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout.")


@click.group()
def group() -> None:
    """Registers of claims: generate, import, root, prove."""


@group.command()
@click.option("--lenders", type=int, required=True, help="How many lenders.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same file.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The CSV file to write.")
@click.option("--encoding", type=click.Choice(list(_WRITTEN)), default="utf-8", show_default=True)
@_json
def generate(lenders: int, seed: int, out: Path, encoding: str, *, as_json: bool) -> None:
    """Write a register of lenders who don't exist."""
    data = generate_csv(lenders, seed, _WRITTEN[encoding])
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(data)
    except OSError as error:
        raise UserError(f"{out} can't be written: {error.strerror}") from error
    rows = data.count(b"\n") - 1
    value = {"file": str(out), "lenders": lenders, "rows": rows, "seed": seed, "encoding": encoding}
    _show(value, as_json=as_json, text=f"{out}: {lenders:,} lenders, {rows:,} claims, {encoding}")


@group.command(name="import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--meeting", "mtg", required=True, help="The meeting's id.")
@click.option("--snapshot", help="When the claims were taken, as 2026-01-31T16:00:00Z. Default: now.")
@click.option("--out", type=click.Path(path_type=Path), help="Default: rolls/MEETING.jsonl in the home.")
@click.option("--encoding", type=click.Choice(ENCODINGS), default="auto", show_default=True)
@click.option("--replace", is_flag=True, help="Write over a roll file that exists, with new pseudonyms.")
@_json
def import_(
    file: Path,
    mtg: str,
    snapshot: str | None,
    out: Path | None,
    encoding: str,
    *,
    replace: bool,
    as_json: bool,
) -> None:
    """Import a register (CSV) as a meeting's roll, all or nothing."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from error
    try:
        holders = read_claims(data, encoding, str(file))
    except RollError as error:
        if as_json:
            faults = [{"line": fault.line, "text": fault.text} for fault in error.faults]
            _print({"imported": False, "error": error.message, "total": error.total, "faults": faults})
        raise
    roll = make_roll(holders, mtg=mtg, snapshot=snapshot or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    target = out or home() / "rolls" / f"{mtg}.jsonl"
    write_roll(roll, target, replace=replace)
    value = {
        "imported": True,
        "file": str(target),
        "source_sha256": hashlib.sha256(data).hexdigest(),
        **_figures(roll),
    }
    _show(value, as_json=as_json, text=f"{target}\n{_table(roll)}")


@group.command()
@click.argument("file", type=click.Path(path_type=Path))
@_json
def root(file: Path, *, as_json: bool) -> None:
    """Compute a roll file's root and totals again, and compare them with what it says (exit 1 if not)."""
    roll = read_roll(file)
    _show({"file": str(file), **_figures(roll)}, as_json=as_json, text=_table(roll))


@group.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--sub", help="The lender's pseudonym.")
@click.option("--id-no", help="The lender's identity document number.")
@_json
def prove(file: Path, sub: str | None, id_no: str | None, *, as_json: bool) -> None:
    """Give a lender's leaf with the whole path to the root."""
    if (sub is None) == (id_no is None):
        raise UserError("name the lender either by --sub or by --id-no")
    roll = read_roll(file)
    proof = roll.prove(sub if sub is not None else roll.find(id_no or "").leaf.sub)
    proof.verify()
    _show(proof.as_json(), as_json=as_json, text=_explain(proof))


def _figures(roll: Roll) -> dict[str, Any]:
    return {"mtg": roll.mtg, **roll.summary.as_json()}


def _table(roll: Roll) -> str:
    figures = roll.summary.as_json()
    lines = [
        f"meeting  {roll.mtg}",
        f"root     {figures['root']}",
        f"lenders  {roll.summary.heads:,}",
        f"claims   {format_yuan(roll.summary.fen)} yuan",
    ]
    lines += [
        f"  {entry.cls:<20} {entry.heads:>9,} lenders {format_yuan(entry.fen):>20} yuan"
        for entry in roll.summary.classes
    ]
    return "\n".join(lines)


def _explain(proof: Proof) -> str:
    value = proof.as_json()
    lines = [
        f"leaf {proof.index + 1:,} of {proof.size:,}, verified to lead to the root {value['root']}",
        json.dumps(value["leaf"], ensure_ascii=False),
        *(f"  {node}" for node in value["path"]),
    ]
    return "\n".join(lines)


def _show(value: dict[str, Any], *, as_json: bool, text: str) -> None:
    if as_json:
        _print(value)
    else:
        sys.stdout.write(text + "\n")


def _print(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
