"""The addresses of the service: each takes a request apart, asks a desk, and puts the answer together."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from biometrics.service.http import answer, body, lender_of, officer_of, read_chunk, scope_of
from biometrics.service.openapi import document
from biometrics.service.problems import explained
from biometrics.terms.errors import ServiceRefused

if TYPE_CHECKING:
    from biometrics.enrolment.erasure import DeletionRecord
    from biometrics.service.service import IdentityService
    from biometrics.service.status import CheckStatus

_LENDER = {"institution": str, "sub": str}
_SCOPE = {"mtg": str, "public_key": str, "act": str}
_STATES = ("open", "accepted", "rejected", "lapsed", "withdrawn")


def check_routes(service: IdentityService) -> Blueprint:
    """Return the routes for identity checks."""
    routes = Blueprint("checks", __name__)

    @routes.post("/v1/checks")
    def open_check() -> Response:
        value = body(_LENDER, _SCOPE)
        caller = lender_of(service, value)
        opened = service.checks.open(caller, *scope_of(value))
        policy, checker = service.parts.policy, service.parts.checker
        frames = {
            "a_chunk_at_most": policy.chunk_frames_at_most,
            "at_most": policy.frames_at_most,
            "a_second": checker.frames_a_second,
        }
        return answer(
            {
                **asdict(opened),
                "show": "look-straight",
                "frames": frames,
                "idle_seconds": policy.idle_seconds,
            },
            201,
        )

    @routes.post("/v1/checks/<ses>/frames")
    def send_frames(ses: str) -> Response:
        proof, times, frames = read_chunk(service.parts.policy.frame_bytes_at_most)
        progress = asdict(service.checks.send(ses, proof, times, frames))
        return _status(service.status.status(ses), **progress | {"advice": explained(progress["advice"])})

    @routes.get("/v1/checks/<ses>")
    def check_status(ses: str) -> Response:
        return _status(service.status.status(ses))

    return routes


def lender_routes(service: IdentityService) -> Blueprint:
    """Return the routes for consents, erasure and slots."""
    routes = Blueprint("lenders", __name__)

    @routes.post("/v1/consents")
    def give_consent() -> Response:
        value = body({**_LENDER, "kind": str, "version": str, "text_digest": str})
        given = service.lenders.consent(
            lender_of(service, value), value["kind"], value["version"], value["text_digest"]
        )
        return answer(asdict(given), 201)

    @routes.get("/v1/consent-texts")
    def consent_texts() -> Response:
        return answer({"texts": [asdict(text) for text in service.lenders.texts()]})

    @routes.post("/v1/consents/list")
    def list_consents() -> Response:
        caller = lender_of(service, body(_LENDER))
        return answer({"consents": [asdict(given) for given in service.lenders.consents(caller)]})

    @routes.post("/v1/consents/withdraw")
    def withdraw_consent() -> Response:
        value = body({**_LENDER, "kind": str})
        return answer(_deletion(service.lenders.withdraw(lender_of(service, value), value["kind"])))

    @routes.post("/v1/erasures")
    def erase() -> Response:
        return answer(_deletion(service.lenders.erase(lender_of(service, body(_LENDER)))), 201)

    @routes.get("/v1/slots/<institution>")
    def list_slots(institution: str) -> Response:
        return answer({"slots": [asdict(slot) for slot in service.lenders.slots(institution)]})

    @routes.post("/v1/bookings")
    def book() -> Response:
        value = body({**_LENDER, "slot": str}, _SCOPE)
        caller = lender_of(service, value)
        return answer(asdict(service.lenders.book(caller, value["slot"], *scope_of(value))), 201)

    @routes.post("/v1/bookings/<booking>/cancel")
    def cancel(booking: str) -> Response:
        service.lenders.cancel(lender_of(service, body(_LENDER)), booking)
        return answer({"cancelled": True})

    return routes


def officer_routes(service: IdentityService) -> Blueprint:
    """Return the routes for officers; every request is signed with an officer's certificate."""
    routes = Blueprint("officers", __name__)

    @routes.post("/v1/settlements/<institution>/<mtg>")
    def settle(institution: str, mtg: str) -> Response:
        body({})
        service.officers.settle(officer_of(service), institution, mtg)
        return answer({"settled": True})

    @routes.get("/v1/cases")
    def list_cases() -> Response:
        state = request.args.get("state", "open")
        if state not in _STATES:
            raise ServiceRefused("REQUEST_FORMAT", f"state is one of {', '.join(_STATES)}")
        return answer(
            {"cases": [asdict(case) for case in service.officers.cases(officer_of(service), state)]}
        )

    @routes.post("/v1/cases/<case>/take")
    def take(case: str) -> Response:
        body({})
        return answer(asdict(service.officers.take(officer_of(service), case)))

    @routes.get("/v1/cases/<case>/frames/<int:number>")
    def frame(case: str, number: int) -> Response:
        return _picture(service.officers.frame(officer_of(service), case, number))

    @routes.get("/v1/cases/<case>/reference")
    def reference(case: str) -> Response:
        return _picture(service.officers.reference(officer_of(service), case))

    @routes.post("/v1/cases/<case>/decision")
    def decide(case: str) -> Response:
        value = body({"verdict": str, "reason": str})
        caller = officer_of(service)
        return answer(asdict(service.officers.decide(caller, case, value["verdict"], value["reason"])))

    @routes.post("/v1/slots")
    def offer_slot() -> Response:
        value = body({"kind": str, "place": str, "starts_at": int, "minutes": int, "capacity": int})
        offered = service.officers.offer_slot(
            officer_of(service),
            value["kind"],
            value["place"],
            starts_at=value["starts_at"],
            minutes=value["minutes"],
            capacity=value["capacity"],
        )
        return answer(asdict(offered), 201)

    return routes


def service_routes(service: IdentityService) -> Blueprint:
    """Return the routes about the service itself."""
    routes = Blueprint("service", __name__)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return answer(document(service.parts.policy))

    @routes.get("/v1/health")
    def health() -> Response:
        pool = service.parts.pool
        return answer({"ok": True, "inside": pool.inside, "room": pool.size.room})

    return routes


def _status(status: CheckStatus, **progress: Any) -> Response:
    value: dict[str, Any] = {**progress, **asdict(status), "reasons": explained(status.reasons)}
    return answer(value, 202 if status.next == ("wait",) else 200)


def _deletion(record: DeletionRecord) -> dict[str, Any]:
    return asdict(record)


def _picture(data: bytes) -> Response:
    kind = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
    return Response(
        data,
        content_type=kind,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": "inline",
            "X-Content-Type-Options": "nosniff",
        },
    )
