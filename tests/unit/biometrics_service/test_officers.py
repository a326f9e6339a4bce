from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, text

from biometrics.review.officers import appoint, dismiss
from biometrics.service import proofs
from biometrics.service.checker import CheckRequest
from biometrics.service.evidence import check_evidence
from biometrics.store.models import Case, CaseFrame, Check
from biometrics.terms.binding import Binding, Lender
from biometrics.terms.errors import ServiceRefused
from client.encodings import base64url, jcs, times
from tests.unit.biometrics_service.doubles import INSTITUTION, MEETING, NOON, Person, certificate
from tests.unit.biometrics_service.stub_checker import StubChecker
from tests.unit.biometrics_service.test_checks import refused
from tests.unit.biometrics_service.test_enrolment import Invited

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.unit.biometrics_service.conftest import World

OTHER = "InstitutionBMSP"


def take(world: World, officer: Person, case: str) -> TestResponse:
    return officer.ask(world.web, "POST", f"/v1/cases/{case}/take", {})


def decide(
    world: World, officer: Person, case: str, verdict: str = "accept", reason: str = "same-person"
) -> TestResponse:
    value = {"verdict": verdict, "reason": reason}
    return officer.ask(world.web, "POST", f"/v1/cases/{case}/decision", value)


def cases(world: World, officer: Person, state: str = "open") -> list[dict[str, Any]]:
    answer = officer.ask(world.web, "GET", f"/v1/cases?state={state}")
    assert answer.status_code == 200, answer.get_json()
    listed: list[dict[str, Any]] = answer.get_json()["cases"]
    return listed


def review(world: World) -> tuple[Person, str, str]:
    """Return a lender whose check waits for officers, the check's id and the case's."""
    lender = world.lender()
    ses = lender.check(world.web, "review").get_json()["ses"]
    return lender, ses, cases(world, world.officer("officer-of-the-queue"))[-1]["id"]


def test_two_officers_accept_and_the_session_is_recorded(world: World) -> None:
    lender, ses, case = review(world)
    first, second = world.officer("officer-one"), world.officer("officer-two")
    take(world, first, case)
    body = decide(world, first, case).get_json()
    assert (body["state"], body["accepted_by"]) == ("open", [f"{INSTITUTION}/officer-one"])
    assert not world.ledger.sessions
    take(world, second, case)
    assert decide(world, second, case).get_json()["state"] == "accepted"
    session = world.ledger.sessions[ses]
    assert (session.method, session.sub, session.outcome) == ("face-review-v1", lender.sub, "accept")
    evidence = jcs.loads(world.ledger.openings[ses].evidence)
    assert evidence["factors"] == ["face", "officer", "enrolled-key"]
    named = {entry["officer"] for entry in evidence["officers"]}
    assert named == {f"{INSTITUTION}/officer-one", f"{INSTITUTION}/officer-two"}
    assert all(entry["statement"].count(".") == 2 for entry in evidence["officers"])
    assert world.web.get(f"/v1/checks/{ses}").get_json()["next"] == ["vote"]


def test_one_officer_can_not_be_both(world: World) -> None:
    _, _, case = review(world)
    officer = world.officer("officer-one")
    take(world, officer, case)
    decide(world, officer, case)
    refused(take(world, officer, case), "CASE_SAME_OFFICER", 409)
    refused(decide(world, officer, case), "CASE_NOT_TAKEN", 409)


def test_a_renewed_certificate_does_not_make_a_second_officer(world: World) -> None:
    _, _, case = review(world)
    officer = world.officer("officer-one")
    take(world, officer, case)
    decide(world, officer, case)
    renewed = world.officer("officer-one")
    refused(take(world, renewed, case), "CASE_SAME_OFFICER", 409)
    refused(take(world, officer, case), "NOT_OFFICER", 403)


def test_one_rejection_ends_the_case(world: World) -> None:
    _, ses, case = review(world)
    officer = world.officer("officer-one")
    take(world, officer, case)
    assert decide(world, officer, case, "reject", "other-person").get_json()["state"] == "rejected"
    body = world.web.get(f"/v1/checks/{ses}").get_json()
    assert (body["state"], body["next"]) == ("review-rejected", ["retry", "officer"])
    assert not world.ledger.sessions
    refused(take(world, world.officer("officer-two"), case), "CASE_DECIDED", 409)


