"""The OpenAPI 3.1 description, from one table; a test holds it and the routes to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from biometrics.review.cases import REASONS
from biometrics.service.problems import MEDIA_TYPE
from biometrics.service.schemas import (
    BOOKED,
    BOOKING_REQUEST,
    CASE,
    CASES,
    CHECK_REQUEST,
    CONSENT,
    CONSENT_REQUEST,
    CONSENTS,
    DECISION_REQUEST,
    DELETION,
    HEALTH,
    KIND_REQUEST,
    LENDER_REQUEST,
    OPENED,
    PROBLEM,
    PROGRESS,
    SLOT,
    SLOT_REQUEST,
    SLOTS,
    STATUS,
    TEXTS,
    UPLOAD,
    obj,
)
from biometrics.terms.codes import CODES

if TYPE_CHECKING:
    from biometrics.terms.policy import ServicePolicy

_JSON: Final = "application/json"
_PROOF: Final = ("PROOF_MISSING", "PROOF_FORMAT", "PROOF_INVALID", "PROOF_STALE", "PROOF_REPLAYED")
_LENDER: Final = (*_PROOF, "INVITATION_INVALID", "ENROLMENT_NOT_FOUND", "KEY_REVOKED", "CHECK_FOREIGN_KEY")
_OFFICER: Final = (*_PROOF, "NOT_OFFICER", "OFFICER_CERTIFICATE")
_CASE: Final = (
    *_OFFICER,
    "CASE_NOT_FOUND",
    "CASE_DECIDED",
    "CASE_TAKEN",
    "CASE_NOT_TAKEN",
    "CASE_SAME_OFFICER",
    "CASE_TOO_EARLY",
)
_MEETING: Final = ("MEETING_NOT_FOUND", "MEETING_NOT_RUNNING", "LEDGER_UNAVAILABLE")
_OPEN: Final = (
    *_MEETING,
    "OVERLOADED",
    "CONSENT_MISSING",
    "REVIEW_PENDING",
    "RATE_LIMITED",
    "ATTEMPTS_EXHAUSTED",
)
_FRAMES: Final = (
    "PROOF_FORMAT",
    "CHECK_NOT_FOUND",
    "CHECK_FOREIGN_LENDER",
    "CHECK_FOREIGN_MEETING",
    "CHECK_FOREIGN_KEY",
    "CHECK_REPLAYED",
    "REQUEST_TOO_LARGE",
    "FRAMES_COUNT",
    "FRAMES_TIMES",
    "FRAMES_DIGEST",
    "PROOF_INVALID",
    "KEY_REVOKED",
    "ENROLMENT_NOT_FOUND",
    "CHECK_USED",
    "CHECK_ENDED",
    "CHECK_EXPIRED",
    "CHECK_ELSEWHERE",
    "OVERLOADED",
    "CHUNK_REPLAYED",
    "CHUNK_GAP",
    "CHUNK_CHAIN",
    "CHECK_PACE",
    "REFERENCE_MISSING",
    "REFERENCE_UNUSABLE",
    "REFERENCE_UNAVAILABLE",
    "CONSENT_MISSING",
    "CHECK_ABORTED",
    "LEDGER_UNAVAILABLE",
)
_PICTURE: Final[dict[str, Any]] = {"image/jpeg": {}, "image/png": {}}


def document(policy: ServicePolicy) -> dict[str, Any]:
    """Return the description of the service under a policy."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Concordat identity service",
            "version": "1",
            "description": (
                "Remote identity verification for creditors' voting. Frames are sent in chunks while the "
                "check goes on, each signed with the check's nonce and all before it by the enrolled key; "
                "what the person is asked for is told only then. No frame is kept, except for a review "
                "with a consent of its own. Refusals are problem+json (RFC 9457) with a stable `code` and "
                f"advice in zh-CN and en. Service policy {policy.id}."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "invitation": _scheme("Invitation SECRET: the invitation's secret, at enrolment."),
                "proof": _scheme("Proof JWS: concordat-request+jws by the lender's enrolled key."),
                "officer": _scheme("Officer JWS: concordat-request+jws by an officer's certificate."),
            },
            "schemas": {"Problem": PROBLEM},
        },
        "x-codes": {
            code: {"status": entry.status, "zh-CN": entry.zh, "en": entry.en} for code, entry in CODES.items()
        },
        "x-decision-reasons": {verdict: list(reasons) for verdict, reasons in REASONS.items()},
    }


