"""`concordat audit`: verify a meeting from the chain and reconcile the platform's database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from client.cli import audit_follow, audit_log, audit_sample, audit_serve
from client.cli.options import FILE
from client.connection import Profile
from client.errors import Negative, UserError
from client.home import home

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.verdict import Audit

_SHOWN = 60


@click.group()
def group() -> None:
    """Verify a meeting from the chain and reconcile the platform."""


audit_log.add_to(group)
group.add_command(audit_follow.follow)
audit_sample.add_to(group)
audit_serve.add_to(group)


@group.command()
@click.option("--meeting", required=True, help="The meeting's id.")
@click.option(
    "--database",
    envvar="CONCORDAT_DATABASE_URL",
    help="URL of the platform's database; default: the SQLite file in the state folder.",
)
@click.option(
    "--report",
    type=FILE,
    help="Write the report there, as .json, .html and .pdf.",
)
@click.option("--sign", is_flag=True, help="Sign the report as the auditor: a .jws file beside it.")
@click.option("--as-of", help="Count the patience up to this time. Default: now.", metavar="TIME")
@click.option(
    "--patience",
    type=click.IntRange(min=0),
    default=900,
    show_default=True,
    help="Seconds after its acknowledgement in which a ballot may be on its way.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the audit as JSON.")
def run(
    meeting: str,
    database: str | None,
    report: Path | None,
    patience: int,
    *,
    sign: bool,
    as_of: str | None,
    as_json: bool,
) -> None:
    """Verify every ballot and the tally from the Regulator's own peer, and compare the platform's rows.

    Exit 0: consistent. 1: not. 2: could not be done.
    """
    _check(report, sign=sign, as_of=as_of)
    audit = _audit(meeting, database or f"sqlite:///{home() / 'platform.db'}", patience, as_of)
    if report is not None:
        from auditor.reporting.write import write_reports  # noqa: PLC0415  templates only where asked for
        from client.cli.audit_identity import auditor_identity  # noqa: PLC0415

        signer = auditor_identity().signer if sign else None
        for path in write_reports(audit, report, signer):
            click.echo(f"report: {path}", err=True)
    if as_json:
        click.echo(json.dumps(audit.as_json(), ensure_ascii=False, sort_keys=True))
    else:
        _print(audit)
    if audit.meeting is None:
        count = len(audit.discrepancies)
        raise Negative(
            f"meeting {meeting} is not consistent: {count} discrepanc{'y' if count == 1 else 'ies'}"
        )


def _check(report: Path | None, *, sign: bool, as_of: str | None) -> None:
    from client.encodings import times  # noqa: PLC0415

    if sign and report is None:
        raise UserError("--sign signs a report: name its file with --report")
    if as_of is not None and not times.is_time(as_of):
        raise UserError(f"--as-of {as_of} is no time of the form 2026-01-31T08:00:00Z")


def _audit(meeting: str, database: str, patience: int, as_of: str | None) -> Audit:
    from auditor.ahead import HelperProcesses  # noqa: PLC0415  gRPC and SQL only where needed
    from auditor.replay.authority import Offices  # noqa: PLC0415
    from auditor.run import Roots, run_audit  # noqa: PLC0415
    from auditor.source import OwnPeer  # noqa: PLC0415

    offices = Offices()
    profile = Profile.load(home())
    genesis = {
        name: bytes.fromhex(channel.genesis)
        for name, channel in profile.channels.items()
        if name == "identity" or channel.chaincode == "arbitration"
    }
    with profile.gateway(offices.regulator, "auditor") as gateway, HelperProcesses() as helpers:
        source, roots = OwnPeer(gateway), Roots(genesis, offices)
        return run_audit(source, roots, meeting, database, patience=patience, helpers=helpers, as_of=as_of)


def _print(audit: Audit) -> None:
    click.echo(f"{audit.mtg}: {audit.verdict} ({audit.state or 'no state'})")
    heights = ", ".join(f"{channel} {height}" for channel, height in audit.blocks.items())
    click.echo(f"blocks: {heights}; ballots: {audit.counted}; pending: {audit.pending}")
    if audit.snapshot is not None and audit.snapshot.same_host:
        click.echo(
            "note: platform and auditor share a host, which took the snapshot of the platform's database"
        )
    for motion, outcome in (audit.outcome or {}).items():
        click.echo(f"  {motion}: {'passed' if outcome['passed'] else 'not passed'}")
    for one in audit.shown:
        values = f"chain {_short(one.chain)} platform {_short(one.platform)}"
        click.echo(f"  {one.kind} {one.field} {one.ballot}: {values} ({one.where}) {one.detail}".rstrip())


def _short(value: str) -> str:
    text = value or "-"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
