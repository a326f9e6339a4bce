"""`concordat objection`: object to something about a meeting, answer that, decide it, see what there is."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from typing import TYPE_CHECKING, Any

import click

from client.cli.edge import TAKES_IDS, plain_errors, show
from client.cli.options import FILE, JSON
from client.encodings.award import AWARDS, POSITIONS, REMEDIES, Answer, Award
from client.encodings.objection import GROUNDS
from client.errors import UserError
from client.home import home

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from client.encodings.objection_record import Dispute
    from client.services import Services

_evidence = click.option("--evidence", type=FILE, required=True, help="The file that shows it; stays here.")
_out = click.option(
    "--out",
    type=FILE,
    required=True,
    help="Keep what was sent and the evidence's salt there. If it is there already, it is sent again.",
)


@click.group(name="objection")
def group() -> None:
    """Object to something about a meeting, answer an objection, decide it."""


@group.command(name="file")
@click.argument("mtg", metavar="MEETING")
@click.option("--lender", "lender_file", type=FILE, required=True, help="The lender's key file.")
@click.option("--ground", type=click.Choice(GROUNDS), required=True, help="What is objected to.")
@click.option("--regulator", is_flag=True, help="By the Regulator's door, not by the platform's.")
@click.option("--only-sign", is_flag=True, help="Send nothing: print it, to be handed in elsewhere.")
@_evidence
@_out
@JSON
def file_objection(
    mtg: str,
    *,
    lender_file: Path,
    ground: str,
    evidence: Path,
    out: Path,
    regulator: bool,
    only_sign: bool,
    as_json: bool,
) -> None:
    """File an objection with a lender's key. Repeating with the same --out is safe.

    Exit 2: it was refused, or could not be sent.
    """
    from client.encodings import base64url, times  # noqa: PLC0415
    from client.encodings.objection import parse_objection  # noqa: PLC0415
    from client.enrolment.lender import LenderKey  # noqa: PLC0415
    from client.platform.chain import commit  # noqa: PLC0415
    from client.platform.registers import load_meeting  # noqa: PLC0415
    from client.services import ASSOCIATION, REGULATOR  # noqa: PLC0415

    lender = LenderKey.load(lender_file)
    with _services() as services, plain_errors(f"filing an objection at {mtg}"):
        meeting = load_meeting(services.database, mtg).meeting
        moment = times.form(int(services.clock().timestamp()))

        def sign(commitment: str) -> str:
            obj = base64url.encode(secrets.token_bytes(16))
            return lender.sign_objection(
                meeting, obj, ground, evidence=commitment, iat=services.clock()
            ).compact

        sent = _sent(out, evidence, sign)
        if only_sign:
            value = {"obj": parse_objection(sent).objection.obj, "mtg": mtg, "ground": ground, "jws": sent}
            show(value, as_json=as_json, text=sent)
            return
        door = services.arbitration(REGULATOR if regulator else ASSOCIATION, "relay", meeting.institution)
        tx = commit(door, "FileObjection", sent, moment).tx
    obj = parse_objection(sent).objection.obj
    value = {"obj": obj, "mtg": mtg, "ground": ground, "tx": tx, "file": str(out)}
    show(value, as_json=as_json, text=f"objection {obj} is filed at {mtg}; its evidence's salt is in {out}")


@group.command(context_settings=TAKES_IDS)
@click.argument("mtg", metavar="MEETING")
@click.argument("obj")
@click.option("--position", type=click.Choice(POSITIONS), required=True)
@_evidence
@_out
@JSON
def answer(mtg: str, obj: str, *, position: str, evidence: Path, out: Path, as_json: bool) -> None:
    """Answer the objection OBJ as the institution's officer. Repeating with the same --out is safe."""

    def made(commitment: str, at: str) -> bytes:
        return Answer(mtg, obj, position, commitment, at).encode()

    tx = _submit("AnswerObjection", mtg, evidence, out, made)
    show({"obj": obj, "mtg": mtg, "tx": tx}, as_json=as_json, text=f"objection {obj} is answered: {position}")


@group.command(context_settings=TAKES_IDS)
@click.argument("mtg", metavar="MEETING")
@click.argument("obj")
@click.option("--award", "decision", type=click.Choice(AWARDS), required=True)
@click.option("--remedy", type=click.Choice(REMEDIES), default="none", show_default=True)
@_evidence
@_out
@JSON
def decide(
    mtg: str, obj: str, *, decision: str, remedy: str, evidence: Path, out: Path, as_json: bool
) -> None:
    """Decide the objection OBJ as the arbitration commission's officer. Repeating with one --out is safe."""
    if decision == "dismissed" and remedy != "none":
        raise UserError("what is dismissed has no remedy: leave --remedy out")

    def made(commitment: str, at: str) -> bytes:
        return Award(mtg, obj, decision, remedy, commitment, at).encode()

    tx = _submit("DecideObjection", mtg, evidence, out, made)
    value = {"obj": obj, "mtg": mtg, "award": decision, "remedy": remedy, "tx": tx}
    show(value, as_json=as_json, text=f"objection {obj} is decided: {decision}, remedy {remedy}")


