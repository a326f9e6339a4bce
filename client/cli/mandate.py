"""`concordat mandate`: let another cast one's ballot, take that back, see what stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

import click

from client.cli.edge import TAKES_IDS, plain_errors, show
from client.cli.options import JSON, PATH
from client.errors import Negative, UserError
from client.home import home

if TYPE_CHECKING:
    from pathlib import Path

    from client.encodings.mandate import SignedMandate
    from client.encodings.mandate_record import MandateRecord
    from client.services import Services

_lender = click.option("--lender", "lender_file", type=PATH, required=True, help="The lender's key file.")


@click.group(name="mandate")
def group() -> None:
    """Let another cast one's ballot at a meeting (Enterprise Bankruptcy Law art. 59)."""


@group.command("register-proxy")
@click.argument("person_file", metavar="PERSON", type=click.File("r", encoding="utf-8"))
@click.option("--institution", required=True, help="The institution's MSP id, such as InstitutionAMSP.")
@JSON
def register_proxy(person_file: TextIO, *, institution: str, as_json: bool) -> None:
    """Give somebody who is on no roll, such as a lawyer, a pseudonym; then `concordat ballot enrol` it.

    PERSON is a file of JSON, or - for stdin: name, id_type and id_no as in a register, perhaps phone and
    email. Whoever the institution knows already keeps the pseudonym. Repeating is safe.
    """
    from client.encodings import jcs  # noqa: PLC0415
    from client.rolls.person import parse_person  # noqa: PLC0415

    try:
        person = parse_person(jcs.loads(person_file.read().encode()))
    except ValueError as error:
        raise UserError(f"{person_file.name} names no person: {error}") from error
    with _services() as services:
        services.profile.arbitration_channel(institution)  # that there is such an institution
        sub = services.lenders().admit(institution, person)
    value = {"institution": institution, "sub": sub}
    show(value, as_json=as_json, text=f"{sub}: enrol it with `concordat ballot enrol`")


@group.command()
@click.argument("mtg", metavar="MEETING")
@_lender
@click.option("--proxy", required=True, help="The proxy's pseudonym: another lender's, or a lawyer's.")
@click.option("--motion", "motions", multiple=True, help="A motion that it is for. Default: all of them.")
@click.option("--no", type=int, default=1, show_default=True, help="Higher than the last mandate's.")
@click.option("--out", type=PATH, required=True, help="Write the mandate there.")
@JSON
def sign(
    mtg: str, *, lender_file: Path, proxy: str, motions: tuple[str, ...], no: int, out: Path, as_json: bool
) -> None:
    """Sign a mandate with a lender's key. It is in force once it is recorded."""
    from client.encodings.errors import Refused  # noqa: PLC0415
    from client.enrolment.lender import LenderKey  # noqa: PLC0415
    from client.platform.registers import load_meeting  # noqa: PLC0415

    lender = LenderKey.load(lender_file)
    with _services() as services:
        meeting = load_meeting(services.database, mtg).meeting
        unknown = set(motions) - {motion.id for motion in meeting.motions}
        if unknown:
            raise UserError(f"{mtg} has no motion {min(unknown)!r}: see `concordat meeting show {mtg}`")
        try:
            signed = lender.sign_mandate(meeting, proxy, iat=services.clock(), no=no, motions=motions)
        except Refused as refused:
            raise UserError(f"that is no mandate: {refused.message}", code=refused.code) from refused
    try:
        out.write_text(signed.compact + "\n", encoding="ascii")
    except OSError as error:
        raise UserError(f"{out} can't be written: {error.strerror}") from error
    value = {"digest": signed.digest, "sub": lender.sub, "proxy": proxy, "no": no, "file": str(out)}
    show(value, as_json=as_json, text=f"mandate {signed.digest} for {proxy}: {out}")


