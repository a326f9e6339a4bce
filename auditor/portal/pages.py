"""The pages: what anybody may read, and the forms. All of it works without JavaScript; there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, render_template, request

from auditor.portal.asked import given, meeting_of, pace
from auditor.portal.build import build, style
from auditor.portal.cast import NO_VOTE, RECORDS, cast_in_name, records_for
from auditor.portal.challenge import parse_answer
from auditor.portal.code import is_picture, read_picture
from auditor.portal.door import Handed
from auditor.portal.errors import PortalRefused
from auditor.portal.place import parse_place
from auditor.portal.views import meeting_view, status_view
from client.encodings.errors import Refused
from client.encodings.records import decode_certificate

if TYPE_CHECKING:
    from auditor.portal.facts import MeetingFacts
    from auditor.portal.parts import Parts
    from auditor.portal.place import Place

_SHOWN = 200


def page_routes(parts: Parts) -> Blueprint:
    """Return the routes of the pages."""
    routes = Blueprint("pages", __name__)
    _reading(routes, parts)
    _files(routes, parts)
    _check(routes, parts)
    _asking(routes, parts)
    _door(routes, parts)
    _objection(routes, parts)
    return routes


def _reading(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/")
    def home() -> str:
        return render_template("home.html", status=status_view(parts))

    @routes.get("/meetings/<institution>/<mtg>")
    def meeting(institution: str, mtg: str) -> str:
        facts = meeting_of(parts, institution, mtg)
        return render_template("meeting.html", meeting=meeting_view(parts, facts), status=status_view(parts))

    @routes.get("/trust")
    def trust() -> str:
        return render_template("trust.html", trust=parts.trust.as_json(), build=build())


def _files(routes: Blueprint, parts: Parts) -> None:
    @routes.get("/trust.json")
    def trust_file() -> Response:
        return _download(json.dumps(parts.trust.as_json(), sort_keys=True).encode(), "trust.json")

    @routes.get("/build.json")
    def build_file() -> Response:
        return _download(json.dumps(build().as_json(), sort_keys=True).encode(), "build.json")

    @routes.get("/meetings/<institution>/<mtg>/head.json")
    def head(institution: str, mtg: str) -> Response:
        newest = parts.logged.newest(meeting_of(parts, institution, mtg))
        if newest is None:
            raise PortalRefused("NOT_FOUND")
        return _download(newest.encode(), "head.json")

    @routes.get("/static/portal.css")
    def sheet() -> Response:
        cached = {"Cache-Control": "public, max-age=86400, immutable"}
        return Response(style(), content_type="text/css; charset=utf-8", headers=cached)


def _check(routes: Blueprint, parts: Parts) -> None:
    @routes.route("/check", methods=["GET", "POST"])
    def check() -> str:
        if request.method == "GET":
            return render_template("check.html", checked=None)
        pace(parts)
        data = given("receipt")
        if not data:
            raise PortalRefused("REQUEST_FORMAT")
        found = parts.desk.check(read_picture(data).encode() if is_picture(data) else data)
        g.code = found.fault
        return render_template("check.html", checked=found)


def _asking(routes: Blueprint, parts: Parts) -> None:
    @routes.route("/meetings/<institution>/<mtg>/no-vote", methods=["GET", "POST"])
    def no_vote(institution: str, mtg: str) -> str:
        facts = meeting_of(parts, institution, mtg)
        found = None
        if request.method == "POST":
            pace(parts)
            answer = given("answer")
            found = cast_in_name(
                parts.watcher,
                parts.challenges,
                facts,
                _place("place"),
                parse_answer(answer) if answer else None,
            )
        return _form("novote.html", facts, found=found, challenge=parts.challenges.make(NO_VOTE, facts))

    @routes.route("/meetings/<institution>/<mtg>/records", methods=["GET", "POST"])
    def records(institution: str, mtg: str) -> str | Response:
        facts = meeting_of(parts, institution, mtg)
        if request.method == "GET":
            challenge = parts.challenges.make(RECORDS, facts)
            return _form("records.html", facts, records=None, challenge=challenge)
        pace(parts)
        place, answer = _place("place") if given("place") else None, parse_answer(given("answer"))
        asking, rows = records_for(parts.watcher, parts.challenges, facts, place, answer)
        if request.form.get("form") == "json":
            value = {"v": 1, "mtg": mtg, "asking": asking, "ballots": rows}
            if asking != "lender" and parts.door is not None:
                value["contradictions"] = parts.door.words.contradictions(facts)
            return _download(json.dumps(value).encode(), "records.json")
        return _form("records.html", facts, records=rows[:_SHOWN], total=len(rows), challenge="")


def _door(routes: Blueprint, parts: Parts) -> None:
    @routes.route("/meetings/<institution>/<mtg>/door", methods=["GET", "POST"])
    def door(institution: str, mtg: str) -> tuple[str, int] | str:
        facts = meeting_of(parts, institution, mtg)
        if request.method == "GET":
            return _form("door.html", facts, word=None, refused=None)
        pace(parts)
        if parts.door is None:
            raise PortalRefused("DOOR_CLOSED", retry_after=60)
        try:
            word = parts.door.accept(facts, _handed())
        except Refused as refused:
            g.code = refused.code
            return _form("door.html", facts, word=None, refused=refused), 422
        return _form("door.html", facts, word=word, refused=None)


def _objection(routes: Blueprint, parts: Parts) -> None:
    @routes.route("/meetings/<institution>/<mtg>/objection", methods=["GET", "POST"])
    def objection(institution: str, mtg: str) -> tuple[str, int] | str:
        facts = meeting_of(parts, institution, mtg)
        if request.method == "GET":
            return _form("objection.html", facts, filed=None, refused=None)
        pace(parts)
        if parts.objecting is None:
            raise PortalRefused("DOOR_CLOSED", retry_after=60)
        try:
            filed = parts.objecting.accept(facts, given("objection").decode("utf-8", "replace"))
        except Refused as refused:
            g.code = refused.code
            return _form("objection.html", facts, filed=None, refused=refused), 422
        return _form("objection.html", facts, filed=filed, refused=None)


def _handed() -> Handed:
    try:
        ballot, ack = given("ballot").decode("ascii"), given("acknowledgement").decode("ascii")
        certificate = given("certificate").decode("ascii")
        der = decode_certificate(certificate) if certificate else b""
    except ValueError as error:
        raise PortalRefused("REQUEST_FORMAT") from error
    place = given("place")
    return Handed(ballot, parse_place(place) if place else None, ack, der)


def _place(name: str) -> Place:
    """Return the place given in a form; NOT_SHOWN, as for a wrong one, where it can't be read."""
    try:
        return parse_place(given(name))
    except Refused as refused:
        raise PortalRefused("NOT_SHOWN") from refused


def _form(template: str, facts: MeetingFacts, **values: Any) -> str:
    institution = facts.channel.removeprefix("arbitration-")
    return render_template(template, facts=facts, institution=institution, mtg=facts.mtg, **values)


def _download(data: bytes, name: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, content_type="application/json", headers=disposition)
