"""A check while it goes on: prompts, the chain of chunks, time, places; and a refusal for each misuse."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from biometrics.errors import PolicyError
from biometrics.matching import default_matcher
from biometrics.service import proofs
from biometrics.service.checker import SentFrame
from biometrics.service.live_checker import FACE_POLICY, LiveChecker, make
from biometrics.store.models import Case, CaseFrame, Check, Limit
from client.encodings import base64url, jcs, jws
from tests.unit.biometrics_service.doubles import MEETING, send
from tests.unit.biometrics_service.stub_checker import StubCheck
from tests.unit.biometrics_service.test_checks import refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.biometrics_service.conftest import World

OPENED = {"ses", "nonce", "opened_at", "complete_before", "show", "frames", "idle_seconds"}


def failures(world: World, person: Any) -> int:
    with world.database.read() as session:
        row = session.scalars(select(Limit).filter_by(sub=person.sub, scope=MEETING)).one()
    return row.consecutive


def test_an_opened_check_does_not_tell_what_will_be_asked(world: World) -> None:
    check = world.stream()
    assert set(check.opened) == OPENED
    assert check.opened["show"] == "look-straight"
    with world.database.read() as session:
        row = session.scalars(select(Check)).one()
    live = world.service.checks._live.get(row.ses)
    assert live is not None
    steps = live.challenge["steps"]
    stored = {str(getattr(row, column.name)) for column in Check.__table__.columns}
    assert len(steps) == 3
    for step in steps:
        assert step not in str(check.opened)
        assert not any(step in value for value in stored)


def test_each_step_is_told_when_it_is_asked_for_and_not_before(world: World) -> None:
    check = world.stream()
    live = world.service.checks._live.get(check.opened["ses"])
    assert live is not None
    steps = list(live.challenge["steps"])
    told = []
    for word in ("look", "ask", "look", "ask", "ask"):
        answer = check.send(word)
        told.append(answer.get_json()["asked"])
        for step in steps:
            assert (step in answer.get_data(as_text=True)) == (step == told[-1])
    assert told == [None, steps[0], steps[0], steps[1], steps[2]]


def test_an_answer_says_where_the_check_stands(world: World) -> None:
    check = world.stream()
    body = check.send("dark").get_json()
    assert (body["chunk"], body["index"], body["of"], body["over"]) == (0, 0, 3, False)
    assert (body["state"], body["next"], body["decision_ms"]) == ("open", [], None)
    assert [reason["code"] for reason in body["advice"]] == ["TOO_DARK"]
    assert set(body["advice"][0]["advice"]) == {"zh-CN", "en"}
    body = check.send("over accept").get_json()
    assert (body["chunk"], body["over"], body["state"], body["next"]) == (1, True, "recorded", ["vote"])
    assert body["asked"] is None


def test_the_work_is_told_when_the_prompt_was_sent(world: World) -> None:
    check = world.stream()
    began = check.send("ask")  # taken from 0 to 200 ms, arrives at 500
    assert began.get_json()["asked"]
    world.clock.ms += 250
    check.send("accept", last=True)
    evidence = jcs.loads(world.ledger.openings[check.opened["ses"]].evidence)
    # The first chunk's last frame, claimed for 200, arrived at 500: the capture's clock is 300 behind.
    assert evidence["measured"]["prompts"] == ["None", "200"]


def test_evidence_lists_the_frames_of_all_chunks(world: World) -> None:
    check = world.stream()
    for _ in range(3):
        check.send("look")
    check.send("accept", last=True)
    evidence = jcs.loads(world.ledger.openings[check.opened["ses"]].evidence)
    assert len(set(evidence["frames"])) == 12


def test_a_check_ends_with_the_last_frame_that_it_may_have(world: World) -> None:
    check = world.stream()
    most, a_chunk = (check.opened["frames"][name] for name in ("at_most", "a_chunk_at_most"))
    for _ in range(most // a_chunk):
        answer = check.post(check.take("look", a_chunk, spends=1500))
    assert (answer.get_json()["over"], answer.get_json()["state"]) == (True, "retry")


def test_more_frames_than_a_check_may_have_are_refused(world: World) -> None:
    check = world.stream()
    most, a_chunk = (check.opened["frames"][name] for name in ("at_most", "a_chunk_at_most"))
    for _ in range(most // a_chunk - 1):
        check.post(check.take("look", a_chunk, spends=1500))
    check.post(check.take("look", 1))
    refused(check.post(check.take("look", a_chunk, spends=1500)), "FRAMES_COUNT", 400)


@pytest.mark.parametrize("count", [0, 16])
def test_an_empty_or_too_large_chunk_is_refused(world: World, count: int) -> None:
    refused(
        world.stream().post([SentFrame(n, b"\xff\xd8\xff%d" % n) for n in range(count)]), "FRAMES_COUNT", 400
    )


# -- the chain --------------------------------------------------------------------------------------------


def test_a_chunk_sent_again_gets_the_same_answer_and_is_judged_once(world: World) -> None:
    check = world.stream()
    check.send("ask")
    first = check.send("ask").get_json()
    assert check.again().get_json() == first
    assert check.send("ask").get_json()["index"] == first["index"] + 1


def test_the_last_chunk_sent_again_gets_the_decision_again(world: World) -> None:
    check = world.stream()
    first = check.send("accept", last=True).get_json()
    assert first["state"] == "recorded"
    assert check.again().get_json() == first
    assert world.ledger.batches == [1]
    world.clock.now = check.opened["complete_before"] + 1
    world.service.checks.sweep()
    refused(check.again(), "CHECK_USED", 409)


def test_other_frames_under_a_number_that_was_taken_are_refused(world: World) -> None:
    check = world.stream()
    check.send("look")
    check.send("look")
    for number in (0, 1):
        refused(check.send("look", chunk=number), "CHUNK_REPLAYED", 409)
    assert check.send("accept", last=True).get_json()["state"] == "recorded"


def test_an_older_chunk_can_not_be_sent_again(world: World) -> None:
    check = world.stream()
    check.send("look")
    older = check.sent
    check.send("look")
    refused(send(check.web, check.opened["ses"], *older), "CHUNK_REPLAYED", 409)


def test_a_gap_is_refused(world: World) -> None:
    check = world.stream()
    check.send("look")
    refused(check.send("look", chunk=2), "CHUNK_GAP", 409)
    refused(world.stream().send("look", chunk=1), "CHUNK_GAP", 409)
    assert check.send("accept", last=True).get_json()["state"] == "recorded"


def test_a_chunk_that_does_not_continue_the_chain_is_refused(world: World) -> None:
    check = world.stream()
    check.send("look")
    first = check.digest
    check.send("look")
    for wrong in ("", first, base64url.encode(bytes(32))):
        refused(check.send("look", previous=wrong), "CHUNK_CHAIN", 409)
    refused(world.stream().send("look", previous=first), "CHUNK_CHAIN", 409)
    assert check.send("accept", last=True).get_json()["state"] == "recorded"


def test_frames_of_a_chunk_can_not_be_swapped_or_dropped(world: World) -> None:
    check = world.stream()
    frames = check.take("look")
    proof = check.person.prove(check.opened, frames, last=False)
    swapped = [SentFrame(a.at, b.data) for a, b in zip(frames, reversed(frames), strict=True)]
    for others in (swapped, frames[:2]):
        refused(send(check.web, check.opened["ses"], proof, others), "FRAMES_DIGEST", 400)


def test_a_chunk_of_another_check_is_refused(world: World) -> None:
    lender = world.lender()
    check = world.stream(lender)
    check.send("look")
    other = world.stream(lender)
    refused(send(other.web, other.opened["ses"], *check.sent), "CHECK_REPLAYED", 409)


def test_a_chunk_that_comes_while_one_is_being_judged_has_to_come_again(world: World) -> None:
    check = world.stream()
    live = world.service.checks._live.get(check.opened["ses"])
    assert live is not None
    frames = check.take("look")
    with live.lock:
        refused(check.post(frames), "OVERLOADED", 503)
    assert check.post(frames).get_json()["chunk"] == 0


@pytest.mark.parametrize(
    "wrong",
    [{"chunk": -1}, {"chunk": "0"}, {"chunk": True}, {"chunk": 10_001}, {"last": 1}, {"previous": "AAAA"}],
)
def test_a_malformed_proof_is_refused(world: World, wrong: dict[str, Any]) -> None:
    refused(world.stream().send("look", **wrong), "PROOF_FORMAT", 401)


def test_a_proof_of_the_former_version_is_refused(world: World) -> None:
    check = world.stream()
    frames, lender = check.take("accept"), check.person
    digest = proofs.chunk_digest(check.opened["nonce"], 0, "", frames)
    named = {"ses": check.opened["ses"], "nonce": check.opened["nonce"], "sub": lender.sub, "mtg": MEETING}
    payload = jcs.dumps({"v": 1, **named, "frames": digest})
    proof = jws.sign(proofs.CHECK_TYPE, lender.x5t, payload, lender.key).compact
    refused(send(check.web, check.opened["ses"], proof, frames), "PROOF_FORMAT", 401)


# -- time -------------------------------------------------------------------------------------------------


def test_more_time_than_has_passed_can_not_be_claimed(world: World) -> None:
    check = world.stream()
    check.send("look")
    frames = [SentFrame(frame.at + 4000, frame.data) for frame in check.take("accept")]
    refused(check.post(frames), "CHECK_PACE", 409)
    assert check.state() == "retry"
    refused(check.send("accept"), "CHECK_USED", 409)
    assert failures(world, check.person) == 1


def test_a_recording_can_not_be_sent_faster_than_it_plays(world: World) -> None:
    check = world.stream()
    answers = [check.post(check.person.frames("look", 15, 1500 * number)) for number in range(3)]
    refused(answers[-1], "CHECK_PACE", 409)


def test_the_first_chunk_can_not_span_more_time_than_the_check_is_old(world: World) -> None:
    check = world.stream()
    frames = [SentFrame(at, frame.data) for at, frame in zip((0, 5000), check.take("look"), strict=False)]
    refused(check.post(frames), "CHECK_PACE", 409)


def test_frames_can_not_be_held_back(world: World) -> None:
    check = world.stream()
    check.send("look")
    frames = check.take("accept")
    world.clock.ms += world.service.parts.policy.lag_ms_at_most + 1
    refused(check.post(frames), "CHECK_PACE", 409)
    assert check.state() == "retry"


def test_a_lag_does_not_grow_chunk_by_chunk(world: World) -> None:
    check = world.stream()
    check.send("look")
    a_little = (world.service.parts.policy.lag_ms_at_most - 500) // 3  # the frames of a chunk come late, too
    answers = []
    for _ in range(4):
        check.began += a_little  # the claimed clock falls behind
        world.clock.ms += a_little
        answers.append(check.send("look").status_code)
    assert answers == [200, 200, 200, 409]


def test_a_slow_network_is_no_offence(world: World) -> None:
    check = world.stream()
    for delay in (0, 2000, 0, 3000, 0):
        frames = check.take("look")
        world.clock.ms += delay
        assert check.post(frames).status_code == 200


def test_times_go_on_from_chunk_to_chunk(world: World) -> None:
    check = world.stream()
    check.send("look")
    frames = check.person.frames("look", 3, since=200)  # the last frame's time again
    refused(check.post(frames), "FRAMES_TIMES", 400)
    assert check.send("accept", last=True).get_json()["state"] == "recorded"


# -- figures ----------------------------------------------------------------------------------------------


def test_how_long_the_decision_took_is_in_the_status_and_the_finding(world: World) -> None:
    check = world.stream()
    conclude = StubCheck.conclude

    class Slow(StubCheck):
        def conclude(self) -> Any:
            world.clock.ms += 137
            return conclude(self)

    world.pool.checker.kind = Slow
    body = check.send("review", last=True).get_json()
    assert body["decision_ms"] == 137
    with world.database.read() as session:
        finding = json.loads(session.scalars(select(Case)).one().finding)
    assert finding["decision_ms"] == 137


def test_the_number_of_failures_before_the_other_route_is_the_face_policys(world: World) -> None:
    assert LiveChecker(default_matcher()).attempts_before_other_route == 2
    world.service.parts.checker.attempts_before_other_route = 3  # type: ignore[misc]
    lender = world.lender()
    following = []
    for _ in range(4):
        check = world.stream(lender)
        check.send("look")
        following.append(check.send("over retry").get_json()["next"])
    assert following == [["retry"], ["retry"], ["retry", "officer"], ["retry", "officer"]]


def test_a_frame_that_can_not_be_read_is_held_against_the_lender(world: World) -> None:
    check = world.stream()
    refused(check.send("unreadable"), "IMAGE_UNREADABLE", 422)
    assert failures(world, check.person) == 1


def test_an_operators_own_face_policy_is_the_one_that_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = resources.files("biometrics").joinpath("policy.toml").read_text("utf-8")
    own = tmp_path / "own.toml"
    own.write_text(packaged.replace("complete_within = 300", "complete_within = 420"), "utf-8")
    monkeypatch.setenv(FACE_POLICY, str(own))
    assert make().complete_within == 420
    own.write_text(packaged.replace("dlib-resnet-v1", "another-embedder"), "utf-8")
    with pytest.raises(PolicyError, match="another-embedder"):
        make()


def withdraw(world: World, person: Any, kind: str) -> None:
    answer = person.ask(world.web, "POST", "/v1/consents/withdraw", person.me(kind=kind))
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["face", "transmission"])
def test_a_withdrawal_in_mid_check_counts_as_breaking_it_off(world: World, kind: str) -> None:
    check = world.stream()
    withdraw(world, check.person, kind)
    refused(check.send(), "CHECK_ENDED", 409)
    assert failures(world, check.person) == 1


def test_officers_see_only_frames_that_were_judged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = StubCheck.feed

    def judged_in_part(check: StubCheck, frames: Any, prompted_at: int | None) -> Any:
        return judge(check, frames[:1], prompted_at)

    check = world.stream()
    monkeypatch.setattr(StubCheck, "feed", judged_in_part)
    body = check.post(check.take("over review", 5)).get_json()
    assert body["state"] == "review"
    with world.database.read() as session:
        assert len(list(session.scalars(select(CaseFrame)))) == 1


def test_frames_of_a_part_that_the_lender_chose_go_to_no_officer(world: World) -> None:
    check = world.stream()
    check.send("look")
    withdraw(world, check.person, "recording")
    check.send("look")
    check.person.consent(world.web, "recording")
    assert check.send("over review").get_json()["state"] == "undecided"
    with world.database.read() as session:
        assert not list(session.scalars(select(Case)))