@group.command()
@click.argument("file", type=PATH)
@JSON
def record(file: Path, *, as_json: bool) -> None:
    """Bring a signed mandate to its meeting's channel. Repeating is safe.

    Exit 1: it was refused (its code says why).
    """
    from client.platform.registers import load_meeting  # noqa: PLC0415

    signed = read_mandate(file)
    mtg = signed.mandate.mtg
    with _services() as services, plain_errors(f"recording a mandate at {mtg}"):
        meeting = load_meeting(services.database, mtg).meeting
        recorder = services.mandate_recorder(mtg, meeting.institution)
        code = recorder.record([signed.compact])[0]
    if code is not None:
        raise Negative(f"the mandate was refused: {code}", code=code)
    value = {"digest": signed.digest, "mtg": mtg, "recorded": True}
    show(value, as_json=as_json, text=f"mandate {signed.digest} is in force at {mtg}")


@group.command()
@click.argument("mtg", metavar="MEETING")
@_lender
@JSON
def revoke(mtg: str, lender_file: Path, *, as_json: bool) -> None:
    """Revoke the lender's mandate. A ballot that the proxy has cast stays until the lender votes itself.

    Exit 1: there is none to revoke. Repeating is safe.
    """
    from client.enrolment.lender import LenderKey  # noqa: PLC0415
    from client.platform.registers import load_meeting  # noqa: PLC0415

    lender = LenderKey.load(lender_file)
    with _services() as services, plain_errors(f"revoking the mandate at {mtg}"):
        meeting = load_meeting(services.database, mtg).meeting
        held = services.mandates().mandate(meeting.institution, mtg, lender.sub)
        if held is None:
            raise Negative(f"{lender.sub} gave no mandate at {mtg}", code="MANDATE_NOT_FOUND")
        word = lender.sign_revocation(meeting, held.digest, iat=services.clock())
        after = services.mandate_recorder(mtg, meeting.institution).revoke(word.compact)
    show(_value(after), as_json=as_json, text=_text(after))


@group.command(name="show", context_settings=TAKES_IDS)
@click.argument("mtg", metavar="MEETING")
@click.argument("sub")
@JSON
def show_mandate(mtg: str, sub: str, *, as_json: bool) -> None:
    """Show the last mandate that the lender SUB gave, as the channel has it. Exit 1: there is none."""
    from client.platform.registers import load_meeting  # noqa: PLC0415

    with _services() as services, plain_errors(f"looking for a mandate at {mtg}"):
        meeting = load_meeting(services.database, mtg).meeting
        held = services.mandates().mandate(meeting.institution, mtg, sub)
    if held is None:
        raise Negative(f"{sub} gave no mandate at {mtg}", code="MANDATE_NOT_FOUND")
    show(_value(held), as_json=as_json, text=_text(held))


def read_mandate(file: Path) -> SignedMandate:
    """Return the mandate of a file; raise UserError where it holds none."""
    from client.encodings.errors import Refused  # noqa: PLC0415
    from client.encodings.mandate import parse_mandate  # noqa: PLC0415

    try:
        return parse_mandate(file.read_text(encoding="utf-8").strip())
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from error
    except (UnicodeDecodeError, Refused) as error:
        raise UserError(f"{file} is no mandate: {error}") from error


def _value(held: MandateRecord) -> dict[str, object]:
    said = held.mandate
    return {
        "digest": held.digest,
        "mtg": said.mtg,
        "sub": said.sub,
        "proxy": said.proxy,
        "motions": said.motions,
        "no": said.no,
        "revoked": held.revoked is not None,
        "replaced": list(held.past),
        "tx": held.tx,
    }


def _text(held: MandateRecord) -> str:
    said = held.mandate
    scope = "all motions" if said.motions == "*" else ", ".join(said.motions)
    state = "revoked" if held.revoked is not None else "in force"
    return (
        f"mandate {held.digest} (number {said.no}): {said.proxy} may vote on {scope} for {said.sub}; {state}"
    )


def _services() -> Services:
    from client.services import Services  # noqa: PLC0415

    return Services.at(home())
