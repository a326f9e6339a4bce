from __future__ import annotations

from typing import TYPE_CHECKING

from biometrics.service.meetings import MeetingFacts
from tests.unit.biometrics_service.doubles import MEETING, NOON, send
from tests.unit.biometrics_service.test_checks import refused
from tests.unit.biometrics_service.test_officers import book, decide, slot, take

if TYPE_CHECKING:
    from tests.unit.biometrics_service.conftest import World


def test_the_fifth_failure_in_a_row_delays_the_next_try(world: World) -> None:
    lender = world.lender()
    for _ in range(5):
        assert lender.check(world.web, "retry").get_json()["state"] == "retry"
    answer = lender.open(world.web)
    refused(answer, "RATE_LIMITED", 429)
    assert answer.headers["Retry-After"] == "900"
    world.clock.now += 899
    refused(lender.open(world.web), "RATE_LIMITED", 429)
    world.clock.now += 1
    assert lender.open(world.web).status_code == 201


def test_each_further_failure_doubles_the_delay(world: World) -> None:
    lender = world.lender()
    waits = []
    for attempt in range(8):
        lender.check(world.web, "reject")
        if attempt >= 4:
            answer = lender.open(world.web)
            waits.append(int(answer.headers["Retry-After"]))
            world.clock.now += waits[-1]
    assert waits == [900, 1800, 3600, 7200]


def test_a_passed_check_ends_the_row(world: World) -> None:
    lender = world.lender()
    for word in (*["retry"] * 4, "accept", *["retry"] * 4):
        assert lender.check(world.web, word).status_code == 200
    assert lender.open(world.web).status_code == 201


def test_after_two_failures_the_other_route_is_offered(world: World) -> None:
    lender = world.lender()
    assert lender.check(world.web, "retry").get_json()["next"] == ["retry"]
    assert lender.check(world.web, "retry").get_json()["next"] == ["retry", "officer"]


def test_opening_without_sending_counts_so_that_challenges_can_not_be_shopped_for(world: World) -> None:
    lender = world.lender()
    for _ in range(6):
        last = lender.open(world.web)
        world.clock.now += 10
    refused(last, "RATE_LIMITED", 429)
    # It stays so: what was counted stays counted although the opening itself was refused.
    refused(lender.open(world.web), "RATE_LIMITED", 429)


def test_attempts_at_one_meeting_end_and_a_person_looks_at_the_last(world: World) -> None:
    lender = world.lender()
    for _ in range(11):
        assert lender.check(world.web, "retry").get_json()["state"] == "retry"
        world.clock.now += 14_400
    assert lender.check(world.web, "retry").get_json()["state"] == "review"
    refused(lender.open(world.web), "REVIEW_PENDING", 409)
    world.clock.now += 72 * 3600 + 1
    refused(lender.open(world.web), "ATTEMPTS_EXHAUSTED", 403)


def test_another_meeting_has_its_own_count(world: World) -> None:
    lender = world.lender()
    for _ in range(5):
        lender.check(world.web, "retry")
    refused(lender.open(world.web), "RATE_LIMITED", 429)
    assert lender.open(world.web, "another-meeting").status_code == 201


def test_a_strangers_tries_are_not_held_against_the_lender(world: World) -> None:
    lender, stranger = world.lender(), world.lender()
    opened = lender.open(world.web).get_json()
    for _ in range(8):
        frames = stranger.frames("accept")
        send(world.web, opened["ses"], stranger.prove(opened, frames), frames)
    frames = lender.frames("accept")
    assert send(world.web, opened["ses"], lender.prove(opened, frames), frames).status_code == 200


def test_limits_hold_over_several_processes(world: World) -> None:
    lender = world.lender()
    other = world.another_process()
    for number in range(5):
        lender.check(world.web if number % 2 else other, "retry")
    refused(lender.open(other), "RATE_LIMITED", 429)
    refused(lender.open(world.web), "RATE_LIMITED", 429)


def test_attempts_over_all_meetings_end_too_and_two_officers_begin_them_anew(world: World) -> None:
    world.meetings.by_id |= {f"meeting-{n}": world.meetings.by_id[MEETING] for n in range(9)}
    lender = world.lender("face", "transmission")
    for meeting in range(9):
        for _ in range(4):
            assert lender.open(world.web, f"meeting-{meeting}").status_code == 201
            world.clock.now += 14_400
    refused(lender.open(world.web), "ATTEMPTS_EXHAUSTED", 403)
    refused(lender.open(world.web, "meeting-0"), "ATTEMPTS_EXHAUSTED", 403)
    first, second = world.officer("officer-one"), world.officer("officer-two")
    where = slot(world, first, starts_at=world.clock() + 60).get_json()["id"]
    booked = book(world, lender, where).get_json()
    world.clock.now += 60
    for officer in (first, second):
        take(world, officer, booked["case"])
        decide(world, officer, booked["case"], "accept", "identity-document-checked")
    assert lender.open(world.web).status_code == 201


def test_who_has_no_attempt_left_over_all_is_sent_to_an_officer(world: World) -> None:
    world.meetings.by_id |= {f"meeting-{n}": world.meetings.by_id[MEETING] for n in range(9)}
    lender = world.lender("face", "transmission")
    for meeting in range(9):
        for _ in range(4 if meeting else 3):
            lender.open(world.web, f"meeting-{meeting}")
            world.clock.now += 14_400
    assert lender.check(world.web, "retry").get_json()["next"] == ["officer"]


def test_nobody_is_checked_for_a_meeting_that_there_is_not(world: World) -> None:
    lender = world.lender()
    refused(lender.open(world.web, "no-such-meeting"), "MEETING_NOT_FOUND", 404)
    for state in ("draft", "closing", "closed", "objections", "certified", "void"):
        world.meetings.by_id[MEETING] = MeetingFacts(state, NOON)
        refused(lender.open(world.web), "MEETING_NOT_RUNNING", 409)
    world.meetings.by_id[MEETING] = MeetingFacts("open", NOON)
    assert lender.open(world.web).status_code == 201
    world.meetings.down = True
    refused(lender.open(world.web), "LEDGER_UNAVAILABLE", 503)


def test_nobody_books_for_a_meeting_that_there_is_not(world: World) -> None:
    lender = world.lender()
    where = slot(world, world.officer("officer-one")).get_json()["id"]
    world.meetings.by_id.pop(MEETING)
    refused(book(world, lender, where), "MEETING_NOT_FOUND", 404)
