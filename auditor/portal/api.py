"""The same for programs: JSON in and out under `/api/`."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, request

from auditor.portal.asked import meeting_of, pace
from auditor.portal.code import is_picture, read_picture
from auditor.portal.door import Handed
from auditor.portal.errors import PortalRefused
from auditor.portal.place import place_from_json
from auditor.portal.views import meeting_view, status_view
from client.encodings import jcs
from client.encodings.errors import Refused
from client.encodings.ids import is_first
from client.encodings.records import decode_certificate

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.portal.door import SecondDoor, Word
    from auditor.portal.objecting import Filed, ObjectionDoor
    from auditor.portal.parts import Parts

_OPTIONAL = ("proof", "acknowledgement", "certificate")


def api_routes(parts: Parts) -> Blueprint:
    """Return the routes under /api/."""
    routes = Blueprint("api", __name__, url_prefix="/api")

    @routes.get("/status")
    def status() -> Response:
        return answer(status_view(parts))

    @routes.get("/meetings/<institution>/<mtg>")
    def meeting(institution: str, mtg: str) -> Response:
        return answer({"v": 1} | meeting_view(parts, meeting_of(parts, institution, mtg)))

    @routes.post("/check")
    def check() -> Response:
        pace(parts)
        data = request.get_data()
        found = parts.desk.check(read_picture(data).encode() if is_picture(data) else data)
        g.code = found.fault
        return answer(found.as_json())

    @routes.post("/meetings/<institution>/<mtg>/ballots")
    def take(institution: str, mtg: str) -> Response:
        pace(parts)
        facts, door = meeting_of(parts, institution, mtg), _open(parts)
        return _accepted(door, lambda: door.accept(facts, _handed()))

    @routes.get("/meetings/<institution>/<mtg>/ballots/<digest>")
    def taken(institution: str, mtg: str, digest: str) -> Response:
        facts, door = meeting_of(parts, institution, mtg), _open(parts)
        return _found(door, door.find(facts, digest))

    _objections(routes, parts)
    return routes


def _objections(routes: Blueprint, parts: Parts) -> None:
    @routes.post("/meetings/<institution>/<mtg>/objections")
    def object_to(institution: str, mtg: str) -> Response:
        pace(parts)
        facts, door = meeting_of(parts, institution, mtg), _objecting(parts)
        return _accepted(door, lambda: door.accept(facts, _objection()))

    @routes.get("/meetings/<institution>/<mtg>/objections/<obj>")
    def objected(institution: str, mtg: str, obj: str) -> Response:
        facts, door = meeting_of(parts, institution, mtg), _objecting(parts)
        return _found(door, door.find(facts, obj))


def answer(value: dict[str, Any], status: int = 200) -> Response:
    """Return a JSON response."""
    return Response(json.dumps(value, ensure_ascii=False), status=status, content_type="application/json")


def _open(parts: Parts) -> SecondDoor:
    if parts.door is None:
        raise PortalRefused("DOOR_CLOSED", retry_after=60)
    return parts.door


def _objecting(parts: Parts) -> ObjectionDoor:
    if parts.objecting is None:
        raise PortalRefused("DOOR_CLOSED", retry_after=60)
    return parts.objecting


def _objection() -> str:
    """Return the objection that the body hands in; refuse with REQUEST_FORMAT."""
    try:
        value = jcs.loads(request.get_data())
    except jcs.JsonError as error:
        raise PortalRefused("REQUEST_FORMAT") from error
    match value:
        case {"v": version, "objection": str(compact), **rest} if is_first(version) and not rest:
            return compact
    raise PortalRefused("REQUEST_FORMAT")


def _accepted(door: SecondDoor | ObjectionDoor, accept: Callable[[], Word | Filed]) -> Response:
    """Return the answer to what is handed in: the door's word, or why it is refused."""
    try:
        word = accept()
    except Refused as refused:
        g.code = refused.code
        return answer({"v": 1, "code": refused.code, "message": refused.message}, 422)
    return answer(_word(door, word.as_json()), 202 if word.status == "queued" else 200)


def _found(door: SecondDoor | ObjectionDoor, word: Word | Filed | None) -> Response:
    if word is None:
        raise PortalRefused("NOT_FOUND")
    return answer(_word(door, word.as_json()))


def _word(door: SecondDoor | ObjectionDoor, word: dict[str, Any]) -> dict[str, Any]:
    return word | {"certificate": base64.b64encode(door.key.certificate).decode("ascii")}


def _handed() -> Handed:
    """Return what the body hands in; refuse with REQUEST_FORMAT, or a place with its own codes."""
    try:
        value = jcs.loads(request.get_data())
    except jcs.JsonError as error:
        raise PortalRefused("REQUEST_FORMAT") from error
    if (
        not isinstance(value, dict)
        or value.keys() - {*_OPTIONAL} != {"v", "ballot"}
        or not is_first(value["v"])
    ):
        raise PortalRefused("REQUEST_FORMAT")
    texts = (value["ballot"], value.get("acknowledgement", ""), value.get("certificate", ""))
    if not all(isinstance(one, str) for one in texts):
        raise PortalRefused("REQUEST_FORMAT")
    ballot, acknowledgement, certificate = texts
    try:
        der = decode_certificate(certificate) if certificate else b""
    except ValueError as error:
        raise PortalRefused("REQUEST_FORMAT") from error
    place = place_from_json(value["proof"]) if "proof" in value else None
    return Handed(ballot, place, acknowledgement, der)
