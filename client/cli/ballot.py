"""`concordat ballot`: enrol a lender's key, cast a ballot, see what became of it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from client.cli.edge import TAKES_IDS, plain_errors, show
from client.cli.mandate import read_mandate
from client.cli.options import JSON, PATH
from client.encodings import base64url
from client.enrolment.approvals import MISSING, InsecureApprovals
from client.errors import Negative, UserError
from client.home import home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.encodings.ballot import Vote
    from client.encodings.mandate import SignedMandate
    from client.encodings.meeting import Meeting
    from client.enrolment.approvals import Approvals
    from client.enrolment.lender import LenderKey
    from client.receipts.make import ReceiptOffice
    from client.relay.desk import Acknowledged
    from client.services import Services


@click.group(name="ballot")
def group() -> None:
    """Cast a ballot, and see what became of it."""


@group.command(context_settings=TAKES_IDS)
@click.argument("sub")
@click.option("--institution", required=True, help="The institution's MSP id, such as InstitutionAMSP.")
@click.option("--out", type=PATH, required=True, help="The key file, made at first.")
@click.option("--insecure-demo", is_flag=True, help="Enrol without an identity check; it warns.")
@JSON
def enrol(sub: str, institution: str, out: Path, *, insecure_demo: bool, as_json: bool) -> None:
    """Make a lender's key, and once its identity check is passed have it certified and enrol SUB.

    The first call makes the key and names its public part, with which the lender passes the identity
    service's check; the next one enrols it. Exit 1: there is no approval yet, or the channel refused.
    """
    from client.enrolment.lender import LenderKey  # noqa: PLC0415  help needs no gRPC

    known = out.exists()
    key = LenderKey.load(out) if known else LenderKey.generate(institution, sub)
    if key.certificate is not None or (key.institution, key.sub) != (institution, sub):
        raise UserError(f"{out} exists already, and is no key of {sub} without a certificate")
    with (
        _services() as services,
        plain_errors(f"enrolling {sub}"),
        _approvals(insecure=insecure_demo) as approvals,
    ):
        services.register_issuer(institution)
        certified, report = services.enrolment(institution, approvals).enrol([key])
    for lender in certified:
        lender.save(out, replace_own=known)
    if report.refused:
        code = report.refused[sub]
        if code == MISSING and not known:
            key.save(out)
        waits = f"; the key is in {out}, its public part {base64url.encode(key.spki)}"
        where = waits if code == MISSING else ""
        raise Negative(f"the enrolment of {sub} was refused: {code}{where}", code=code)
    value = {"sub": sub, "x5t": certified[0].x5t, "file": str(out)}
    show(value, as_json=as_json, text=f"enrolled {sub}; the key is in {out}")


@group.command()
@click.argument("mtg")
@click.option("--lender", "lender_file", type=PATH, required=True, help="The key file.")
@click.option("--vote", "votes", multiple=True, required=True, help="MOTION=CHOICE, for each motion.")
@click.option("--mandate", type=PATH, help="Cast it by proxy, by this mandate.")
@click.option("--session", "ses", help="The passed identity check.")
@click.option("--insecure-demo", is_flag=True, help="Record a check that believes everybody; it warns.")
@click.option("--seq", type=int, default=1, show_default=True, help="Higher than the lender's last ballot's.")
@click.option("--receipt", type=PATH, help="Write the receipt there.")
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds to wait for the block.")
@JSON
def cast(mtg: str, lender_file: Path, *, as_json: bool, **options: object) -> None:
    """Sign a ballot with a lender's key, hand it in, and bring it to the channel.

    Exit 1: refused (its code says why). 3: acknowledged, but in no block in time; repeating is safe.
    """
    from client.encodings.errors import Refused  # noqa: PLC0415
    from client.enrolment.lender import LenderKey  # noqa: PLC0415
    from client.platform.registers import load_meeting  # noqa: PLC0415
    from client.receipts import ReceiptOffice  # noqa: PLC0415

    if options["receipt"] is not None and not Path(str(options["receipt"])).parent.is_dir():
        raise UserError(f"{options['receipt']} can't be written: there is no such folder")
    lender = LenderKey.load(lender_file)
    mandate = None if options["mandate"] is None else read_mandate(Path(str(options["mandate"])))
    voter = lender.sub if mandate is None else mandate.mandate.sub
    with _services() as services, plain_errors(f"casting at {mtg}"):
        meeting = load_meeting(services.database, mtg).meeting
        votes = _votes(options["votes"])  # type: ignore[arg-type]
        seq = int(str(options["seq"]))
        compact = _acknowledged_before(services, mtg, voter, seq, votes, mandate=mandate)
        if compact is None:
            act, demo = None if mandate is None else voter, bool(options["insecure_demo"])
            ses = _session(services, meeting, lender, options["ses"], demo=demo, act=act)
            moment = services.clock()
            compact = lender.sign(meeting, votes, ses=ses, iat=moment, seq=seq, mandate=mandate).compact
        try:
            taken = services.desk(mtg).accept(compact)
        except Refused as refused:
            raise Negative(f"the ballot was refused: {refused.message}", code=refused.code) from refused
        with services.relay(mtg, meeting.institution, name="cast", workers=1) as relay:
            relay.drain(float(str(options["timeout"])))
        office = ReceiptOffice(services.database, mtg, services.signer(), services.amendments())
        value = _outcome(office, taken, options["receipt"])
    text = f"ballot {taken.digest}: number {taken.no} at {taken.time}, in block {value['block']}"
    show(value, as_json=as_json, text=text)


@group.command(context_settings=TAKES_IDS)
@click.argument("mtg", metavar="MEETING")
@click.argument("sub")
@JSON
def history(mtg: str, sub: str, *, as_json: bool) -> None:
    """Show a lender's ballots at a meeting, by pseudonym SUB: which one counts, which were replaced."""
    from dataclasses import asdict  # noqa: PLC0415

    from client.encodings.ids import is_meeting_id, is_random_id  # noqa: PLC0415
    from client.platform import Database, database_url  # noqa: PLC0415
    from client.relay.history import history as past_ballots  # noqa: PLC0415

    if not (is_meeting_id(mtg) and is_random_id(sub)):
        raise UserError(f"{mtg!a} is no meeting's id, or {sub!a} no pseudonym")
    database = Database.open(database_url(home()))
    try:
        past = past_ballots(database, mtg, sub)
    finally:
        database.close()
    lines = [
        f"{one.seq:4}  {one.state:8}  number {one.ack_no} at {one.ack_time}  {one.digest}"
        + (f"  by proxy {one.proxy}" if one.proxy else "")
        + (f"  block {one.block}" if one.block is not None else "")
        + (f"  {one.code}" if one.code else "")
        for one in past
    ]
    show([asdict(one) for one in past], as_json=as_json, text="\n".join(lines) or "no ballot")


