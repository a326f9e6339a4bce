"""`concordat identity`: serve identity checks; reviews, slots, officers and retention on the side."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from biometrics.review import officers
from biometrics.service.app import create_app
from biometrics.service.callers import HttpRequest
from biometrics.service.pool import PoolSize
from biometrics.service.server import BoundedServer
from biometrics.service.service import DEFAULT_CHECKER
from biometrics.sources.insecure_stand_in import create_insecure_stand_in
from biometrics.sources.institution import KINDS, InstitutionPhotos
from biometrics.terms.binding import Lender
from biometrics.terms.errors import ServiceRefused
from client.cli.edge import TAKES_IDS
from client.cli.identity_signing import URL, as_officer, ask, certificate, send, sign
from client.cli.identity_wiring import as_line, identity_service, reported
from client.cli.options import EXISTING_FILE, JSON, PATH
from client.connection import Profile
from client.encodings import times
from client.errors import Negative, UserError
from client.home import home
from client.identity.platform import identity_vault

if TYPE_CHECKING:
    from flask import Flask


@click.group(name="identity")
def group() -> None:
    """Serve identity checks; reviews, slots, officers, retention."""


@group.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8071, show_default=True, help="0: any free one."
)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes.")
@click.option(
    "--places", type=click.IntRange(1, 64), default=4, show_default=True, help="Live checks a process."
)
@click.option(
    "--waiting", type=click.IntRange(0, 64), default=3, show_default=True, help="Chunks waiting for one."
)
@click.option("--connections", type=click.IntRange(1, 10_000), default=32, show_default=True)
@click.option("--policy", type=PATH, help="Another service policy (TOML).")
@click.option("--checker", default=DEFAULT_CHECKER, show_default=True, help="What does the face work.")
@click.option("--insecure-stand-in", is_flag=True, help="The ID service configured is a stand-in; say so.")
@JSON
def serve(
    *,
    host: str,
    port: int,
    workers: int,
    places: int,
    waiting: int,
    connections: int,
    policy: Path | None,
    checker: str,
    insecure_stand_in: bool,
    as_json: bool,
) -> None:
    """Serve the HTTP API until interrupted; put a proxy that speaks TLS in front of it.

    While it serves it deletes what is due, and records what the ledger didn't take at first.
    """
    size = PoolSize(workers=workers, places=places, waiting=waiting)
    with (
        identity_service(
            home(), policy=policy, checker=checker, pool_size=size, stand_in=insecure_stand_in
        ) as service,
        reported(),
    ):
        resumed = service.start()
        served = {
            "resumed": resumed,
            "policy": service.parts.policy.id,
            "method": service.parts.checker.method,
        }
        _serve(host, port, create_app(service), connections, served, as_json=as_json)


@group.command("stand-in-id-service")
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--token-file", type=PATH, required=True, help="Made if it isn't there.")
@click.option("--port", type=click.IntRange(0, 65535), default=8072, show_default=True)
@JSON
def stand_in(folder: Path, token_file: Path, port: int, *, as_json: bool) -> None:
    """Serve an INSECURE stand-in for an official ID service: pictures from a folder."""
    if not token_file.exists():
        descriptor = os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24))
    app = create_insecure_stand_in(folder, token_file.read_text("ascii").strip())
    _serve("127.0.0.1", port, app, 8, {"insecure": True}, as_json=as_json)


# -- officers at work -------------------------------------------------------------------------------------


@group.group()
def review() -> None:
    """The queue of cases that wait for officers."""


@review.command("list")
@click.option("--state", default="open", show_default=True)
@as_officer
def review_list(state: str, **signer: Any) -> None:
    """List the cases that the officer may see."""
    answer = ask("GET", f"/v1/cases?state={state}", None, **signer)
    _show(answer, [_case_line(case) for case in answer["cases"]] or ["no case"], signer["as_json"])


@review.command("take", context_settings=TAKES_IDS)
@click.argument("case")
@as_officer
def review_take(case: str, **signer: Any) -> None:
    """Hold a case, so that no other officer works on it meanwhile."""
    answer = ask("POST", f"/v1/cases/{case}/take", {}, **signer)
    _show(answer, [_case_line(answer)], signer["as_json"])


@review.command("decide", context_settings=TAKES_IDS)
@click.argument("case")
@click.argument("verdict", type=click.Choice(["accept", "reject"]))
@click.option("--reason", required=True, help="One of the reasons that /openapi.json lists.")
@as_officer
def review_decide(case: str, verdict: str, reason: str, **signer: Any) -> None:
    """Take a case and decide on it; a second officer may be needed."""
    ask("POST", f"/v1/cases/{case}/take", {}, **signer)
    answer = ask("POST", f"/v1/cases/{case}/decision", {"verdict": verdict, "reason": reason}, **signer)
    _show(answer, [_case_line(answer)], signer["as_json"])


@group.group()
def slots() -> None:
    """Times for identification without a face."""


@slots.command("offer")
@click.argument("kind", type=click.Choice(["video", "counter"]))
@click.option("--place", required=True)
@click.option("--at", required=True, help="Start, YYYY-MM-DDTHH:MM:SSZ.")
@click.option("--minutes", type=int, default=15, show_default=True)
@click.option("--capacity", type=int, default=1, show_default=True)
@as_officer
def slots_offer(kind: str, place: str, at: str, minutes: int, capacity: int, **signer: Any) -> None:
    """Offer a slot of the officer's organization."""
    value = {"kind": kind, "place": place, "starts_at": _moment(at), "minutes": minutes, "capacity": capacity}
    answer = ask("POST", "/v1/slots", value, **signer)
    _show(answer, [_slot_line(answer)], signer["as_json"])


