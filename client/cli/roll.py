"""`concordat roll`: registers of claims in, leaves, root and proofs out."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from client.cli import roll_provenance
from client.cli.edge import show
from client.cli.options import JSON, PATH
from client.encodings.roll_parts import EVERYBODY
from client.errors import UserError
from client.home import home
from client.rolls import (
    RollError,
    generate_csv,
    generate_xlsx,
    make_roll,
    prove_from_file,
    read_claims,
    read_roll,
    write_roll,
)
from client.rolls.check import Totals, check_roll
from client.rolls.decode import ENCODINGS
from client.rolls.diff import diff_rolls
from client.rolls.yuan import format_yuan, parse_yuan

if TYPE_CHECKING:
    from pathlib import Path

    from client.rolls import Proof, Roll
    from client.rolls.diff import Difference

_WRITTEN = {"utf-8": "utf-8", "utf-8-bom": "utf-8-sig", "gb18030": "gb18030"}


@click.group()
def group() -> None:
    """Registers of claims: import, correct, check, compare, countersign, prove."""


for _command in roll_provenance.COMMANDS:
    group.add_command(_command)


@group.command()
@click.option("--lenders", type=int, required=True, help="How many lenders.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same file.")
@click.option("--out", type=PATH, required=True, help="The file to write: .xlsx, or else CSV.")
@click.option("--encoding", type=click.Choice(list(_WRITTEN)), default="utf-8", show_default=True)
@JSON
def generate(lenders: int, seed: int, out: Path, encoding: str, *, as_json: bool) -> None:
    """Write a register of lenders who don't exist."""
    workbook = out.suffix.lower() == ".xlsx"
    data = generate_xlsx(lenders, seed) if workbook else generate_csv(lenders, seed, _WRITTEN[encoding])
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(data)
    except OSError as error:
        raise UserError(f"{out} can't be written: {error.strerror}") from error
    value: dict[str, Any] = {"file": str(out), "lenders": lenders, "seed": seed}
    value |= {"format": "xlsx"} if workbook else {"rows": data.count(b"\n") - 1, "encoding": encoding}
    show(value, as_json=as_json, text=f"{out}: {lenders:,} lenders")


