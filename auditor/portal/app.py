"""The application: routes, limits, languages, headers, and the one place where refusals become responses."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

import jinja2
from flask import Flask, Response, g, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from auditor.errors import AuditUnavailable
from auditor.portal import asked
from auditor.portal.api import answer, api_routes
from auditor.portal.build import STYLE, build
from auditor.portal.errors import PortalRefused
from auditor.portal.language import LANGUAGES, choose, texts, yuan
from auditor.portal.pages import page_routes
from auditor.portal.security import secure
from client.encodings.errors import Refused

if TYPE_CHECKING:
    from auditor.portal.parts import Parts

_LOG = logging.getLogger(__name__)
_HTTP_CODES = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "REQUEST_TOO_LARGE"}


def create_app(parts: Parts) -> Flask:
    """Return the application. It logs a request's route, status and code: nothing sent, and no address."""
    app = Flask("auditor.portal", static_folder=None)
    app.request_class = asked.MemoryRequest
    app.config["MAX_CONTENT_LENGTH"] = asked.MOST_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = asked.MOST_TEXT
    app.config["MAX_FORM_PARTS"] = asked.MOST_PARTS
    app.jinja_env.undefined = jinja2.StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(page_routes(parts))
    app.register_blueprint(api_routes(parts))
    _languages(app)
    _refusals(app)

    @app.before_request
    def begin() -> None:
        g.code = ""
        g.language = choose(request.args.get("lang"), request.accept_languages)
        asked.pace_reading(parts)

    @app.after_request
    def end(response: Response) -> Response:
        # The route's pattern, never the path: a path may name a ballot.
        route = request.url_rule.rule if request.url_rule is not None else "-"
        _LOG.info("%s %s %s %s", request.method, route, response.status_code, g.get("code") or "-")
        if response.mimetype == "text/html":
            response.headers["Content-Language"] = g.language
            response.headers["Vary"] = "Accept-Language"
        return secure(response)

    return app


def _languages(app: Flask) -> None:
    @app.context_processor
    def words() -> dict[str, Any]:
        found = texts(g.language)
        asked_for = request.args.get("lang") if request.args.get("lang") in LANGUAGES else None

        def t(key: str, **values: object) -> str:
            return found[key].format(**values)

        def known(prefix: str, name: str) -> str:
            return found.get(f"{prefix}.{name}", name)

        def to(endpoint: str, **values: Any) -> str:
            return url_for(endpoint, **(values | ({"lang": asked_for} if asked_for else {})))

        def other() -> tuple[str, str]:
            language = next(one for one in LANGUAGES if one != g.language)
            return language, f"{request.path}?lang={language}"

        return {
            "t": t,
            "known": known,
            "to": to,
            "other": other,
            "yuan": yuan,
            "language": g.language,
            "sheet": f"{url_for('pages.sheet')}?v={build().files[STYLE][:16]}",
        }


def _refusals(app: Flask) -> None:
    @app.errorhandler(PortalRefused)
    def refused(error: PortalRefused) -> Response:
        return _problem(error.code, error.status, error.retry_after)

    @app.errorhandler(Refused)
    def not_taken(error: Refused) -> Response:
        return _problem(error.code, 422, message=error.message)

    @app.errorhandler(AuditUnavailable)
    def unavailable(error: AuditUnavailable) -> Response:
        _LOG.warning("%s", error.message)
        return _problem("UNAVAILABLE", 503, 30)

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> Response:
        status = error.code or 500
        return _problem(_HTTP_CODES.get(status, "REQUEST_FORMAT"), status)

    @app.errorhandler(Exception)
    def defect(error: Exception) -> Response:
        # Its kind and place only: an exception's words may carry what was being worked on.
        number, trace, place = secrets.token_hex(4), error.__traceback__, "-"
        while trace is not None:
            place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
            trace = trace.tb_next
        _LOG.error("%s defect: %s at %s", number, type(error).__name__, place)
        return _problem("INTERNAL", 500)


def _problem(code: str, status: int, retry_after: int = 0, message: str = "") -> Response:
    g.code = code
    language = g.get("language") or LANGUAGES[0]
    sentence = texts(language).get(f"code.{code}", "")
    if request.path.startswith("/api/"):
        response = answer({"v": 1, "code": code, "message": message or sentence}, status)
    else:
        g.language = language
        page = render_template("problem.html", code=code, message=message, sentence=sentence)
        response = Response(page, status=status, content_type="text/html; charset=utf-8")
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response
