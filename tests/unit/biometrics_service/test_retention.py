from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, inspect, select, text

from biometrics.retention import FRAME_SECONDS
from biometrics.service.callers import HttpRequest
from biometrics.service.meetings import MeetingFacts
from biometrics.service.proofs import sign_request
from biometrics.store.models import Base, CaseFrame, Deletion, Limit, Settlement
from biometrics.terms.binding import Lender
from biometrics.terms.errors import ServiceRefused
from tests.unit.biometrics_service.doubles import INSTITUTION, MEETING, NOON, SECRET, Person
from tests.unit.biometrics_service.test_checks import refused
from tests.unit.biometrics_service.test_enrolment import Invited
from tests.unit.biometrics_service.test_officers import book, decide, review, slot, take

if TYPE_CHECKING:
    from biometrics.service.callers import OfficerCaller
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
    settle(world)
    world.clock.now += 30 * DAY - 1
    world.service.retention.run()
    assert rows(world, "identity_checks") == 1
    world.clock.now += 1
    what = world.service.retention.run().what
    assert what["checks"] == 1
    assert (what["cases"], what["frame_marks"]) == (1, 6)
    assert rows(world, "identity_checks") == 0


def test_settling_has_the_keeper_of_evidence_forget_it(world: World) -> None:
    ses = world.lender().check(world.web).get_json()["ses"]
    settle(world)
    world.clock.now += 30 * DAY - 1
    world.service.retention.run()
    assert ses in world.ledger.openings
    world.clock.now += 1
    assert world.service.retention.run().what["session_evidence"] == 1
    assert world.ledger.forgotten[-1][0] == [MEETING]
    assert not world.ledger.openings


def test_evidence_of_a_meeting_that_nobody_settled_is_forgotten_after_two_years(world: World) -> None:
    ses = world.lender().check(world.web).get_json()["ses"]
    world.clock.now += 730 * DAY - 1
    world.service.retention.run()
    assert ses in world.ledger.openings
    world.clock.now += 1
    assert world.service.retention.run().what["session_evidence"] == 1
    assert ses not in world.ledger.openings


def test_attempt_counters_end_with_the_meeting_or_after_two_years(world: World) -> None:
    settled, forgotten = world.lender(), world.lender()
    settled.check(world.web, "retry")
    opened = forgotten.open(world.web, "another-meeting")
    assert opened.status_code == 201
    settle(world)
    world.clock.now += 30 * DAY
    assert world.service.retention.run().what["attempt_counters"] == 1
    assert scopes(world) == ["ALL", "ALL", "another-meeting"]
    world.clock.now += 700 * DAY
    world.service.retention.run()
    assert scopes(world) == []


def test_a_counter_that_counts_nothing_ends_at_once_unless_a_wait_runs(world: World) -> None:
    world.lender().check(world.web)
    assert world.service.retention.run().what["attempt_counters_at_nought"] == 2
    assert scopes(world) == []


def test_failures_at_enrolment_are_counted_until_two_years_have_passed(world: World) -> None:
    invited = Invited(world)
    invited.consent()
    invited.check("retry")
    assert "ENROLMENT" in scopes(world)
    world.clock.now += 729 * DAY
    world.service.retention.run()
    assert "ENROLMENT" in scopes(world)
    world.clock.now += DAY
    world.service.retention.run()
    assert scopes(world) == []


def test_a_consent_lapses_after_two_years_and_is_proof_for_three_more(world: World) -> None:
    lender = world.lender("face", "transmission")
    world.clock.now += 730 * DAY
    assert world.service.retention.run().what["lapsed_consents"] == 2
    refused(lender.open(world.web), "CONSENT_MISSING", 403)
    listed = lender.ask(world.web, "POST", "/v1/consents/list", lender.me()).get_json()["consents"]
    assert [one["withdrawn_at"] - one["given_at"] for one in listed] == [730 * DAY] * 2
    world.clock.now += 1095 * DAY - 1
    assert "ended_consents" not in world.service.retention.run().what
    world.clock.now += 1
    assert world.service.retention.run().what["ended_consents"] == 2


