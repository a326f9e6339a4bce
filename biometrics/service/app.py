"""The service behind HTTP: routes, limits, and the one place where refusals become responses."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from biometrics.service.parts import system_random
from biometrics.service.problems import problem
from biometrics.service.routes import check_routes, lender_routes, officer_routes, service_routes
from biometrics.service.upload import PictureTurnedAway
from biometrics.sources.interface import NoPhoto, SourceUnavailable
from biometrics.terms.errors import ServiceRefused
from client.serving.uploads import MemoryRequest

if TYPE_CHECKING:
    from biometrics.service.service import IdentityService

_log = logging.getLogger(__name__)
_PARTS_BESIDE_FRAMES = 4
# Text parts are far smaller; the parser, which reads 64 KiB at a time, holds what it can't tell from a
# boundary yet against the same limit.
_SMALL_FIELDS = 256 * 1024
_HTTP_CODES = {400: "REQUEST_FORMAT", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 408: "REQUEST_TIMEOUT"}


def create_app(service: IdentityService) -> Flask:
    """Return the application. It logs a request's route, status and code, and nothing that was sent."""
    app = Flask(__name__, static_folder=None)
    app.request_class = MemoryRequest
    policy = service.parts.policy
    app.config["MAX_CONTENT_LENGTH"] = policy.request_bytes_at_most
    app.config["MAX_FORM_PARTS"] = policy.chunk_frames_at_most + _PARTS_BESIDE_FRAMES
    app.config["MAX_FORM_MEMORY_SIZE"] = _SMALL_FIELDS
    for routes in (check_routes, lender_routes, officer_routes, service_routes):
        app.register_blueprint(routes(service))
    _handle_errors(app)

    @app.before_request
    def number() -> None:
        g.request_id = system_random(6).hex()
        g.code = ""

    @app.after_request
    def note(response: Response) -> Response:
        # The route's pattern, never the path: a path names a check.
        route = request.url_rule.rule if request.url_rule is not None else "-"
        _log.info("%s %s %s %s %s", g.request_id, request.method, route, response.status_code, g.code)
        response.headers["X-Request-Id"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


def _handle_errors(app: Flask) -> None:
    @app.errorhandler(ServiceRefused)
    def refused(error: ServiceRefused) -> Response:
        g.code = error.code
        status = error.status if isinstance(error, PictureTurnedAway) else None
        return problem(
            error.code,
            status=status,
            detail=error.detail,
            retry_after=error.retry_after,
            reasons=error.reasons,
        )

    @app.errorhandler(NoPhoto)
    def no_photo(_: NoPhoto) -> Response:
        g.code = "REFERENCE_MISSING"
        return problem("REFERENCE_MISSING")

    @app.errorhandler(SourceUnavailable)
    def no_source(_: SourceUnavailable) -> Response:
        g.code = "REFERENCE_UNAVAILABLE"
        return problem("REFERENCE_UNAVAILABLE")

    @app.errorhandler(RequestEntityTooLarge)
    def too_large(_: RequestEntityTooLarge) -> Response:
        g.code = "REQUEST_TOO_LARGE"
        return problem("REQUEST_TOO_LARGE")

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> Response:
        g.code = _HTTP_CODES.get(error.code or 500, "REQUEST_FORMAT")
        return problem(g.code)

    @app.errorhandler(Exception)
    def defect(error: Exception) -> Response:
        # Its kind and place only: an exception's words may carry what was being worked on.
        g.code = "INTERNAL"
        trace, place = error.__traceback__, "-"
        while trace is not None:
            place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
            trace = trace.tb_next
        _log.error("%s defect: %s at %s", g.request_id, type(error).__name__, place)
        return problem("INTERNAL")
