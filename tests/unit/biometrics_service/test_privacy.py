"""Nothing personal, no face data and no secret in any log, whatever happens."""

from __future__ import annotations

import base64
import logging
import os
from typing import TYPE_CHECKING

from client.encodings import base64url
from tests.unit.biometrics_service.doubles import SECRET, Person, send
from tests.unit.biometrics_service.test_enrolment import Invited
from tests.unit.biometrics_service.test_officers import decide, review, take

if TYPE_CHECKING:
    import pytest

    from tests.unit.biometrics_service.conftest import World


def everything(world: World) -> list[str]:
    """Go through every kind of request, good and bad; return what must not be in a log."""
    lender, ses, case = review(world)
    officer = world.officer("officer-zhao")
    take(world, officer, case)
    decide(world, officer, case, "reject", "not-live")
    forbidden = [lender.sub, lender.x5t, ses, case, "officer-zhao", SECRET, "Wang Xiaoming", "hidden-member"]
    frame = lender.frames("accept")[0].data
    for word in ("accept", "retry", "reject", "unreadable", "crash", "fail"):
        lender.check(world.web, word)
    world.ledger.down = True
    other = world.lender()
    opened = other.open(world.web).get_json()
    frames = other.frames("accept")
    send(world.web, opened["ses"], other.prove(opened, frames), frames)
    forbidden += [other.sub, opened["ses"], opened["nonce"], *other.sent, *lender.sent]
    invited = Invited(world)
    invited.ask("/v1/consents/list")
    invited.ask("/v1/consents/list", "wrong-secret-99")
    forbidden += ["wrong-secret-99", invited.person.sub]
    lender.ask(world.web, "POST", "/v1/consents", lender.me(**{"hidden-member": "Wang Xiaoming"}))
    Person.new(world.clock).open(world.web)
    world.web.get(f"/v1/nowhere/{lender.sub}")
    world.enrolments.defect = True
    assert lender.open(world.web).status_code == 500
    world.enrolments.defect = False
    lender.ask(world.web, "POST", "/v1/erasures", lender.me())
    return [*forbidden, base64.b64encode(frame).decode()[:40], base64url.encode(frame)[:40], frame.hex()[:40]]


def test_logs_carry_nothing_personal(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        forbidden = everything(world)
    logged = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    assert "POST /v1/checks/<ses>/frames 200" in logged
    assert "defect: " in logged
    for secret in forbidden:
        assert secret not in logged


def test_a_defects_answer_says_nothing_about_it(world: World) -> None:
    lender = world.lender()
    world.enrolments.defect = True
    answer = lender.open(world.web)
    assert answer.get_json()["code"] == "INTERNAL"
    assert "Wang" not in answer.get_data(as_text=True)
    assert lender.sub not in answer.get_data(as_text=True)


def test_answers_may_not_be_cached(world: World) -> None:
    body = world.lender().check(world.web)
    assert body.headers["Cache-Control"] == "no-store"
    assert world.web.get("/v1/checks/unknown").headers["Cache-Control"] == "no-store"


def test_a_whole_checks_frames_are_taken_wherever_their_parts_end(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    frames = [
        type(frame)(frame.at, frame.data + os.urandom(29_000 + 137 * number))
        for number, frame in enumerate(lender.frames("accept", 180))
    ]
    assert send(world.web, opened["ses"], lender.prove(opened, frames), frames).status_code == 200


def test_an_upload_is_not_written_to_a_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("an upload went into a temporary file")

    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(f"tempfile.{name}", forbidden)
        monkeypatch.setattr(f"werkzeug.formparser.{name}", forbidden, raising=False)
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    frames = [type(frame)(frame.at, frame.data + bytes(900_000)) for frame in lender.frames("accept")]
    assert send(world.web, opened["ses"], lender.prove(opened, frames), frames).status_code == 200
