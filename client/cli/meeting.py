"""`concordat meeting`: propose, confirm, step, result, show, list."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any

import click

from client.cli.edge import plain_errors, show
from client.cli.options import EXISTING_FILE, INSTITUTION, JSON
from client.errors import UserError
from client.home import home
from client.meetings.record import METHODS
from client.rolls.yuan import format_yuan

if TYPE_CHECKING:
    from pathlib import Path

    from client.meetings.channel import OnChannel
    from client.rolls import Roll
    from client.services import Services

_log = logging.getLogger(__name__)

STEPS = ("open", "closing", "closed", "objections", "certified", "void")


@click.group(name="meeting")
def group() -> None:
    """Propose, confirm and follow meetings."""


@group.command()
@click.argument("mtg")
@click.option("--institution", required=True, help="The institution's MSP id, such as InstitutionAMSP.")
@click.option("--title", required=True)
@click.option(
    "--register",
    type=EXISTING_FILE,
    help="The register of claims (CSV or XLSX); the roll file goes to rolls/ in the home folder.",
)
@click.option("--roll", "roll_file", type=EXISTING_FILE, help="A roll file from `concordat roll import`.")
@click.option("--motion", "titles", multiple=True, required=True, help="A motion's title; may be repeated.")
@click.option("--profile", default="cn-p2p-exit", show_default=True, help="The motions' rules.")
@click.option(
    "--document", "documents", type=EXISTING_FILE, multiple=True, help="A file put before the meeting."
)
@click.option(
    "--method", "methods", multiple=True, default=METHODS, show_default=True, help="Of identity checks."
)
@click.option("--revote", type=click.Choice(["none", "last", "first"]), default="none", show_default=True)
@click.option("--replaces", help="The meeting in whose place this one is held.")
@click.option("--why", type=click.Choice(["postponed", "second-vote"]), help="Why it replaces that meeting.")
@click.option("--proxies", is_flag=True, help="Take ballots by proxy, by lenders' mandates.")
@click.option("--opens-at", required=True, help="As 2026-01-31T08:00:00Z.")
@click.option("--closes-at", required=True)
@click.option("--objections-until", required=True)
@JSON
def propose(mtg: str, institution: str, *, as_json: bool, **options: Any) -> None:
    """Propose a meeting as the institution's officer; the Regulator confirms it.

    Every motion is to be approved, rejected or abstained from. A meeting in the place of a postponed one
    needs that one void; a second vote is on motions that failed, under the same ids.
    """
    from client.meetings.profiles import motions  # noqa: PLC0415  help needs no gRPC
    from client.meetings.record import FrozenRoll, build_meeting  # noqa: PLC0415
    from client.rolls import write_roll  # noqa: PLC0415

    with services_here() as services, plain_errors(f"proposing {mtg}"):
        channel = services.profile.arbitration_channel(institution)
        roll = _roll(services, mtg, institution, options["register"], options["roll_file"])
        frozen = FrozenRoll.of(roll)
        meeting = build_meeting(
            mtg=mtg,
            institution=institution,
            title=options["title"],
            roll=frozen.summary,
            motions=motions(options["titles"], options["profile"]),
            opens_at=options["opens_at"],
            closes_at=options["closes_at"],
            objections_until=options["objections_until"],
            genesis=services.genesis(institution, institution),
            documents=[
                (path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in options["documents"]
            ],
            revote=options["revote"],
            proxies=options["proxies"],
            methods=options["methods"],
            replaces=_replaces(services, institution, options["replaces"], options["why"]),
        )
        committed = services.convener(institution).propose(meeting, frozen)
        services.lenders().adopt(institution, ((entry.person, entry.leaf.sub) for entry in roll.entries))
        if options["roll_file"] is None:
            write_roll(roll, home() / "rolls" / f"{mtg}.jsonl", replace=True)
    value = {"mtg": mtg, "mh": meeting.mh, "channel": channel.name, "state": "draft", "tx": committed.tx}
    show(value, as_json=as_json, text=f"proposed {mtg} ({meeting.mh}); the Regulator has to confirm it")


@group.command()
@click.argument("mtg")
@click.option(
    "--roll", "roll_file", type=EXISTING_FILE, required=True, help="The full roll file of the institution."
)
@INSTITUTION
@JSON
def confirm(mtg: str, roll_file: Path, institution: str | None, *, as_json: bool) -> None:
    """Recompute a proposed meeting's roll as the Regulator's officer, and confirm it.

    Exit 1 if the roll doesn't come out as proposed: then nothing is confirmed.
    """
    from client.meetings.supervisor import lines  # noqa: PLC0415
    from client.rolls import read_roll  # noqa: PLC0415

    roll = read_roll(roll_file)
    with services_here() as services, plain_errors(f"confirming {mtg}"):
        owner = owner_of(services, mtg, institution)
        committed = services.supervisor(owner).confirm(mtg, lines(roll))
        there = services.convener(owner).refresh(mtg, expected="announced")
    value = {"mtg": mtg, "mh": there.meeting.mh, "state": "announced", "tx": committed.tx}
    show(value, as_json=as_json, text=f"confirmed {mtg}: {len(roll.entries):,} lenders recomputed, announced")


@group.command()
@click.argument("mtg")
@click.argument("to", type=click.Choice(STEPS))
@click.option("--confirm", "confirming", is_flag=True, help="Confirm the step that waits, as the Regulator.")
@click.option("--at", help="The moment that the step names, as 2026-01-31T08:00:00Z. Default: now.")
@click.option("--reason", help="Why; only for void, and needed there.")
@click.option(
    "--insecure-ahead", is_flag=True, help="Confirm a step whose moment is still to come: for rehearsals."
)
@INSTITUTION
@JSON
def step(
    mtg: str, to: Any, *, confirming: bool, insecure_ahead: bool, as_json: bool, **options: str | None
) -> None:
    """Propose a step as the institution's officer, or confirm it as the Regulator's.

    Exit 1: the step to be confirmed names a moment that is still to come.
    """
    with services_here() as services, plain_errors(f"step of {mtg} to {to}"):
        owner = owner_of(services, mtg, options["institution"])
        if not confirming:
            proposed = services.convener(owner).propose_step(
                mtg, to, at=options["at"], reason=options["reason"]
            )
            value = {"mtg": mtg, "to": to, "at": proposed.at, "digest": proposed.digest, "confirmed": False}
            text = f"proposed: {mtg} to {to} at {proposed.at}; the Regulator has to confirm it"
        else:
            supervisor = services.supervisor(owner)
            pending = supervisor.pending_step(mtg)
            if pending.to != to:
                raise UserError(
                    f"the step of {mtg} that waits is to {pending.to}, not {to}", code="STEP_MISMATCH"
                )
            if insecure_ahead:
                _log.warning("--insecure-ahead: nobody checks that the moment which the step names has come")
            committed = supervisor.confirm_step(mtg, pending, insecure_ahead=insecure_ahead)
            services.convener(owner).refresh(mtg, expected=to)
            value = {"mtg": mtg, "to": to, "at": pending.at, "digest": pending.digest, "confirmed": True}
            value["tx"] = committed.tx
            text = f"confirmed: {mtg} is {to}"
    show(value, as_json=as_json, text=text)


@group.command()
@click.argument("mtg")
@INSTITUTION
@JSON
def result(mtg: str, institution: str | None, *, as_json: bool) -> None:
    """Show the result that the channel wrote when the meeting closed."""
    with services_here() as services, plain_errors(f"result of {mtg}"):
        owner = owner_of(services, mtg, institution)
        value = services.convener(owner).result(mtg)
    show(value, as_json=as_json, text=_result_text(value))


@group.command(name="show")
@click.argument("mtg")
@INSTITUTION
@JSON
def show_(mtg: str, institution: str | None, *, as_json: bool) -> None:
    """Show a meeting's record, its state, and the step that waits for confirmation."""
    from client.encodings import jcs  # noqa: PLC0415

    with services_here() as services, plain_errors(f"meeting {mtg}"):
        there = _look(services, mtg, institution)[1]
    meeting, pending = there.meeting, there.pending
    value = {"mtg": mtg, "mh": meeting.mh, "state": there.state, "record": jcs.loads(meeting.record)}
    value["pending"] = (
        None if pending is None else {"to": pending.to, "at": pending.at, "digest": pending.digest}
    )
    waits = "" if pending is None else f"\nwaits for the Regulator: to {pending.to} at {pending.at}"
    questions = "".join(f"\n  {motion.id}: {motion.title}" for motion in meeting.motions)
    text = (
        f"{mtg}: {meeting.title} ({meeting.institution}), {there.state}{waits}\n"
        f"open {meeting.opens_at} to {meeting.closes_at}, {meeting.roll.heads:,} lenders"
        f"\nmh {meeting.mh}{questions}"
    )
    show(value, as_json=as_json, text=text)