def test_an_officer_settles_and_it_is_noted_who(world: World) -> None:
    officer = world.officer("officer-one")
    settle(world, officer)
    with world.database.read() as session:
        row = session.scalars(select(Settlement)).one()
    assert (row.mtg, row.institution, row.officer) == (MEETING, INSTITUTION, f"{INSTITUTION}/officer-one")
    assert row.statement in officer.sent[-1]


def test_a_meeting_can_not_be_settled_while_it_can_be_objected_to(world: World) -> None:
    officer = caller(world, world.officer("officer-one"))
    for facts in (
        MeetingFacts("open", NOON - DAY),
        MeetingFacts("objections", NOON - DAY),
        MeetingFacts("certified", NOON + DAY),
    ):
        world.meetings.by_id[MEETING] = facts
        with pytest.raises(ServiceRefused, match="MEETING_NOT_SETTLED"):
            world.service.officers.settle(officer, INSTITUTION, MEETING)
    with world.database.read() as session:
        assert not list(session.scalars(select(Settlement)))


def test_nobody_but_an_officer_of_the_institution_or_for_all_settles(world: World) -> None:
    world.meetings.by_id[MEETING] = MeetingFacts("certified", NOON - DAY)
    stranger = caller(world, world.officer("officer-b", "InstitutionBMSP"))
    with pytest.raises(ServiceRefused, match="MEETING_NOT_FOUND"):
        world.service.officers.settle(stranger, INSTITUTION, MEETING)
    with pytest.raises(ServiceRefused, match="NOT_OFFICER"):
        caller(world, Person.new(world.clock, scheme="Officer"))
    world.service.officers.settle(
        caller(world, world.officer("officer-a", "AssociationMSP")), INSTITUTION, MEETING
    )


def test_who_settled_a_meeting_first_and_when_stays(world: World) -> None:
    settle(world)
    world.clock.now += DAY
    settle(world, world.officer("officer-two"))
    with world.database.read() as session:
        assert [(row.settled_at, row.officer) for row in session.scalars(select(Settlement))] == [
            (NOON, f"{INSTITUTION}/officer-settles")
        ]


def test_an_invitation_lasts_as_long_as_the_appointment_that_was_booked_with_it(world: World) -> None:
    invited, officer = Invited(world), world.officer("officer-one")
    where = slot(world, officer, starts_at=NOON + 3 * DAY).get_json()["id"]
    booked = invited.ask("/v1/bookings", slot=where, public_key=invited.public_key).get_json()
    world.clock.now += 3 * DAY
    assert "invitations" not in world.service.retention.run().what
    for name in ("officer-one", "officer-two"):
        person = world.officer(name)
        take(world, person, booked["case"])
        decide(world, person, booked["case"], "accept", "identity-document-checked")
    assert world.web.get(f"/v1/checks/{booked['ses']}").get_json()["state"] == "approved"


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


def scopes(world: World) -> list[str]:
    with world.database.read() as session:
        return sorted(session.scalars(select(Limit.scope)))


def caller(world: World, officer: Person) -> OfficerCaller:
    """Return the officer who signed the request to settle the meeting."""
    target = f"/v1/settlements/{INSTITUTION}/{MEETING}"
    jws = sign_request(officer.key, officer.x5t, "POST", target, b"", now=world.clock(), jti=os.urandom(16))
    officer.sent.append(f"Officer {jws}")
    return world.service.parts.callers.officer(HttpRequest("POST", target, b"", f"Officer {jws}"))


def settle(world: World, officer: Person | None = None) -> None:
    world.meetings.by_id[MEETING] = MeetingFacts("certified", world.clock() - 1)
    signed = caller(world, officer or world.officer("officer-settles"))
    world.service.officers.settle(signed, INSTITUTION, MEETING)
