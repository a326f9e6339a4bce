"""`concordat ballot`: enrol a lender's key, cast a ballot, see what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from client.cli.edge import plain_errors, show
from client.errors import Negative, UserError
from client.home import home

if TYPE_CHECKING:
    from client.encodings.ballot import Vote
    from client.encodings.meeting import Meeting
    from client.enrolment.lender import LenderKey
    from client.receipts.make import ReceiptOffice
    from client.relay.desk import Acknowledged
    from client.relay.services import Services

# A pseudonym may begin with a hyphen, and is no option for that.
_pseudonym = {"ignore_unknown_options": True}
_json = click.option("--json", "as_json", is_flag=True, help="Machine-readable output on stdout.")


@click.group(name="ballot")
def group() -> None:
    """Cast a ballot, and see what became of it."""


@group.command(context_settings=_pseudonym)
@click.argument("sub")
@click.option("--institution", required=True, help="The institution's MSP id, such as InstitutionAMSP.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The key file to write.")
@click.option("--method", default="insecure-demo", show_default=True, help="How the person was identified.")
@_json
def enrol(sub: str, institution: str, out: Path, method: str, *, as_json: bool) -> None:
    """Make a lender's key, have it certified by the lender CA, and enrol the pseudonym SUB."""
    from client.enrolment.lender import LenderKey  # noqa: PLC0415  help needs no gRPC

    if out.exists():
        raise UserError(f"{out} exists already: name another file")
    with _services() as services, plain_errors(f"enrolling {sub}"):
        services.register_issuer(institution)
        key = LenderKey.generate(institution, sub)
        (certified,), report = services.enrolment(institution).enrol([key], method=method)
    certified.save(out)
    if report.refused:
        raise Negative(f"the enrolment of {sub} was refused: {report.refused[sub]}", code=report.refused[sub])
    value = {"sub": sub, "x5t": certified.x5t, "file": str(out)}
    show(value, as_json=as_json, text=f"enrolled {sub}; the key is in {out}")


@group.command()
@click.argument("mtg")
@click.option("--lender", "lender_file", type=click.Path(path_type=Path), required=True, help="The key file.")
@click.option("--vote", "votes", multiple=True, required=True, help="MOTION=CHOICE, for each motion.")
@click.option("--session", "ses", help="The passed identity check.")
@click.option("--insecure-demo", is_flag=True, help="Record a check that believes everybody; it warns.")
@click.option("--seq", type=int, default=1, show_default=True, help="Higher than the lender's last ballot's.")
@click.option("--receipt", type=click.Path(path_type=Path), help="Write the receipt there.")
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds to wait for the block.")
@_json
def cast(mtg: str, lender_file: Path, *, as_json: bool, **options: object) -> None:
    """Sign a ballot with a lender's key, hand it in, and bring it to the channel.

    Exit 1: refused (its code says why). 3: acknowledged, but in no block in time; repeating is safe.
    """
    from client.encodings.errors import Refused  # noqa: PLC0415
    from client.enrolment.lender import LenderKey  # noqa: PLC0415
    from client.platform.registers import load_meeting  # noqa: PLC0415
    from client.receipts import ReceiptOffice  # noqa: PLC0415

    lender = LenderKey.load(lender_file)
    with _services() as services, plain_errors(f"casting at {mtg}"):
        meeting = load_meeting(services.database, mtg).meeting
        votes = _votes(options["votes"])  # type: ignore[arg-type]
        seq = int(str(options["seq"]))
        compact = _acknowledged_before(services, mtg, lender.sub, seq, votes)
        if compact is None:
            ses = _session(services, meeting, lender, options["ses"], demo=bool(options["insecure_demo"]))
            compact = lender.sign(meeting, votes, ses=ses, iat=services.clock(), seq=seq).compact
        try:
            taken = services.desk(mtg).accept(compact)
        except Refused as refused:
            raise Negative(f"the ballot was refused: {refused.message}", code=refused.code) from refused
        with services.relay(mtg, meeting.institution, name="cast", workers=1) as relay:
            relay.drain(float(str(options["timeout"])))
        office = ReceiptOffice(services.database, mtg, services.signer())
        value = _outcome(office, taken, options["receipt"])
    text = f"ballot {taken.digest}: number {taken.no} at {taken.time}, in block {value['block']}"
    show(value, as_json=as_json, text=text)