@group.command(name="list")
@JSON
def list_(*, as_json: bool) -> None:
    """List the meetings of every institution of this network."""
    from client.meetings.channel import list_meetings  # noqa: PLC0415

    found: list[dict[str, Any]] = []
    with services_here() as services, plain_errors("listing meetings"):
        for owner in _institutions(services):
            listed = list_meetings(services.arbitration(owner, "officer", owner))
            found += [{"institution": owner, **entry} for entry in listed]
    lines = [f"{e['mtg']:<24} {e['state']:<11} {e['institution']:<18} {e['title']}" for e in found]
    show({"meetings": found}, as_json=as_json, text="\n".join(lines) or "no meetings")


# -- what the commands share --------------------------------------------------------------------------


def services_here() -> Services:
    """Open the services of the home folder."""
    from client.services import Services  # noqa: PLC0415

    return Services.at(home())


def _institutions(services: Services) -> list[str]:
    return sorted(c.institution for c in services.profile.channels.values() if c.institution is not None)


def owner_of(services: Services, mtg: str, institution: str | None) -> str:
    """Return whose meeting it is; raise UserError where no channel has it."""
    return _look(services, mtg, institution)[0]


def _look(services: Services, mtg: str, institution: str | None) -> tuple[str, OnChannel]:
    """Find the meeting on its institution's channel; raise UserError where no channel has it."""
    from client.meetings.channel import look_up  # noqa: PLC0415

    for owner in [institution] if institution else _institutions(services):
        try:
            return owner, look_up(services.arbitration(owner, "officer", owner), mtg)
        except UserError as error:
            if error.code != "MEETING_NOT_FOUND":
                raise
    raise UserError(f"there is no meeting {mtg!r}: see `concordat meeting list`", code="MEETING_NOT_FOUND")


