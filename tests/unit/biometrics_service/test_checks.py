from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.service.checker import SentFrame
from biometrics.service.pool import PoolSize
from client.encodings import base64url, jcs
from tests.unit.biometrics_service.doubles import MEETING, Person, send
from tests.unit.biometrics_service.stub_checker import jpeg

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.unit.biometrics_service.conftest import World


def refused(answer: TestResponse, code: str, status: int) -> dict[str, Any]:
    body: dict[str, Any] = answer.get_json()
    assert (body["code"], answer.status_code) == (code, status), body
    assert answer.content_type == "application/problem+json"
    assert body["status"] == status
    assert set(body["advice"]) == {"zh-CN", "en"}
    return body


def test_an_accepted_check_is_on_the_ledger_before_the_answer(world: World) -> None:
    lender = world.lender()
    answer = lender.check(world.web)
    assert answer.status_code == 200
    body = answer.get_json()
    assert (body["state"], body["next"]) == ("recorded", ["vote"])
    session = world.ledger.sessions[body["ses"]]
    assert session.as_json() == body["record"]
    assert (session.sub, session.x5t, session.mtg) == (lender.sub, lender.x5t, MEETING)
    assert session.method == "face-v1"


def test_the_evidence_names_factors_evaluation_and_policies(world: World) -> None:
    body = world.lender().check(world.web).get_json()
    evidence = jcs.loads(world.ledger.openings[body["ses"]].evidence)
    assert evidence["factors"] == ["face", "enrolled-key"]
    assert evidence["basis"]["checks"] == ["match", "liveness"]
    assert evidence["service"] == {"id": "identity-service-v2", "digest": world.service.parts.policy.digest}
    assert evidence["reference"]["source"] == "kyc-photo"