@slots.command("list")
@click.argument("institution")
@URL
@JSON
def slots_list(institution: str, url: str | None, *, as_json: bool) -> None:
    """List an institution's slots to come."""
    answer = send("GET", f"/v1/slots/{institution}", b"", {}, url)
    _show(answer, [_slot_line(slot) for slot in answer["slots"]] or ["no slot"], as_json)


# -- administration of this host's store ------------------------------------------------------------------


@group.group()
def officer() -> None:
    """The officers who may decide."""


@officer.command("appoint")
@click.argument("msp")
@click.option("--cert", type=PATH, help="PEM; default: the network's officer.")
@JSON
def officer_appoint(msp: str, cert: Path | None, *, as_json: bool) -> None:
    """Enter an officer by certificate; a renewed one replaces the former."""
    path = cert or Profile.load(home()).org(msp).identity("officer").cert
    with identity_service(home()) as service, reported(), service.parts.database.write() as session:
        known = officers.appoint(session, msp, certificate(path), service.parts.clock())
    _show({"officer": known.id, "x5t": known.x5t}, [f"{known.id} may decide"], as_json)


@officer.command("dismiss")
@click.argument("identifier")
@JSON
def officer_dismiss(identifier: str, *, as_json: bool) -> None:
    """End an officer's authority."""
    with identity_service(home()) as service, reported(), service.parts.database.write() as session:
        officers.dismiss(session, identifier)
    _show({"dismissed": identifier}, [f"{identifier} may not decide any more"], as_json)


@officer.command("list")
@JSON
def officer_list(*, as_json: bool) -> None:
    """List the officers."""
    with identity_service(home()) as service, service.parts.database.read() as session:
        known = officers.listed(session)
    value = {"officers": [{"officer": one.id, "x5t": one.x5t} for one in known]}
    _show(value, [one.id for one in known] or ["no officer"], as_json)


@group.group()
def retention() -> None:
    """Delete what has served its purpose."""


@retention.command("run")
@JSON
def retention_run(*, as_json: bool) -> None:
    """Delete whatever is due, and say what; running it again deletes nothing more."""
    with identity_service(home()) as service:
        report = service.retention.run()
    lines = [f"{kind}: {number}" for kind, number in report.what.items()] or ["nothing was due"]
    _show(
        {"what": dict(report.what), "records": [asdict(record) for record in report.records]}, lines, as_json
    )