def test_a_case_that_is_held_is_nobody_elses(world: World) -> None:
    _, _, case = review(world)
    first, second = world.officer("officer-one"), world.officer("officer-two")
    take(world, first, case)
    answer = take(world, second, case)
    refused(answer, "CASE_TAKEN", 409)
    assert answer.headers["Retry-After"] == "900"
    refused(decide(world, second, case), "CASE_NOT_TAKEN", 409)
    world.clock.now += 900
    refused(decide(world, first, case), "CASE_NOT_TAKEN", 409)
    assert take(world, second, case).status_code == 200


def test_frames_are_for_who_holds_the_case_and_gone_with_the_decision(world: World) -> None:
    _, _, case = review(world)
    first, second = world.officer("officer-one"), world.officer("officer-two")
    target = f"/v1/cases/{case}/frames/0"
    refused(first.ask(world.web, "GET", target), "CASE_NOT_TAKEN", 409)
    take(world, first, case)
    answer = first.ask(world.web, "GET", target)
    assert answer.data.startswith(b"\xff\xd8\xffreview|")
    assert answer.headers["Cache-Control"] == "no-store"
    assert first.ask(world.web, "GET", f"/v1/cases/{case}/reference").data.startswith(
        b"\xff\xd8\xffreference"
    )
    refused(second.ask(world.web, "GET", target), "CASE_NOT_TAKEN", 409)
    decide(world, first, case, "reject", "not-live")
    refused(first.ask(world.web, "GET", target), "CASE_DECIDED", 409)
    with world.database.read() as session:
        assert not list(session.scalars(select(CaseFrame)))


def test_kept_frames_are_sealed(world: World) -> None:
    review(world)
    with world.database.read() as session:
        sealed = session.scalars(select(CaseFrame.frame_encrypted)).all()
    assert sealed
    assert all(b"\xff\xd8\xff" not in frame and b"review" not in frame for frame in sealed)


@pytest.mark.parametrize("choice", [("accept", "other-person"), ("reject", "same-person"), ("maybe", "x")])
def test_a_decision_needs_a_reason_of_its_verdict(world: World, choice: tuple[str, str]) -> None:
    _, _, case = review(world)
    officer = world.officer("officer-one")
    take(world, officer, case)
    refused(decide(world, officer, case, *choice), "CASE_REASON", 400)


def test_after_72_hours_nothing_can_be_decided(world: World) -> None:
    _, _, case = review(world)
    officer = world.officer("officer-one")
    world.clock.now += 72 * 3600 + 1
    refused(take(world, officer, case), "CASE_DECIDED", 409)
    assert not cases(world, officer)


def test_officers_see_their_own_institutions_cases_only(world: World) -> None:
    _, _, case = review(world)
    stranger = world.officer("officer-b", OTHER)
    assert not cases(world, stranger)
    refused(take(world, stranger, case), "CASE_NOT_FOUND", 404)
    assert cases(world, world.officer("officer-a", "AssociationMSP"))


def test_whoever_is_no_officer_sees_nothing(world: World) -> None:
    lender, _, case = review(world)
    stranger = Person.new(world.clock, scheme="Officer")
    refused(stranger.ask(world.web, "GET", "/v1/cases"), "NOT_OFFICER", 403)
    refused(lender.ask(world.web, "GET", "/v1/cases"), "PROOF_MISSING", 401)
    refused(take(world, stranger, case), "NOT_OFFICER", 403)


def test_a_dismissed_officer_is_none(world: World) -> None:
    officer = world.officer("officer-one")
    with world.database.write() as session:
        dismiss(session, f"{INSTITUTION}/officer-one")
    refused(officer.ask(world.web, "GET", "/v1/cases"), "NOT_OFFICER", 403)


