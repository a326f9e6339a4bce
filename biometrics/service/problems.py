"""Refusals over HTTP: problem+json (RFC 9457) with a stable code and advice in two languages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from flask import Response

from biometrics.reasons import Reason
from biometrics.terms.codes import CODES
from biometrics.terms.ledger_codes import LEDGER
from client.encodings.codes import CODES as LEDGER_CODES
from client.serving.bounded import Busy

if TYPE_CHECKING:
    from collections.abc import Iterable

MEDIA_TYPE: Final = "application/problem+json"
_RETRY: Final = {"OVERLOADED": 5, "LEDGER_UNAVAILABLE": 5, "REFERENCE_UNAVAILABLE": 30, "CHECK_ABORTED": 5}


def advice_of(code: str) -> dict[str, str]:
    """Return what a person can do about a code of the service or the ledger, or a reason."""
    if code in CODES:
        return {"zh-CN": CODES[code].zh, "en": CODES[code].en}
    if code in set(Reason):
        return {language: Reason(code).advise(language) for language in ("zh-CN", "en")}
    if code in LEDGER:
        return {"zh-CN": LEDGER[code], "en": LEDGER_CODES[code]}
    return {"zh-CN": CODES["INTERNAL"].zh, "en": CODES["INTERNAL"].en}


def busy() -> Busy:
    """Return what the server says to those for whom it has no room."""
    advice = advice_of("OVERLOADED")
    body = {
        "type": "urn:concordat:identity:OVERLOADED",
        "title": advice["en"],
        "status": 503,
        "code": "OVERLOADED",
        "advice": advice,
    }
    return Busy(json.dumps(body).encode("ascii"), MEDIA_TYPE)


def explained(codes: Iterable[str]) -> list[dict[str, Any]]:
    """Return codes with their advice."""
    return [{"code": code, "advice": advice_of(code)} for code in codes]


def problem(
    code: str,
    *,
    status: int | None = None,
    detail: str = "",
    retry_after: int | None = None,
    reasons: Iterable[str] = (),
) -> Response:
    """Return the response for a refusal; `Retry-After` (seconds) stands with every 503 and 429."""
    status = status or CODES[code].status
    advice = advice_of(code)
    body: dict[str, Any] = {
        "type": f"urn:concordat:identity:{code}",
        "title": advice["en"],
        "status": status,
        "code": code,
        "advice": advice,
    }
    if detail:
        body["detail"] = detail
    listed = explained(reasons)
    if listed:
        body["reasons"] = listed
    response = Response(json.dumps(body, ensure_ascii=False), status=status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if retry_after is None and status in {503, 429}:
        retry_after = _RETRY.get(code, 5)
    if retry_after is not None:
        response.headers["Retry-After"] = str(max(1, retry_after))
    return response
