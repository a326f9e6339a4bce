"""The demonstration's identity checks, by the real service and the real models, without a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from biometrics.service.meetings import MeetingFacts
from client.demo.errors import DemoFailed
from client.demo.faces import FaceChecks
from client.demo.visitor import Visitor
from client.encodings import jcs
from client.encodings.records import Enrolment
from client.enrolment.evidence import Evidence
from client.enrolment.lender import LenderKey
from tests.unit.biometrics_service.doubles import (
    INSTITUTION,
    MEETING,
    EnrolmentsDouble,
    LedgerDouble,
    MeetingsDouble,
    certificate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.encodings.meeting import Meeting
    from client.sessions import SessionRecorder


class Recorder(LedgerDouble):
    """The ledger's double, with the evidence as the platform's recorder gives it back."""

    def evidence(self, ses: str) -> Evidence:
        opening = self.openings[ses]
        return Evidence(opening.salt, opening.evidence)


@dataclass
class Hall:
    checks: FaceChecks
    recorder: Recorder
    enrolments: EnrolmentsDouble
    meeting: Meeting

    def enrol(self, lender: LenderKey) -> LenderKey:
        """Certify an approved key as the enrolment does, method and commitment from the approval."""
        approved = self.checks.approvals.approval(INSTITUTION, lender.sub, lender.thumbprint)
        assert approved is not None
        der = certificate(lender.sub, lender.key)
        enrolled = LenderKey(INSTITUTION, lender.sub, lender.key, der)
        self.enrolments.by_sub[lender.sub] = Enrolment(
            sub=lender.sub,
            certificate=der,
            x5t=enrolled.x5t,
            institution=INSTITUTION,
            method=approved.method,
            commitment=Evidence(approved.opening.salt, approved.opening.evidence).commitment,
            status="active",
            rev=1,
        )
        return enrolled


@dataclass(frozen=True)
class Named:
    mtg: str = MEETING


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    recorder, enrolments, meetings = Recorder(), EnrolmentsDouble(), MeetingsDouble()
    meetings.by_id[MEETING] = MeetingFacts("announced", 2**33)
    checks = FaceChecks(tmp_path, cast("SessionRecorder", recorder), enrolments, meetings)
    with checks:
        yield Hall(checks, recorder, enrolments, cast("Meeting", Named()))


def test_a_lender_is_approved_enrolled_and_checked_and_a_photo_held_up_is_not(hall: Hall) -> None:
    key = LenderKey.generate(INSTITUTION, "c3VidGVzdHN1YnRlc3QxMg")
    assert hall.checks.approvals.approval(INSTITUTION, key.sub, key.thumbprint) is None
    hall.checks.approve(key)
    lender = hall.enrol(key)
    assert hall.enrolments.by_sub[key.sub].method == "face-v1"
    reason = hall.checks.check_with_photo(hall.meeting, lender)
    assert not hall.recorder.sessions
    assert reason in {"STEP_TIMEOUT", "FROZEN_FRAMES", "FLAT_FACE", "STEP_NOT_NEUTRAL"}
    passed = hall.checks.check(hall.meeting, lender)
    session = hall.recorder.sessions[passed.ses]
    assert (session.method, session.x5t, session.mtg) == ("face-v1", lender.x5t, MEETING)
    evidence: dict[str, Any] = jcs.loads(hall.recorder.openings[passed.ses].evidence)
    assert evidence["factors"] == ["face", "enrolled-key"]
    assert "liveness-active" in evidence["basis"]["checks"]
    assert 0 < float(passed.distance) < 0.5


def test_without_consents_no_check_begins(hall: Hall) -> None:
    key = LenderKey.generate(INSTITUTION, "c3VidGVzdHN1YnRlc3QxMg")
    lender = LenderKey(INSTITUTION, key.sub, key.key, certificate(key.sub, key.key))
    hall.enrolments.by_sub[key.sub] = Enrolment(
        sub=key.sub,
        certificate=lender.certificate or b"",
        x5t=lender.x5t,
        institution=INSTITUTION,
        method="insecure-demo",
        commitment="A" * 43,
        status="active",
        rev=1,
    )
    with pytest.raises(DemoFailed, match="CONSENT_MISSING"):
        Visitor(hall.checks._web, lender).open(MEETING)
