"""`concordat amendment`: propose, confirm, show."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import click

from client.cli.edge import plain_errors, show
from client.cli.meeting import owner_of, services_here
from client.cli.options import EXISTING_FILE, INSTITUTION, JSON
from client.rolls.yuan import format_yuan

if TYPE_CHECKING:
    from pathlib import Path

    from client.encodings.amendment import Amendment, Entitlement


@click.group(name="amendment")
def group() -> None:
    """Amend a meeting's frozen roll; the meeting's hash never changes."""


@group.command()
@click.argument("mtg")
@click.option(
    "--changes",
    type=EXISTING_FILE,
    required=True,
    help="JSON: for each pseudonym its claims in fen, or null for a lender to be taken off the roll.",
)
@click.option("--reason", required=True, help="Why; it stays on the channel and is read by everybody.")
@click.option("--decision", type=EXISTING_FILE, required=True, help="What decides it; its hash is cited.")
@INSTITUTION
@JSON
def propose(
    mtg: str, *, changes: Path, reason: str, decision: Path, institution: str | None, as_json: bool
) -> None:
    """Propose a change of the roll as the institution's officer; the Regulator confirms it.

    Possible from the announcement until the meeting is closed. Ballots cast already count otherwise from the
    confirmation on.
    """
    from client.meetings.amendments import read_entitlements  # noqa: PLC0415  help needs no gRPC

    wanted = read_entitlements(changes.read_bytes())
    with services_here() as services, plain_errors(f"amending the roll of {mtg}"):
        owner = owner_of(services, mtg, institution)
        made = services.convener(owner).propose_amendment(
            mtg, wanted, reason=reason, decision=hashlib.sha256(decision.read_bytes()).hexdigest()
        )
    value = _value(made) | {"confirmed": False}
    show(value, as_json=as_json, text=f"{_text(made)}\nproposed: the Regulator has to confirm it")


@group.command()
@click.argument("mtg")
@click.option(
    "--roll", "roll_file", type=EXISTING_FILE, required=True, help="The full roll file of the institution."
)
@INSTITUTION
@JSON
def confirm(mtg: str, roll_file: Path, institution: str | None, *, as_json: bool) -> None:
    """Compare the amendment that waits with the full roll as the Regulator's officer, and confirm it.

    Exit 1 if what it says of a lender is not what the roll has: then nothing is confirmed.
    """
    from client.meetings.supervisor import lines  # noqa: PLC0415
    from client.rolls import read_roll  # noqa: PLC0415

    roll = read_roll(roll_file)
    with services_here() as services, plain_errors(f"confirming an amendment of {mtg}"):
        supervisor = services.supervisor(owner_of(services, mtg, institution))
        pending = supervisor.pending_amendment(mtg)
        committed = supervisor.confirm_amendment(pending, lines(roll))
    value = _value(pending) | {"confirmed": True, "tx": committed.tx}
    show(value, as_json=as_json, text=f"{_text(pending)}\nconfirmed")


@group.command(name="show")
@click.argument("mtg")
@INSTITUTION
@JSON
def show_(mtg: str, institution: str | None, *, as_json: bool) -> None:
    """Show a meeting's amendments, the one that waits, and the roll's figures as amended."""
    from client.meetings.amendments import look_up_amendments  # noqa: PLC0415

    with services_here() as services, plain_errors(f"amendments of {mtg}"):
        owner = owner_of(services, mtg, institution)
        there = look_up_amendments(services.arbitration(owner, "officer", owner), mtg)
    value: dict[str, Any] = {
        "mtg": mtg,
        "confirmed": [_value(made) for made in there.confirmed],
        "pending": None if there.pending is None else _value(there.pending),
        "roll": there.roll,
    }
    waits = [] if there.pending is None else [f"{_text(there.pending)}\nwaits for the Regulator"]
    total = f"{there.roll['heads']:,} lenders with {format_yuan(there.roll['fen'])} yuan on the roll"
    show(value, as_json=as_json, text="\n".join([*map(_text, there.confirmed), *waits, total]))


def _value(made: Amendment) -> dict[str, Any]:
    return {
        "mtg": made.mtg,
        "no": made.no,
        "at": made.at,
        "reason": made.reason,
        "decision": made.decision,
        "digest": made.digest,
        "changes": [change.as_json() for change in made.changes],
    }


def _text(made: Amendment) -> str:
    lines = [f"amendment {made.no} of {made.mtg} at {made.at}: {made.reason}"]
    lines += [f"  {one.sub}: {_claims(one.before)} -> {_claims(one.after)}" for one in made.changes]
    return "\n".join(lines)


def _claims(stands: Entitlement | None) -> str:
    if stands is None:
        return "not on the roll"
    claims = ", ".join(f"{claim.cls} {format_yuan(claim.fen)}" for claim in stands.claims)
    return claims + (f", excluded from {', '.join(stands.excluded)}" if stands.excluded else "")