def test_the_word_of_an_officer_dismissed_meanwhile_no_longer_counts(world: World) -> None:
    _, ses, case = review(world)
    first, second, third = (world.officer(f"officer-{name}") for name in ("one", "two", "three"))
    take(world, first, case)
    decide(world, first, case)
    with world.database.write() as session:
        dismiss(session, f"{INSTITUTION}/officer-one")
    take(world, second, case)
    assert decide(world, second, case).get_json()["state"] == "open"
    assert not world.ledger.sessions
    take(world, third, case)
    assert decide(world, third, case).get_json()["state"] == "accepted"
    assert ses in world.ledger.sessions


def test_what_officers_accept_holds_until_the_lender_comes_back(world: World) -> None:
    _, ses, case = review(world)
    for name in ("officer-one", "officer-two"):
        officer = world.officer(name)
        take(world, officer, case)
        decide(world, officer, case)
    record, policy = world.ledger.sessions[ses], world.service.parts.policy
    lasts = times.parse(record.expires_at) - times.parse(record.issued_at)
    assert lasts == policy.review_valid_for > world.service.parts.checker.valid_for


def test_a_signed_request_counts_once_for_one_request_for_a_while(world: World) -> None:
    officer = world.officer("officer-one")
    officer.ask(world.web, "GET", "/v1/cases")
    sent = officer.sent[-1]
    refused(officer.ask(world.web, "GET", "/v1/cases", Authorization=sent), "PROOF_REPLAYED", 401)
    refused(officer.ask(world.web, "GET", "/v1/cases?state=open", Authorization=sent), "PROOF_INVALID", 401)
    world.clock.now += 301
    refused(officer.ask(world.web, "GET", "/v1/cases", Authorization=sent), "PROOF_STALE", 401)
    refused(officer.ask(world.web, "GET", "/v1/cases", Authorization="Officer a.b"), "PROOF_FORMAT", 401)


def slot(world: World, officer: Person, **other: Any) -> TestResponse:
    value = {"kind": "counter", "place": "Hall 2", "starts_at": NOON + 3600, "minutes": 15, "capacity": 1}
    return officer.ask(world.web, "POST", "/v1/slots", value | other)


def book(world: World, lender: Person, where: str) -> TestResponse:
    return lender.ask(world.web, "POST", "/v1/bookings", lender.me(slot=where, mtg=MEETING))


def test_the_way_without_a_face_needs_no_consent_and_two_officers(world: World) -> None:
    lender = world.lender("none")
    first, second = world.officer("officer-one"), world.officer("officer-two")
    where = slot(world, first).get_json()["id"]
    booked = book(world, lender, where).get_json()
    world.clock.now += 3600
    for officer in (first, second):
        assert not world.ledger.sessions
        take(world, officer, booked["case"])
        decide(world, officer, booked["case"], "accept", "identity-document-checked")
    session = world.ledger.sessions[booked["ses"]]
    assert (session.method, session.sub, session.x5t) == ("officer-v1", lender.sub, lender.x5t)
    evidence = jcs.loads(world.ledger.openings[booked["ses"]].evidence)
    assert (evidence["kind"], evidence["factors"]) == ("attendance", ["officer", "enrolled-key"])


def test_a_full_slot_takes_nobody_more(world: World) -> None:
    officer = world.officer("officer-one")
    where = slot(world, officer).get_json()["id"]
    first, second = world.lender(), world.lender()
    booked = book(world, first, where).get_json()
    refused(book(world, second, where), "SLOT_FULL", 409)
    answer = first.ask(world.web, "POST", f"/v1/bookings/{booked['booking']}/cancel", first.me())
    assert answer.status_code == 200
    assert book(world, second, where).status_code == 201
    listed = world.web.get(f"/v1/slots/{INSTITUTION}").get_json()["slots"]
    assert [entry["free"] for entry in listed] == [0]
    assert world.web.get(f"/v1/checks/{booked['ses']}").get_json()["state"] == "withdrawn"


def test_nobody_books_twice(world: World) -> None:
    officer, lender = world.officer("officer-one"), world.lender()
    one = slot(world, officer, capacity=3).get_json()["id"]
    two = slot(world, officer, starts_at=NOON + 7200).get_json()["id"]
    assert book(world, lender, one).status_code == 201
    refused(book(world, lender, one), "SLOT_BOOKED", 409)
    refused(book(world, lender, two), "SLOT_BOOKED", 409)
    # The place that the refused booking had taken for a moment was given back.
    listed = world.web.get(f"/v1/slots/{INSTITUTION}").get_json()["slots"]
    assert [entry["free"] for entry in listed] == [2, 1]