@group.command(name="import")
@click.argument("file", type=PATH)
@click.option("--meeting", "mtg", required=True, help="The meeting's id.")
@click.option("--snapshot", help="When the claims were taken, as 2026-01-31T16:00:00Z. Default: now.")
@click.option("--out", type=PATH, help="Default: rolls/MEETING.jsonl in the home.")
@click.option("--encoding", type=click.Choice(ENCODINGS), default="auto", show_default=True, help="Of CSV.")
@click.option("--sheet", help="The sheet of a workbook that has several.")
@click.option("--replace", is_flag=True, help="Write over a roll file that exists, with new pseudonyms.")
@JSON
def import_(
    file: Path,
    mtg: str,
    *,
    snapshot: str | None,
    out: Path | None,
    encoding: str,
    sheet: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Import a register (CSV or XLSX) as a meeting's roll, all or nothing."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from error
    try:
        holders = read_claims(data, encoding, str(file), sheet)
    except RollError as error:
        if as_json:
            faults = [
                {fault.place: fault.line, "column": fault.column, "text": fault.text}
                for fault in error.faults
            ]
            _print({"imported": False, "error": error.message, "total": error.total, "faults": faults})
        raise
    digest = hashlib.sha256(data).hexdigest()
    del data
    roll = make_roll(
        holders,
        mtg=mtg,
        snapshot=snapshot or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        source_sha256=digest,
    )
    target = out or home() / "rolls" / f"{mtg}.jsonl"
    write_roll(roll, target, replace=replace)
    value = {"imported": True, "file": str(target), "source_sha256": digest, **_figures(roll)}
    show(value, as_json=as_json, text=f"{target}\n{_table(roll)}")


@group.command()
@click.argument("file", type=PATH)
@JSON
def root(file: Path, *, as_json: bool) -> None:
    """Compute a roll file's root and totals again, and compare them with what it says (exit 1 if not)."""
    roll = read_roll(file)
    show({"file": str(file), **_figures(roll)}, as_json=as_json, text=_table(roll))


@group.command()
@click.argument("file", type=PATH)
@click.option("--sub", help="The lender's pseudonym.")
@click.option("--id-no", help="The lender's identity document number.")
@JSON
def prove(file: Path, sub: str | None, id_no: str | None, *, as_json: bool) -> None:
    """Give a lender's leaf with the whole path to the root.

    By the index beside the roll file, without reading the whole.
    """
    if (sub is None) == (id_no is None):
        raise UserError("name the lender either by --sub or by --id-no")
    proof = prove_from_file(file, sub=sub, id_no=id_no)
    show(proof.as_json(), as_json=as_json, text=_explain(proof))


@group.command()
@click.argument("file", type=PATH)
@click.option("--heads", type=click.IntRange(1), help="Lenders expected.")
@click.option("--claims", type=click.IntRange(1), help="Claims expected, one a class and lender.")
@click.option("--yuan", help="Total of all claims expected, such as 21400000000.00.")
@click.option(
    "--class",
    "classes",
    multiple=True,
    help="NAME=LENDERS:YUAN; may be repeated, and then every class has to be named.",
)
@JSON
def check(
    file: Path,
    heads: int | None,
    claims: int | None,
    yuan: str | None,
    classes: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Hold a roll to totals known from elsewhere, and each person to one entry (exit 1 if not)."""
    if heads is None and claims is None and yuan is None and not classes:
        raise UserError("name what the roll has to come to: --heads, --claims, --yuan or --class")
    by_class = dict(_class_total(text) for text in classes)
    if len(by_class) != len(classes):
        raise UserError("--class names a class twice")
    totals = Totals(heads, claims, None if yuan is None else _fen(yuan), by_class or None)
    roll = read_roll(file)
    check_roll(roll, totals)
    show(
        {"file": str(file), "checked": True, **_figures(roll)},
        as_json=as_json,
        text=f"as expected\n{_table(roll)}",
    )


@group.command()
@click.argument("before", type=PATH)
@click.argument("after", type=PATH)
@JSON
def diff(before: Path, after: Path, *, as_json: bool) -> None:
    """Compare two versions of a roll, lender by lender: added, removed, changed."""
    one, two = read_roll(before), read_roll(after)
    difference = diff_rolls(one, two)
    value = {"same": difference.none, "before": _figures(one), "after": _figures(two), **difference.as_json()}
    show(value, as_json=as_json, text=_difference(difference))


def _class_total(text: str) -> tuple[str, tuple[int, int]]:
    name, _, figures = text.partition("=")
    heads, _, yuan = figures.partition(":")
    if not heads.isascii() or not heads.isdecimal() or not name:
        raise UserError(f"--class {text[:60]!r} is not NAME=LENDERS:YUAN, such as individual=300:12000.50")
    return name, (int(heads), _fen(yuan))


def _fen(text: str) -> int:
    try:
        return parse_yuan(text)
    except ValueError as error:
        raise UserError(str(error)) from error


def _difference(difference: Difference) -> str:
    numbers = [len(side) for side in (difference.added, difference.removed, difference.changed)]
    lines = ["{:,} added, {:,} removed, {:,} changed".format(*numbers)]
    lines += [f"+ {entry.leaf.sub} {format_yuan(entry.leaf.fen)} yuan" for entry in difference.added]
    lines += [f"- {entry.leaf.sub} {format_yuan(entry.leaf.fen)} yuan" for entry in difference.removed]
    lines += [
        f"~ {one.after.leaf.sub} {', '.join(one.what)}: "
        f"{format_yuan(one.before.leaf.fen)} yuan before, {format_yuan(one.after.leaf.fen)} after"
        for one in difference.changed
    ]
    return "\n".join(lines)


def _figures(roll: Roll) -> dict[str, Any]:
    return {"mtg": roll.mtg, **roll.summary.as_json(), **roll.provenance.as_json()}


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
    lines += [
        f"  excluded from {line.motion}: {line.heads:,} lenders {format_yuan(line.fen)} yuan"
        for line in roll.summary.excluded
        if line.cls == EVERYBODY
    ]
    lines += [
        f"  disputed: {format_yuan(line.fen)} yuan" for line in roll.summary.disputed if line.cls == EVERYBODY
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


def _print(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