def _paths() -> dict[str, Any]:
    lender: list[Any] = [{"invitation": []}, {"proof": []}]
    officer: list[Any] = [{"officer": []}]
    return {
        "/openapi.json": {"get": _operation("This document.", {200: obj({}, more=True)})},
        "/v1/health": {"get": _operation("Whether the service runs, and how full it is.", {200: HEALTH})},
        "/v1/checks": {
            "post": _operation(
                "Begin a check for a meeting (`mtg`) or the enrolment (`public_key`).",
                {201: OPENED},
                request=CHECK_REQUEST,
                codes=(*_LENDER, *_OPEN),
                security=lender,
            )
        },
        "/v1/checks/{ses}": {
            "get": _operation("How a check stands.", {200: STATUS, 202: STATUS}, codes=("CHECK_NOT_FOUND",))
        },
        "/v1/checks/{ses}/frames": {
            "post": _operation(
                "Send the next chunk of a check's frames and learn what to ask for now, or how it ended.",
                {200: PROGRESS, 202: PROGRESS},
                request=UPLOAD,
                media="multipart/form-data",
                codes=_FRAMES,
                others=(415, 422),
            )
        },
        "/v1/consents": {
            "post": _operation(
                "Give a consent.",
                {201: CONSENT},
                request=CONSENT_REQUEST,
                codes=(*_LENDER, "CONSENT_VERSION", "CONSENT_TEXT"),
                security=lender,
            )
        },
        "/v1/consent-texts": {"get": _operation("The texts to show with each consent.", {200: TEXTS})},
        "/v1/consents/list": {
            "post": _operation(
                "List one's consents.",
                {200: CONSENTS},
                request=LENDER_REQUEST,
                codes=_LENDER,
                security=lender,
            )
        },
        "/v1/consents/withdraw": {
            "post": _operation(
                "Withdraw a consent; what rested on it is deleted, and the deletion's record returned.",
                {200: DELETION},
                request=KIND_REQUEST,
                codes=_LENDER,
                security=lender,
            )
        },
        "/v1/erasures": {
            "post": _operation(
                "Withdraw everything and have it deleted.",
                {201: DELETION},
                request=LENDER_REQUEST,
                codes=_LENDER,
                security=lender,
            )
        },
        "/v1/slots": {
            "post": _operation(
                "Offer a slot for identification without a face.",
                {201: SLOT},
                request=SLOT_REQUEST,
                codes=_OFFICER,
                security=officer,
            )
        },
        "/v1/slots/{institution}": {"get": _operation("Slots to come.", {200: SLOTS})},
        "/v1/bookings": {
            "post": _operation(
                "Book a slot: the way without a face.",
                {201: BOOKED},
                request=BOOKING_REQUEST,
                codes=(*_LENDER, *_MEETING, "SLOT_NOT_FOUND", "SLOT_FULL", "SLOT_BOOKED"),
                security=lender,
            )
        },
        "/v1/bookings/{booking}/cancel": {
            "post": _operation(
                "Cancel a booking.",
                {200: obj({"cancelled": {"type": "boolean"}})},
                request=LENDER_REQUEST,
                codes=(*_LENDER, "BOOKING_NOT_FOUND"),
                security=lender,
            )
        },
        "/v1/settlements/{institution}/{mtg}": {
            "post": _operation(
                "Note that a meeting's objections are over: what was kept for it ends.",
                {200: obj({"settled": {"type": "boolean"}})},
                request=obj({}),
                codes=(*_OFFICER, "MEETING_NOT_FOUND", "MEETING_NOT_SETTLED", "LEDGER_UNAVAILABLE"),
                security=officer,
            )
        },
        "/v1/cases": {
            "get": _operation(
                "The queue for officers; ?state= open (default), accepted, rejected, lapsed, withdrawn.",
                {200: CASES},
                codes=_OFFICER,
                security=officer,
            )
        },
        "/v1/cases/{case}/take": {
            "post": _operation("Hold a case.", {200: CASE}, request=obj({}), codes=_CASE, security=officer)
        },
        "/v1/cases/{case}/frames/{number}": {
            "get": _operation(
                "A kept frame, to who holds the case.", {}, picture=True, codes=_CASE, security=officer
            )
        },
        "/v1/cases/{case}/reference": {
            "get": _operation(
                "The reference picture, to who holds the case.",
                {},
                picture=True,
                codes=(*_CASE, "CONSENT_MISSING", "REFERENCE_MISSING", "REFERENCE_UNAVAILABLE"),
                security=officer,
            )
        },
        "/v1/cases/{case}/decision": {
            "post": _operation(
                "Accept or reject, with a reason; the signed request is kept as the officer's statement.",
                {200: CASE},
                request=DECISION_REQUEST,
                codes=(*_CASE, "CASE_REASON"),
                security=officer,
            )
        },
    }


def _operation(
    summary: str,
    answers: dict[int, Any],
    *,
    request: Any = None,
    media: str = _JSON,
    codes: tuple[str, ...] = (),
    others: tuple[int, ...] = (),
    security: list[Any] | None = None,
    picture: bool = False,
) -> dict[str, Any]:
    responses: dict[str, Any] = {
        str(status): {"description": "done", "content": {_JSON: {"schema": schema}}}
        for status, schema in answers.items()
    }
    if picture:
        responses["200"] = {"description": "a picture", "content": _PICTURE}
    refusals: dict[int, list[str]] = {}
    for code in (*codes, "REQUEST_FORMAT", "INTERNAL"):
        refusals.setdefault(CODES[code].status, []).append(code)
    for status in others:
        refusals.setdefault(status, []).append("a picture's own reason")
    for status, named in sorted(refusals.items()):
        responses[str(status)] = {
            "description": ", ".join(dict.fromkeys(named)),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    operation: dict[str, Any] = {"summary": summary, "responses": responses, "security": security or []}
    if request is not None:
        operation["requestBody"] = {"required": True, "content": {media: {"schema": request}}}
    return operation


def _scheme(description: str) -> dict[str, str]:
    return {"type": "apiKey", "in": "header", "name": "Authorization", "description": description}