def test_a_begun_or_foreign_slot_can_not_be_booked(world: World) -> None:
    lender = world.lender()
    theirs = slot(world, world.officer("officer-b", OTHER)).get_json()["id"]
    refused(book(world, lender, theirs), "SLOT_NOT_FOUND", 404)
    ours = slot(world, world.officer("officer-a")).get_json()["id"]
    world.clock.now += 3600
    refused(book(world, lender, ours), "SLOT_NOT_FOUND", 404)


def test_nobody_cancels_for_another(world: World) -> None:
    lender, stranger = world.lender(), world.lender()
    where = slot(world, world.officer("officer-a")).get_json()["id"]
    booking = book(world, lender, where).get_json()["booking"]
    answer = stranger.ask(world.web, "POST", f"/v1/bookings/{booking}/cancel", stranger.me())
    refused(answer, "BOOKING_NOT_FOUND", 404)


@pytest.mark.parametrize("wrong", [{"kind": "letter"}, {"capacity": 0}, {"minutes": 0}, {"place": ""}])
def test_a_slot_needs_sound_data(world: World, wrong: dict[str, Any]) -> None:
    refused(slot(world, world.officer("officer-a"), **wrong), "REQUEST_FORMAT", 400)


def test_withdrawal_of_a_face_consent_leaves_the_other_way_open(world: World) -> None:
    lender = world.lender()
    first, second = world.officer("officer-one"), world.officer("officer-two")
    booked = book(world, lender, slot(world, first).get_json()["id"]).get_json()
    lender.ask(world.web, "POST", "/v1/consents/withdraw", lender.me(kind="face"))
    world.clock.now += 3600
    for officer in (first, second):
        take(world, officer, booked["case"])
        decide(world, officer, booked["case"], "accept", "identity-document-checked")
    assert booked["ses"] in world.ledger.sessions


def test_what_the_officer_signed_is_kept(world: World) -> None:
    _, _, case = review(world)
    officer = world.officer("officer-one")
    take(world, officer, case)
    decide(world, officer, case)
    with world.database.read() as session:
        statement = session.execute(text("select statement from identity_decisions")).scalar_one()
    assert statement in officer.sent[-1]


def reviewed_with_evidence(world: World) -> tuple[Person, str, str]:
    """Return a lender with a review and the evidence of its face work; the check's id, the case's."""
    lender = world.lender()
    ses = base64url.encode(os.urandom(16))
    binding = Binding(Lender(INSTITUTION, lender.sub), lender.x5t, MEETING)
    checked = StubChecker().begin(CheckRequest({}, b"reference"))
    checked.feed(tuple(lender.frames("review")), None)
    result = checked.conclude()
    policy = world.service.parts.policy
    automatic = check_evidence(
        ses,
        binding,
        result,
        factor="enrolled-key",
        source="kyc-photo",
        policy=policy,
        opened_at=NOON,
        now=NOON + 9,
    )
    row = Check(
        ses=ses,
        nonce=base64url.encode(os.urandom(32)),
        institution=INSTITUTION,
        sub=lender.sub,
        key=lender.x5t,
        public_key=b"",
        scope=MEETING,
        factor="enrolled-key",
        state="review",
        opened_at=NOON,
        complete_before=NOON + 300,
        reasons="[]",
    )
    with world.database.write() as session:
        session.add(row)
        session.flush()
        case = world.service.parts.cases.open_review(
            session, ses, binding, {"distance": 412}, frames=[b"frame"], now=NOON, automatic=automatic
        )
    return lender, ses, case