@group.command(name="show", context_settings=TAKES_IDS)
@click.argument("mtg", metavar="MEETING")
@click.argument("obj")
@JSON
def show_objection(mtg: str, obj: str, *, as_json: bool) -> None:
    """Show the objection OBJ with its answer and its award, as the channel has them."""
    found = _read(mtg, "GetObjection", obj)
    show(found.as_json(), as_json=as_json, text=_line(found))


@group.command(name="list")
@click.argument("mtg", metavar="MEETING")
@JSON
def list_objections(mtg: str, *, as_json: bool) -> None:
    """List a meeting's objections; undecided ones hold up its certification."""
    from client.encodings.objection_record import parse_dispute  # noqa: PLC0415

    found = [parse_dispute(one) for one in _ask(mtg, "ListObjections")]
    value = [one.as_json() for one in found]
    show(value, as_json=as_json, text="\n".join(map(_line, found)) or f"nobody objected at {mtg}")


def _submit(function: str, mtg: str, evidence: Path, out: Path, made: Callable[[str, str], bytes]) -> str:
    from client.encodings import times  # noqa: PLC0415
    from client.platform.chain import commit  # noqa: PLC0415
    from client.platform.registers import load_meeting  # noqa: PLC0415
    from client.services import ARBITRATION  # noqa: PLC0415

    with _services() as services, plain_errors(f"{function} at {mtg}"):
        institution = load_meeting(services.database, mtg).meeting.institution
        at = times.form(int(services.clock().timestamp()))
        sent = _sent(out, evidence, lambda commitment: made(commitment, at).decode("ascii"))
        msp = ARBITRATION if function == "DecideObjection" else institution
        return commit(services.arbitration(msp, "officer", institution), function, sent).tx


def _sent(out: Path, evidence: Path, made: Callable[[str], str]) -> str:
    """Return what is to be sent: what `out` has from before, or what is made now and kept there first.

    So a command whose outcome is unknown sends the very same again. The file has mode 0600.
    """
    from client.encodings import base64url  # noqa: PLC0415
    from client.encodings.commitment import SALT_BYTES, commit  # noqa: PLC0415

    try:
        said = {"v": 1, "sha256": hashlib.sha256(evidence.read_bytes()).hexdigest()}
        if out.exists():
            return _again(out, said)
        salt = secrets.token_bytes(SALT_BYTES)
        sent = made(commit(salt, said))
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as kept:
            json.dump({"v": 1, "sent": sent, "salt": base64url.encode(salt), "evidence": said}, kept)
    except OSError as error:
        raise UserError(f"{error.filename} can't be used: {error.strerror}") from error
    return sent


def _again(out: Path, said: dict[str, Any]) -> str:
    try:
        kept = json.loads(out.read_text(encoding="utf-8"))
        sent, known = kept["sent"], kept["evidence"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{out} is there already, and not of this command: name another file") from error
    if known != said or not isinstance(sent, str):
        raise UserError(f"{out} is of other evidence: name another file")
    return sent


def _read(mtg: str, function: str, *arguments: str) -> Dispute:
    from client.encodings.objection_record import parse_dispute  # noqa: PLC0415

    return parse_dispute(_ask(mtg, function, *arguments))


def _ask(mtg: str, function: str, *arguments: str) -> Any:
    from client.platform.registers import load_meeting  # noqa: PLC0415
    from client.services import ASSOCIATION  # noqa: PLC0415

    with _services() as services, plain_errors(f"looking for objections at {mtg}"):
        institution = load_meeting(services.database, mtg).meeting.institution
        contract = services.arbitration(ASSOCIATION, "relay", institution)
        return json.loads(contract.evaluate(function, mtg, *arguments))


def _line(one: Dispute) -> str:
    said = one.filed.objection
    answered = one.answer.answer.position if one.answer else "not answered"
    decided = f"{one.award.award.award}, remedy {one.award.award.remedy}" if one.award else "undecided"
    return f"{said.obj} {said.ground} by {said.sub}, {one.filed.ack_time}: {answered}; {decided}"


def _services() -> Services:
    from client.services import Services  # noqa: PLC0415

    return Services.at(home())