@retention.command("settle")
@click.argument("institution")
@click.argument("mtg")
@as_officer
def retention_settle(institution: str, mtg: str, **signer: Any) -> None:
    """Note, as an officer, that a meeting's objections are over and awards given: its evidence will end.

    Exit 1: the channel says otherwise.
    """
    if signer["url"] is not None:
        raise UserError("a meeting is settled at the identity service's own host: leave --url away")
    target = f"/v1/settlements/{institution}/{mtg}"
    authorization = sign("POST", target, b"", **signer)
    with identity_service(home()) as service, reported():
        caller = service.parts.callers.officer(HttpRequest("POST", target, b"", authorization))
        try:
            service.officers.settle(caller, institution, mtg)
        except ServiceRefused as error:
            if error.code == "MEETING_NOT_SETTLED":
                raise Negative(str(error), code=error.code) from error
            raise
    value = {"settled": mtg, "officer": caller.officer.id}
    _show(value, [f"{mtg} is settled, says {caller.officer.id}"], signer["as_json"])


@group.command("texts")
@JSON
def texts(*, as_json: bool) -> None:
    """Show the texts of the consents that count today, with the digests that a consent names."""
    with identity_service(home()) as service:
        shown = [asdict(text) for text in service.lenders.texts()]
    lines = [f"{text['kind']} {text['version']} {text['language']} {text['digest']}" for text in shown]
    _show({"texts": shown}, lines, as_json)


@group.command("invite", context_settings=TAKES_IDS)
@click.argument("institution")
@click.argument("sub")
@click.option("--secret-file", type=click.File("r"), required=True, help="The secret, or - for stdin.")
@click.option("--until", required=True, help="YYYY-MM-DDTHH:MM:SSZ.")
@JSON
def invite(institution: str, sub: str, secret_file: Any, until: str, *, as_json: bool) -> None:
    """Note the secret of an invitation that the institution sends."""
    with identity_service(home()) as service, reported():
        service.lenders.invite(Lender(institution, sub), secret_file.read().strip(), _moment(until))
    _show({"invited": sub}, ["invited"], as_json)


@group.command("reference", context_settings=TAKES_IDS)
@click.argument("institution")
@click.argument("sub")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("picture", type=EXISTING_FILE)
@JSON
def reference(institution: str, sub: str, kind: str, picture: Path, *, as_json: bool) -> None:
    """Keep an institution's reference picture of a lender, sealed."""
    with identity_service(home()) as service, reported():
        parts = service.parts
        photos = InstitutionPhotos(kind, parts.database, identity_vault(home()), parts.random_bytes)
        photos.keep(Lender(institution, sub), picture.read_bytes(), parts.clock())
    _show({"kept": kind}, [f"kept as {kind}"], as_json)


def _serve(
    host: str, port: int, app: Flask, connections: int, said: dict[str, Any], *, as_json: bool
) -> None:
    try:
        server = BoundedServer(host, port, app, connections=connections)
    except OSError as error:
        raise UserError(f"{host}:{port} can't be listened on: {error.strerror}") from error
    url = f"http://{host}:{server.server_port}"
    click.echo(as_line({"url": url, **said}) if as_json else f"serving {url} until interrupted")
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stopping.wait()
    server.shutdown()
    server.server_close()


def _show(value: Any, lines: list[str], as_json: bool) -> None:
    click.echo(as_line(value) if as_json else "\n".join(lines))


def _case_line(case: dict[str, Any]) -> str:
    by = ", ".join(case["accepted_by"]) or "nobody"
    about = ", ".join(case["finding"].get("reasons", [])) or case["finding"].get("route", "")
    until = datetime.fromtimestamp(case["decide_before"], UTC).strftime("%Y-%m-%d %H:%M")
    return (
        f"{case['id']}  {case['kind']:<10} {case['institution']:<18} {case['scope']:<20} {case['state']:<9} "
        f"{len(case['accepted_by'])}/{case['needed']} by {by}; until {until} UTC; {about}"
    )


def _slot_line(slot: dict[str, Any]) -> str:
    at = times.form(slot["starts_at"])
    room = f"{slot['free']}/{slot['capacity']} free"
    return f"{slot['id']}  {at} {slot['minutes']:>3} min  {slot['kind']:<8} {room}  {slot['place']}"


def _moment(text: str) -> int:
    try:
        return times.parse(text)
    except ValueError as error:
        raise UserError(str(error)) from error