def test_a_used_check_is_refused(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    for frames, expected in ((lender.frames("accept"), 200), (lender.frames("accept"), 409)):
        answer = send(world.web, opened["ses"], lender.prove(opened, frames), frames)
        assert answer.status_code == expected
    refused(answer, "CHECK_USED", 409)


def test_an_expired_check_is_refused(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    frames = lender.frames("accept")
    world.clock.now = opened["complete_before"] + 1
    refused(send(world.web, opened["ses"], lender.prove(opened, frames), frames), "CHECK_EXPIRED", 410)
    assert not world.ledger.sessions


def test_a_check_holds_to_its_last_second(world: World) -> None:
    check = world.stream()
    pause = world.service.parts.policy.idle_seconds - 1
    while world.clock.now + pause < check.opened["complete_before"]:
        world.clock.now += pause
        assert check.send("look", last=False).get_json()["state"] == "open"
    world.clock.now = check.opened["complete_before"]
    assert check.send("accept", last=True).get_json()["state"] == "recorded"


def test_a_proof_for_another_meeting_is_refused(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    frames = lender.frames("accept")
    proof = lender.prove(opened, frames, mtg="another-meeting")
    refused(send(world.web, opened["ses"], proof, frames), "CHECK_FOREIGN_MEETING", 409)


def test_another_lenders_proof_is_refused(world: World) -> None:
    lender, stranger = world.lender(), world.lender()
    opened = lender.open(world.web).get_json()
    frames = stranger.frames("accept")
    refused(
        send(world.web, opened["ses"], stranger.prove(opened, frames), frames), "CHECK_FOREIGN_LENDER", 403
    )
    # And the check of the person it belongs to has not ended by it.
    mine = lender.frames("accept")
    assert send(world.web, opened["ses"], lender.prove(opened, mine), mine).status_code == 200


def test_a_proof_by_another_key_is_refused(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    frames = lender.frames("accept")
    other = Person.new(world.clock)
    proof = lender.prove(opened, frames, key=other.key, x5t=other.x5t)
    refused(send(world.web, opened["ses"], proof, frames), "CHECK_FOREIGN_KEY", 403)


def test_another_key_under_the_right_thumbprint_is_refused(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    frames = lender.frames("accept")
    proof = lender.prove(opened, frames, key=ec.generate_private_key(ec.SECP256R1()))
    refused(send(world.web, opened["ses"], proof, frames), "PROOF_INVALID", 401)


def test_an_upload_replayed_to_a_new_check_is_refused(world: World) -> None:
    lender = world.lender()
    first = lender.open(world.web).get_json()
    frames = lender.frames("retry")
    proof = lender.prove(first, frames)
    assert send(world.web, first["ses"], proof, frames).get_json()["state"] == "retry"
    second = lender.open(world.web).get_json()
    refused(send(world.web, second["ses"], proof, frames), "CHECK_REPLAYED", 409)


def test_frames_seen_before_are_refused_even_when_signed_anew(world: World) -> None:
    lender = world.lender()
    first = lender.open(world.web).get_json()
    frames = lender.frames("retry")
    send(world.web, first["ses"], lender.prove(first, frames), frames)
    second = lender.open(world.web).get_json()
    again = [*lender.frames("accept")[:2], SentFrame(900, frames[1].data)]
    refused(send(world.web, second["ses"], lender.prove(second, again), again), "CHECK_REPLAYED", 409)
    assert world.web.get(f"/v1/checks/{second['ses']}").get_json()["state"] == "rejected"


def test_frames_other_than_those_signed_are_refused(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    proof = lender.prove(opened, lender.frames("accept"))
    refused(send(world.web, opened["ses"], proof, lender.frames("accept")), "FRAMES_DIGEST", 400)


def test_reordered_times_are_refused(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    frames = lender.frames("accept")
    for times in ([0, 200, 100], [0, 100], [0, 0, 1], [0, 1, 86_400_001], [-1, 0, 1], [0, 1, 2.5], {"a": 1}):
        answer = send(world.web, opened["ses"], lender.prove(opened, frames), frames, times)
        refused(answer, "FRAMES_TIMES", 400)


def test_an_unknown_check_is_refused(world: World) -> None:
    lender = world.lender()
    opened = dict(lender.open(world.web).get_json()) | {"ses": base64url.encode(bytes(16))}
    frames = lender.frames("accept")
    refused(send(world.web, opened["ses"], lender.prove(opened, frames), frames), "CHECK_NOT_FOUND", 404)
    refused(world.web.get(f"/v1/checks/{opened['ses']}"), "CHECK_NOT_FOUND", 404)


def test_a_newer_check_ends_the_older(world: World) -> None:
    lender = world.lender()
    first = lender.open(world.web).get_json()
    lender.open(world.web)
    frames = lender.frames("accept")
    refused(send(world.web, first["ses"], lender.prove(first, frames), frames), "CHECK_ENDED", 409)


def test_a_key_revoked_meanwhile_is_refused(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    world.enrolments.by_sub[lender.sub] = lender.enrolment("revoked")
    frames = lender.frames("accept")
    refused(send(world.web, opened["ses"], lender.prove(opened, frames), frames), "KEY_REVOKED", 403)
    refused(lender.open(world.web), "KEY_REVOKED", 403)


def test_a_key_replaced_meanwhile_is_refused(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    renewed = Person.new(world.clock, lender.sub)
    world.enrolments.by_sub[lender.sub] = renewed.enrolment()
    frames = lender.frames("accept")
    refused(send(world.web, opened["ses"], lender.prove(opened, frames), frames), "CHECK_FOREIGN_KEY", 403)


def test_without_a_reference_the_check_stays_usable(world: World) -> None:
    lender = world.lender()
    photo = world.photos.photos.pop(lender.sub)
    opened = lender.open(world.web).get_json()
    frames = lender.frames("accept")
    refused(send(world.web, opened["ses"], lender.prove(opened, frames), frames), "REFERENCE_MISSING", 409)
    world.photos.photos[lender.sub] = photo
    assert send(world.web, opened["ses"], lender.prove(opened, frames), frames).status_code == 200


def test_without_a_free_place_no_check_begins_and_nothing_counts(world: World) -> None:
    world.pool.size = PoolSize(workers=1, places=1)
    first, second = world.stream(), world.lender()
    for _ in range(13):  # more than all the attempts that there are
        answer = second.open(world.web)
        refused(answer, "OVERLOADED", 503)
        assert answer.headers["Retry-After"] == "7"
    assert first.send("accept", last=True).get_json()["state"] == "recorded"
    assert second.open(world.web).status_code == 201


def test_a_busy_process_refuses_a_chunk_which_may_be_sent_again(world: World) -> None:
    check = world.stream()
    check.send("look")
    frames = check.take("accept")
    world.pool.busy = True
    answer = check.post(frames, last=True)
    refused(answer, "OVERLOADED", 503)
    assert answer.headers["Retry-After"] == "1"
    world.pool.busy = False
    # The wait was the service's: what was taken in time is in time.
    world.clock.ms += world.service.parts.policy.lag_ms_at_most + 1
    assert check.post(frames, last=True).get_json()["state"] == "recorded"


def test_work_that_breaks_off_is_an_error_and_uses_the_check_up(world: World) -> None:
    lender = world.lender()
    answer = lender.check(world.web, "crash")
    refused(answer, "CHECK_ABORTED", 503)
    assert int(answer.headers["Retry-After"]) >= 1
    assert lender.check(world.web).status_code == 200


def test_a_frame_that_can_not_be_decoded_is_named(world: World) -> None:
    body = refused(world.lender().check(world.web, "unreadable"), "IMAGE_UNREADABLE", 422)
    assert body["detail"] == "frame 0"


@pytest.mark.parametrize(
    ("data", "code", "status"),
    [
        (b"", "IMAGE_EMPTY", 422),
        (b"GIF89a" + bytes(100), "IMAGE_FORMAT", 415),
        (b"<html>not a picture</html>", "IMAGE_FORMAT", 415),
        (b"\xff\xd8\xff" + bytes(1024 * 1024), "IMAGE_TOO_LARGE", 413),
    ],
)
def test_what_can_not_be_a_picture_is_refused_at_the_door(
    world: World, data: bytes, code: str, status: int
) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    frames = [SentFrame(0, jpeg("accept")), SentFrame(100, data)]
    refused(send(world.web, opened["ses"], lender.prove(opened, frames), frames), code, status)
    good = lender.frames("accept")
    assert send(world.web, opened["ses"], lender.prove(opened, good), good).status_code == 200


def test_an_unreachable_ledger_shows_no_choices_and_is_asked_again(world: World) -> None:
    lender = world.lender()
    world.ledger.down = True
    answer = lender.check(world.web)
    body = answer.get_json()
    assert (answer.status_code, body["state"], body["record"], body["next"]) == (
        202,
        "recording",
        None,
        ["wait"],
    )
    world.ledger.down = False
    assert world.service.parts.outcomes.resume() == 1
    body = world.web.get(f"/v1/checks/{body['ses']}").get_json()
    assert (body["state"], body["record"]["commitment"]) == (
        "recorded",
        world.ledger.sessions[body["ses"]].commitment,
    )


def test_a_session_that_lapsed_during_an_outage_is_not_recorded(world: World) -> None:
    lender = world.lender()
    world.ledger.down = True
    ses = lender.check(world.web).get_json()["ses"]
    world.ledger.down = False
    world.clock.now += 1800
    world.service.parts.outcomes.resume()
    assert world.web.get(f"/v1/checks/{ses}").get_json()["state"] == "lapsed"
    assert not world.ledger.sessions


def test_what_the_chaincode_refuses_is_refused(world: World) -> None:
    world.ledger.refuses = "SESSION_EXISTS"
    body = world.lender().check(world.web).get_json()
    assert (body["state"], body["record"]) == ("refused", None)
    assert [reason["code"] for reason in body["reasons"]] == ["SESSION_EXISTS"]


def test_another_process_knows_of_a_check_but_can_not_go_on_with_it(world: World) -> None:
    check = world.stream()
    frames = check.take("accept")
    check.web = world.another_process()
    refused(check.post(frames, last=True), "CHECK_ELSEWHERE", 421)
    check.web = world.web
    assert check.post(frames, last=True).status_code == 200
    # Once it has ended every process says so.
    check.web, check.chunk = world.another_process(), 0
    refused(check.send("accept"), "CHECK_USED", 409)


def test_the_commitment_opens_to_the_frames_digests(world: World) -> None:
    lender = world.lender()
    opened = lender.open(world.web).get_json()
    frames = lender.frames("accept")
    send(world.web, opened["ses"], lender.prove(opened, frames), frames)
    evidence = jcs.loads(world.ledger.openings[opened["ses"]].evidence)
    expected = [
        base64url.encode(hashlib.sha256(b"concordat/frame/v1" + hashlib.sha256(f.data).digest()).digest())
        for f in frames
    ]
    assert evidence["frames"] == expected
