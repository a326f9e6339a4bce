"""The places that live checks hold, what ends them, and the frames that were sent in them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from biometrics.service.checker import SentFrame
from biometrics.store.models import CaseFrame, SeenFrame
from tests.unit.biometrics_service.doubles import Streaming
from tests.unit.biometrics_service.test_checks import refused
from tests.unit.biometrics_service.test_stream import failures

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.biometrics_service.conftest import World


def ended_by_idling(world: World, check: Streaming) -> None:
    world.clock.ms += 1000 * world.service.parts.policy.idle_seconds + 1
    world.service.checks.sweep()
    refused(check.send("accept"), "CHECK_EXPIRED", 410)


def ended_by_its_deadline(world: World, check: Streaming) -> None:
    world.clock.now = check.opened["complete_before"] + 1
    world.service.checks.sweep()
    refused(check.send("accept"), "CHECK_EXPIRED", 410)


def ended_by_a_newer_one(world: World, check: Streaming) -> None:
    newer = world.stream(check.person)
    refused(check.send("accept"), "CHECK_ENDED", 409)
    newer.send("accept", last=True)


def ended_by_another_process(world: World, check: Streaming) -> None:
    Streaming.open(world.another_process(), check.person, world.clock)
    refused(check.send("accept"), "CHECK_ENDED", 409)


def ended_by_withdrawal(world: World, check: Streaming) -> None:
    check.person.ask(world.web, "POST", "/v1/consents/withdraw", check.person.me(kind="face"))
    refused(check.send("accept"), "CHECK_ENDED", 409)


def ended_by_a_decision(_: World, check: Streaming) -> None:
    assert check.send("over reject").get_json()["state"] == "rejected"


def ended_by_a_crash(_: World, check: Streaming) -> None:
    refused(check.send("crash"), "CHECK_ABORTED", 503)


def test_what_killed_a_process_is_used_too(world: World) -> None:
    check = world.stream()
    refused(check.send("crash"), "CHECK_ABORTED", 503)
    refused(world.stream().post(check.sent[1]), "CHECK_REPLAYED", 409)


def ended_by_an_unreadable_frame(_: World, check: Streaming) -> None:
    refused(check.send("unreadable"), "IMAGE_UNREADABLE", 422)


def ended_by_the_services_end(world: World, check: Streaming) -> None:
    world.service.checks.close()
    assert check.state() == "failed"


@pytest.mark.parametrize(
    "end",
    [
        ended_by_idling,
        ended_by_its_deadline,
        ended_by_a_newer_one,
        ended_by_another_process,
        ended_by_withdrawal,
        ended_by_a_decision,
        ended_by_a_crash,
        ended_by_an_unreadable_frame,
        ended_by_the_services_end,
    ],
)
def test_whatever_ends_a_check_frees_its_place_and_uses_its_frames_up(
    world: World, end: Callable[[World, Streaming], None]
) -> None:
    check = world.stream()
    check.send("look")
    used = check.sent[1]
    assert world.pool.inside == 1
    end(world, check)
    assert world.pool.inside == 0
    other = world.stream()
    again = [SentFrame(frame.at, frame.data) for frame in used]
    refused(other.post(again), "CHECK_REPLAYED", 409)
    assert other.state() == "rejected"
    assert world.pool.inside == 0


def test_checks_that_nobody_goes_on_with_count_once(world: World) -> None:
    lender = world.lender()
    for expected in (1, 2):
        check = world.stream(lender)
        check.send("look")
        world.clock.ms += 1000 * world.service.parts.policy.idle_seconds + 1
        world.service.checks.sweep()
        world.service.checks.sweep()
        assert (check.state(), failures(world, lender)) == ("expired", expected)


def test_a_withdrawal_ends_the_work_before_anything_more_is_sent(world: World) -> None:
    check = world.stream()
    check.send("look")
    check.person.ask(world.web, "POST", "/v1/consents/withdraw", check.person.me(kind="face"))
    world.service.checks.sweep()
    assert (world.pool.inside, check.state()) == (0, "withdrawn")


def test_an_idle_check_makes_room_for_another(world: World) -> None:
    world.pool.size = type(world.pool.size)(workers=1, places=1)
    world.stream().send("look")
    lender = world.lender()
    refused(lender.open(world.web), "OVERLOADED", 503)
    world.clock.ms += 1000 * world.service.parts.policy.idle_seconds + 1
    assert lender.open(world.web).status_code == 201


def test_the_running_service_looks_after_idle_checks_by_itself(world: World) -> None:
    world.service.start()
    check = world.stream()
    check.send("look")
    world.clock.ms += 1000 * world.service.parts.policy.idle_seconds + 1
    turn = threading.Event()
    while world.pool.inside:
        turn.wait(0.02)
    assert check.state() == "expired"


@pytest.mark.parametrize(
    ("word", "counted"), [("crash", 1), ("fail", 1), ("late", 1), ("busy", 0), ("gone", 0)]
)
def test_what_breaks_off_counts_where_the_frames_are_to_blame(world: World, word: str, counted: int) -> None:
    check = world.stream()
    check.send("look")
    refused(check.send(word), "CHECK_ABORTED", 503)
    assert (check.state(), failures(world, check.person)) == ("failed", counted)


def test_an_unusable_reference_ends_the_check_and_counts_for_nothing(world: World) -> None:
    lender = world.lender()
    world.photos.photos[lender.sub] = b"unusable"
    check = world.stream(lender)
    refused(check.send("look"), "REFERENCE_UNUSABLE", 409)
    assert failures(world, lender) == 0


def test_a_consent_that_lapsed_before_the_decision_ends_the_check(world: World) -> None:
    check = world.stream()
    check.send("look")
    with world.database.write() as session:
        session.execute(text("UPDATE identity_consents SET version = 'old' WHERE kind = 'face'"))
    refused(check.send("accept", last=True), "CONSENT_MISSING", 403)
    assert (check.state(), world.pool.inside) == ("failed", 0)
    assert not world.ledger.sessions


# -- frames -----------------------------------------------------------------------------------------------


def test_frames_are_kept_for_a_review_few_and_from_the_whole_check(world: World) -> None:
    check = world.stream()
    for _ in range(9):
        check.send("look")
    body = check.send("review", last=True).get_json()
    assert body["state"] == "review"
    with world.database.read() as session:
        assert 4 <= len(list(session.scalars(select(CaseFrame)))) <= 8


def test_without_consent_to_recording_no_frame_is_held(world: World) -> None:
    check = world.stream(world.lender("face", "transmission"))
    check.send("look")
    live = world.service.checks._live.get(check.opened["ses"])
    assert live is not None
    assert live.kept.frames == []


def test_a_withdrawn_consent_to_recording_drops_what_was_held(world: World) -> None:
    check = world.stream()
    check.send("look")
    live = world.service.checks._live.get(check.opened["ses"])
    assert live is not None
    assert len(live.kept.frames) == 3
    check.person.ask(world.web, "POST", "/v1/consents/withdraw", check.person.me(kind="recording"))
    check.send("look")
    assert live.kept.frames == []


def test_after_its_end_nothing_of_a_check_stays_in_memory_but_the_last_answer(world: World) -> None:
    check = world.stream()
    check.send("look")
    check.send("accept", last=True)
    live = world.service.checks._live.get(check.opened["ses"])
    assert live is not None
    assert (live.challenge, live.kept.frames, live.marks) == ({}, [], set())


def test_frames_are_noted_by_file_and_by_pixels(world: World) -> None:
    check = world.stream()
    check.send("look")
    check.send("accept", last=True)
    with world.database.read() as session:
        assert len(list(session.scalars(select(SeenFrame)))) == 2 * 6


def test_the_same_pixels_in_another_file_are_recognized(world: World) -> None:
    first, second = world.stream(), world.stream()
    frames = first.take("accept")
    first.post(frames, last=True)
    world.pool.checker.pixels = frames[0].data  # whatever is sent now decodes to this
    refused(second.send("look"), "CHECK_REPLAYED", 409)
    assert second.state() == "rejected"


def test_two_checks_at_once_with_the_same_frames_do_not_both_pass(world: World) -> None:
    first, second = world.stream(), world.stream()
    frames = first.take("look")
    first.post(frames)
    second.post(frames)  # neither has ended: nothing is noted yet
    assert first.send("accept", last=True).get_json()["state"] == "recorded"
    answer = second.send("accept", last=True).get_json()
    assert answer["state"] == "rejected"
    assert [reason["code"] for reason in answer["reasons"]] == ["SEEN_BEFORE"]