def _roll(
    services: Services, mtg: str, institution: str, register: Path | None, roll_file: Path | None
) -> Roll:
    from client.platform.times import now, to_text  # noqa: PLC0415
    from client.rolls import make_roll, read_claims, read_roll  # noqa: PLC0415

    if (register is None) == (roll_file is None):
        raise UserError("name either the register of claims (--register) or a roll file (--roll)")
    if roll_file is not None:
        roll = read_roll(roll_file)
        if roll.mtg != mtg:
            raise UserError(
                f"{roll_file} is the roll of {roll.mtg!r}, not of {mtg!r}: import the register again"
            )
        return roll
    data = register.read_bytes() if register else b""
    holders = read_claims(data, source=str(register))
    lenders = services.lenders()
    return make_roll(
        holders,
        mtg=mtg,
        snapshot=to_text(now()),
        pseudonyms=lambda persons: lenders.pseudonyms(institution, persons),
        source_sha256=hashlib.sha256(data).hexdigest(),
    )


def _replaces(
    services: Services, institution: str, mtg: str | None, why: str | None
) -> dict[str, str] | None:
    if (mtg is None) != (why is None):
        raise UserError("a meeting in another's place needs both --replaces and --why")
    if mtg is None or why is None:
        return None
    before = _look(services, mtg, institution)[1]
    return {"mtg": mtg, "mh": before.meeting.mh, "why": why}


def _result_text(result: dict[str, Any]) -> str:
    lines = [f"{result['mtg']}: {result['ballots']:,} ballots"]
    for name, motion in result["motions"].items():
        lines.append(f"{name}: {'passed' if motion['passed'] else 'not passed'}")
        for choice, cells in motion["choices"].items():
            heads, fen = cells["*"]
            lines.append(f"  {choice:<12} {heads:>9,} lenders {format_yuan(fen):>20} yuan")
        for test in motion["tests"]:
            needed = f"{test['unit']} {test['comparator']} {test['fraction'][0]}/{test['fraction'][1]}"
            found = f"{test['numerator']:,} of {test['denominator']:,} {needed}"
            lines.append(f"  {test['name']:<14} {found}: {'yes' if test['passed'] else 'no'}")
        if "election" in motion:
            election = motion["election"]
            lines.append(f"  {election['outcome']}: {', '.join(election['elected']) or 'nobody'}")
            lines += [f"  level at the last seat: {', '.join(election['tied'])}"] if election["tied"] else []
        if motion.get("disputed", {}).get("tipped"):
            lines.append("  the disputed claims tipped it")
    return "\n".join(lines)
