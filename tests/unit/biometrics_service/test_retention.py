from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import func, inspect, select, text

from biometrics.retention import FRAME_SECONDS
from biometrics.store.models import Base, CaseFrame, Deletion, Settlement
from biometrics.terms.binding import Lender
from tests.unit.biometrics_service.doubles import INSTITUTION, MEETING, NOON, SECRET
from tests.unit.biometrics_service.test_officers import book, decide, review, slot, take

if TYPE_CHECKING:
    from tests.unit.biometrics_service.conftest import World

DAY = 86_400


def frames(world: World) -> int:
    with world.database.read() as session:
        return session.scalar(select(func.count()).select_from(CaseFrame)) or 0


def test_a_second_run_finds_nothing(world: World) -> None:
    review(world)
    world.lender().check(world.web)
    world.clock.now += 800 * DAY
    assert world.service.retention.run().what
    again = world.service.retention.run()
    assert (again.what, again.records) == ({}, ())


def test_frames_last_72_hours_at_most(world: World) -> None:
    review(world)
    world.clock.now += FRAME_SECONDS - 1
    assert "kept_frames" not in world.service.retention.run().what
    assert frames(world) == 3
    world.clock.now += 1
    report = world.service.retention.run()
    assert report.what["kept_frames"] == 3
    assert frames(world) == 0
    assert "frames-72-hours" in {record.why for record in report.records}


def test_no_policy_can_keep_frames_longer(world: World) -> None:
    _, _, case = review(world)
    with world.database.write() as session:
        session.execute(text("update identity_cases set decide_before = :t"), {"t": world.clock() + 90 * DAY})
    world.clock.now += FRAME_SECONDS
    world.service.retention.run()
    assert frames(world) == 0
    assert take(world, world.officer("officer-one"), case).status_code == 200


def test_frames_of_a_decided_case_are_gone_before_any_job(world: World) -> None:
    _, _, case = review(world)
    officer = world.officer("officer-one")
    take(world, officer, case)
    decide(world, officer, case, "reject", "not-live")
    assert frames(world) == 0


def test_a_review_that_nobody_decided_lapses(world: World) -> None:
    _, ses, _ = review(world)
    world.clock.now += FRAME_SECONDS + 1
    assert world.service.retention.run().what["lapsed_cases"] == 1
    body = world.web.get(f"/v1/checks/{ses}").get_json()
    assert (body["state"], body["next"]) == ("lapsed", ["retry"])


def test_who_did_not_come_can_book_again(world: World) -> None:
    officer, lender = world.officer("officer-one"), world.lender()
    book(world, lender, slot(world, officer).get_json()["id"])
    world.clock.now += 3600 + 900 + FRAME_SECONDS + 1
    world.service.retention.run()
    later = slot(world, officer, starts_at=world.clock() + 3600).get_json()["id"]
    assert book(world, lender, later).status_code == 201


def test_evidence_outlives_the_vote_until_the_meeting_is_settled(world: World) -> None:
    review(world)
    world.clock.now += 100 * DAY
    world.service.retention.run()
    assert rows(world, "identity_checks") == 1
    world.service.retention.settle(MEETING)
    world.clock.now += 30 * DAY - 1
    world.service.retention.run()
    assert rows(world, "identity_checks") == 1
    world.clock.now += 1
    what = world.service.retention.run().what
    assert what["checks"] == 1
    assert (what["cases"], what["frame_marks"]) == (1, 6)
    assert rows(world, "identity_checks") == 0


def test_settling_asks_the_keeper_of_evidence_to_forget_it(world: World) -> None:
    asked: list[list[str]] = []
    retention = type(world.service.retention)(
        world.database,
        world.service.parts.policy,
        world.service.parts.erasure,
        world.clock,
        lambda meetings: asked.append(list(meetings)) or 4,  # type: ignore[func-returns-value]
    )
    retention.settle(MEETING)
    world.clock.now += 30 * DAY
    assert retention.run().what["session_evidence"] == 4
    assert asked == [[MEETING]]


def test_a_settlements_time_stays(world: World) -> None:
    world.service.retention.settle(MEETING)
    world.clock.now += DAY
    world.service.retention.settle(MEETING)
    with world.database.read() as session:
        assert [row.settled_at for row in session.scalars(select(Settlement))] == [NOON]


def test_proofs_and_invitations_end(world: World) -> None:
    world.service.lenders.invite(Lender(INSTITUTION, world.lender().sub), SECRET, NOON + DAY)
    world.clock.now += DAY
    what = world.service.retention.run().what
    assert (what["used_proofs"], what["invitations"]) == (3, 1)


def test_every_deletion_leaves_a_record(world: World) -> None:
    review(world)
    world.clock.now += 800 * DAY
    report = world.service.retention.run()
    with world.database.read() as session:
        written = {row.id: json.loads(row.what) for row in session.scalars(select(Deletion))}
    assert written == {record.id: dict(record.what) for record in report.records}


def test_nothing_personal_is_left_in_the_clear(world: World) -> None:
    lender, _, _ = review(world)
    world.service.lenders.invite(Lender(INSTITUTION, lender.sub), SECRET, NOON + DAY)
    for table in Base.metadata.tables:
        assert inspect(world.database.engine).get_columns(table)
        with world.database.read() as session:
            content = str(list(session.execute(text(f"select * from {table}"))))  # noqa: S608
        for secret in (SECRET, "\\xff\\xd8\\xff", "reference|", "review|"):
            assert secret not in content, table


def rows(world: World, table: str) -> int:
    with world.database.read() as session:
        return int(session.execute(text(f"select count(*) from {table}")).scalar_one())  # noqa: S608