@contextmanager
def _approvals(*, insecure: bool) -> Iterator[Approvals]:
    """Give what this host's identity service approved, or the approval of everybody."""
    if insecure:
        yield InsecureApprovals()
        return
    from client.cli.identity_wiring import identity_service  # noqa: PLC0415  loads the face models
    from client.identity.approvals import ServiceApprovals  # noqa: PLC0415

    with identity_service(home()) as service:
        yield ServiceApprovals(service.parts.outcomes)


def _services() -> Services:
    from client.services import Services  # noqa: PLC0415

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
    services: Services,
    mtg: str,
    sub: str,
    seq: int,
    votes: dict[str, Vote],
    *,
    mandate: SignedMandate | None,
) -> str | None:
    """Return the same ballot where it was handed in before: a repeated command casts it, not a second one."""
    from sqlalchemy import select  # noqa: PLC0415

    from client.encodings.ballot import parse_ballot  # noqa: PLC0415
    from client.platform.models import Ballot  # noqa: PLC0415

    prx = None if mandate is None else mandate.digest
    with services.database.read() as session:
        mine = select(Ballot.jws).where(Ballot.mtg == mtg, Ballot.sub == sub, Ballot.seq == seq)
        for compact in session.scalars(mine.order_by(Ballot.id)):
            content = parse_ballot(compact).ballot
            answered = {motion: vote for motion, vote in content.votes.items() if vote != ()}
            if (content.prx, answered) == (prx, votes):
                return compact
    return None


def _session(
    services: Services, meeting: Meeting, lender: LenderKey, ses: object, *, demo: bool, act: str | None
) -> str:
    from client.sessions import InsecureDemoChecks  # noqa: PLC0415

    if (ses is None) == (not demo):
        raise UserError("name the passed identity check (--session), or use --insecure-demo")
    if ses is not None:
        return str(ses)
    checks = InsecureDemoChecks(services.sessions(), clock=services.clock)
    recorded = checks.check(lender.institution, meeting.mtg, [lender.sub], act=act)[0]
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
