"""INSECURE STAND-IN for an official ID service: pictures from a folder, for demonstrations and tests.

It believes whoever asks. Its name says so wherever it goes: in policy, in evidence and in the log.
"""

from __future__ import annotations

import hmac
import logging
import re
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, request

from biometrics.sources.official import PATH

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)
NAME: Final = "insecure-stand-in-id"
_ID_NUMBER: Final = re.compile(r"[0-9A-Za-z-]{1,40}", re.ASCII)


def create_insecure_stand_in(folder: Path, token: str) -> Flask:
    """Return an application that answers for `<id number>.jpg` or `.png` in `folder`. It warns at start."""
    _log.warning("%s: pictures from a folder, NOBODY IS VERIFIED, for demonstrations only", NAME)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 10_000

    @app.post(PATH)
    def reference_photo() -> Response:
        if not hmac.compare_digest(request.headers.get("Authorization", ""), f"Bearer {token}"):
            return Response(status=401)
        asked = request.get_json(force=True, silent=True)
        number = asked.get("id_number") if isinstance(asked, dict) else None
        if not isinstance(number, str) or _ID_NUMBER.fullmatch(number) is None:
            return Response(status=400)
        for suffix, kind in ((".jpg", "image/jpeg"), (".png", "image/png")):
            picture = folder / f"{number}{suffix}"
            if picture.is_file():
                return Response(
                    picture.read_bytes(), content_type=kind, headers={"Cache-Control": "no-store"}
                )
        return Response(status=404)

    return app
