"""Reading requests: strict JSON, the caller behind them, uploads of frames."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from biometrics.service.callers import HttpRequest
from biometrics.service.proofs import load_public_key
from biometrics.terms.binding import Lender
from biometrics.terms.errors import ServiceRefused
from biometrics.terms.scopes import ENROLMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric import ec

    from biometrics.service.callers import Caller, OfficerCaller
    from biometrics.service.service import IdentityService

_MOST_JSON = 64 * 1024


def answer(value: Mapping[str, Any], status: int = 200) -> Response:
    """Return a JSON response that nobody may cache."""
    text = json.dumps(value, ensure_ascii=False)
    return Response(
        text, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def body(required: Mapping[str, type], optional: Mapping[str, type] | None = None) -> dict[str, Any]:
    """Return the request's JSON object; raises ServiceRefused unless it has just these members."""
    data = raw_body()
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ServiceRefused("REQUEST_FORMAT", "the body is not JSON") from error
    if not isinstance(value, dict):
        raise ServiceRefused("REQUEST_FORMAT", "the body is not a JSON object")
    allowed = {**required, **(optional or {})}
    for name in value:
        if name not in allowed:
            raise ServiceRefused("REQUEST_FORMAT", "the body has a member that this address doesn't take")
    for name, kind in allowed.items():
        if name not in value and name in required:
            raise ServiceRefused("REQUEST_FORMAT", f"{name} is missing")
        if name in value and type(value[name]) is not kind:
            raise ServiceRefused("REQUEST_FORMAT", f"{name} is no {kind.__name__}")
    return value


def raw_body() -> bytes:
    """Return the body of a JSON request; raises ServiceRefused (REQUEST_TOO_LARGE)."""
    if (request.content_length or 0) > _MOST_JSON:
        raise ServiceRefused("REQUEST_TOO_LARGE", f"at most {_MOST_JSON} bytes of JSON are taken")
    try:
        return request.get_data(cache=True)
    except RequestEntityTooLarge as error:
        raise ServiceRefused("REQUEST_TOO_LARGE") from error


def lender_of(service: IdentityService, value: Mapping[str, Any]) -> Caller:
    """Return the lender whom the body names, if the caller proved to be them."""
    return service.parts.callers.lender(Lender(value["institution"], value["sub"]), _signed())


def officer_of(service: IdentityService) -> OfficerCaller:
    """Return the officer who signed the request."""
    return service.parts.callers.officer(_signed())


def scope_of(value: Mapping[str, Any]) -> tuple[str, ec.EllipticCurvePublicKey | None, str | None]:
    """Return what a check is for: `mtg`, or the enrolment of `public_key`; of a proxy, for whom (`act`)."""
    if ("mtg" in value) == ("public_key" in value):
        raise ServiceRefused("REQUEST_FORMAT", "give either mtg or public_key")
    if "mtg" in value:
        return value["mtg"], None, value.get("act")
    return ENROLMENT, load_public_key(value["public_key"]), value.get("act")


def read_chunk(frame_bytes_at_most: int) -> tuple[str, Any, list[bytes]]:
    """Return proof, times and frames of a chunk (multipart), in the order in which they were sent."""
    if request.mimetype != "multipart/form-data":
        raise ServiceRefused("REQUEST_FORMAT", "send multipart/form-data")
    try:
        proof, times = request.form["proof"], json.loads(request.form["times"])
        files = request.files.getlist("frames")
    except KeyError as error:
        raise ServiceRefused("REQUEST_FORMAT", "the parts are proof, times and frames") from error
    except (ValueError, RecursionError) as error:
        raise ServiceRefused("FRAMES_TIMES", "times is a JSON list") from error
    # One byte more than is taken tells a frame that is too large, without reading the rest of it.
    return proof, times, [file.stream.read(frame_bytes_at_most + 1) for file in files]


def _signed() -> HttpRequest:
    target = request.full_path if request.query_string else request.path
    data = raw_body() if request.method != "GET" else b""
    return HttpRequest(request.method, target, data, request.headers.get("Authorization", ""))