@group.command(context_settings=_pseudonym)
@click.argument("mtg", metavar="MEETING")
@click.argument("sub")
@_json
def history(mtg: str, sub: str, *, as_json: bool) -> None:
    """Show a lender's ballots at a meeting, by pseudonym SUB: which one counts, which were replaced."""
    from dataclasses import asdict  # noqa: PLC0415

    from client.platform import Database, database_url  # noqa: PLC0415
    from client.relay.history import history as past_ballots  # noqa: PLC0415

    database = Database.open(database_url(home()))
    try:
        past = past_ballots(database, mtg, sub)
    finally:
        database.close()
    lines = [
        f"{one.seq:4}  {one.state:8}  number {one.ack_no} at {one.ack_time}  {one.digest}"
        + (f"  block {one.block}" if one.block is not None else "")
        + (f"  {one.code}" if one.code else "")
        for one in past
    ]
    show([asdict(one) for one in past], as_json=as_json, text="\n".join(lines) or "no ballot")


def _services() -> Services:
    from client.relay.services import Services  # noqa: PLC0415

    return Services.at(home())


def _votes(given: tuple[str, ...]) -> dict[str, Vote]:
    votes: dict[str, Vote] = {}
    for item in given:
        motion, equals, choice = item.partition("=")
        if not equals or not motion or not choice or motion in votes:
            raise UserError(f"--vote {item!r} is not MOTION=CHOICE, each motion once")
        votes[motion] = tuple(sorted(choice.split(","))) if "," in choice else choice
    return votes


def _acknowledged_before(
    services: Services, mtg: str, sub: str, seq: int, votes: dict[str, Vote]
) -> str | None:
    """Return the same ballot where it was handed in before: a repeated command casts it, not a second one."""
    from sqlalchemy import select  # noqa: PLC0415

    from client.encodings import jcs  # noqa: PLC0415
    from client.encodings.ballot import votes_json  # noqa: PLC0415
    from client.platform.models import Ballot  # noqa: PLC0415

    with services.database.read() as session:
        mine = select(Ballot.jws).where(Ballot.mtg == mtg, Ballot.sub == sub, Ballot.seq == seq)
        return session.scalars(mine.where(Ballot.choices == jcs.dumps(votes_json(votes)).decode())).first()


def _session(services: Services, meeting: Meeting, lender: LenderKey, ses: object, *, demo: bool) -> str:
    from client.sessions import InsecureDemoChecks  # noqa: PLC0415

    if (ses is None) == (not demo):
        raise UserError("name the passed identity check (--session), or use --insecure-demo")
    if ses is not None:
        return str(ses)
    checks = InsecureDemoChecks(services.sessions(), clock=services.clock)
    recorded = checks.check(lender.institution, meeting.mtg, [lender.sub])[0]
    if recorded.code is not None:
        raise Negative(f"the identity check was refused: {recorded.code}", code=recorded.code)
    return recorded.session.ses


def _outcome(office: ReceiptOffice, taken: Acknowledged, path: object) -> dict[str, object]:
    receipt = office.issue(taken.digest)
    if path is not None:
        Path(str(path)).write_bytes(receipt.encode() + b"\n")
    return {
        "digest": taken.digest,
        "no": taken.no,
        "time": taken.time,
        "ack": taken.ack,
        "tx": receipt.tx,
        "block": receipt.block,
        "channel": receipt.channel,
        "receipt": None if path is None else str(path),
    }