def test_an_accepted_review_keeps_what_the_machine_measured_beside_what_officers_said(world: World) -> None:
    _, ses, case = reviewed_with_evidence(world)
    for name in ("officer-one", "officer-two"):
        officer = world.officer(name)
        take(world, officer, case)
        decide(world, officer, case)
    assert world.ledger.sessions[ses].method == "face-review-v1"
    evidence = jcs.loads(world.ledger.openings[ses].evidence)
    assert evidence["factors"] == ["face", "officer", "enrolled-key"]
    assert len(evidence["officers"]) == 2
    automatic = evidence["automatic"]
    assert automatic["decision"]["outcome"] == "review"
    assert automatic["decision"]["distance"] == 412
    assert automatic["basis"]["policy"] == {"id": "stub"}
    assert automatic["measured"]["pid"] == os.getpid()
    assert automatic["reference"]["source"] == "kyc-photo"
    assert len(automatic["frames"]) == 3


def test_what_the_machine_measured_is_sealed_with_the_case(world: World) -> None:
    _, _, case = reviewed_with_evidence(world)
    with world.database.read() as session:
        row = session.get_one(Case, case)
    assert row.automatic_encrypted is not None
    assert b"kyc-photo" not in row.automatic_encrypted
    assert "kyc-photo" not in row.finding


def test_an_attendance_can_not_be_decided_before_it_begins(world: World) -> None:
    lender = world.lender("none")
    officer = world.officer("officer-one")
    booked = book(world, lender, slot(world, officer).get_json()["id"]).get_json()
    answer = take(world, officer, booked["case"])
    refused(answer, "CASE_TOO_EARLY", 409)
    assert answer.headers["Retry-After"] == "3600"
    refused(decide(world, officer, booked["case"]), "CASE_TOO_EARLY", 409)
    world.clock.now += 3599
    refused(take(world, officer, booked["case"]), "CASE_TOO_EARLY", 409)
    world.clock.now += 1
    assert take(world, officer, booked["case"]).status_code == 200


def test_an_expired_certificate_is_no_officers(world: World) -> None:
    officer = world.officer("officer-one")
    world.clock.now = times.parse("2036-01-01T00:00:01Z")
    refused(officer.ask(world.web, "GET", "/v1/cases"), "OFFICER_CERTIFICATE", 403)


def test_a_certificate_that_is_not_valid_yet_can_not_be_entered(world: World) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    future = certificate("officer-one", key, begins=datetime(2027, 1, 1, tzinfo=UTC))
    with (
        world.database.write() as session,
        pytest.raises(ServiceRefused, match="OFFICER_CERTIFICATE"),
    ):
        appoint(session, INSTITUTION, future, world.clock())


def test_one_invitation_approves_one_key_only_whichever_way_comes_first(world: World) -> None:
    invited = Invited(world)
    invited.consent()
    first, second = world.officer("officer-one"), world.officer("officer-two")
    where = slot(world, first).get_json()["id"]
    own = ec.generate_private_key(ec.SECP256R1())
    other = base64url.encode(proofs.spki(own.public_key()))
    booked = invited.ask("/v1/bookings", slot=where, public_key=other).get_json()
    assert invited.check().get_json()["state"] == "approved"
    world.clock.now += 3600
    for officer in (first, second):
        take(world, officer, booked["case"])
        answer = decide(world, officer, booked["case"], "accept", "identity-document-checked")
        assert answer.status_code == 200
    body = world.web.get(f"/v1/checks/{booked['ses']}").get_json()
    assert (body["state"], [reason["code"] for reason in body["reasons"]]) == (
        "refused",
        ["INVITATION_INVALID"],
    )
    outcomes = world.service.parts.outcomes
    assert outcomes.approval(invited.lender, proofs.key_thumbprint(own.public_key())) is None


def test_a_number_that_no_frame_can_have_is_refused(world: World) -> None:
    _, _, case = review(world)
    officer = world.officer("officer-one")
    take(world, officer, case)
    answer = officer.ask(world.web, "GET", f"/v1/cases/{case}/frames/{2**70}")
    refused(answer, "CASE_NOT_FOUND", 404)


@pytest.mark.parametrize("starts_at", [2**63, 2**70, 10**30])
def test_a_slot_beyond_any_calendar_is_refused(world: World, starts_at: int) -> None:
    refused(slot(world, world.officer("officer-a"), starts_at=starts_at), "REQUEST_FORMAT", 400)
