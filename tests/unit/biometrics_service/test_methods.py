"""Methods tell apart who decided; a stand-in for a check says so, and no meeting takes it by default."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from biometrics.policy import default_policy
from biometrics.service import match_checker
from biometrics.service.officers import OFFICER_METHOD, REVIEW_METHOD
from client.enrolment.approvals import INSECURE_METHOD
from client.meetings.record import METHODS

if TYPE_CHECKING:
    import pytest


def test_meetings_take_what_the_identity_service_records_and_no_stand_in() -> None:
    assert set(METHODS) == {default_policy().method, REVIEW_METHOD, OFFICER_METHOD}
    for method in (match_checker.INSECURE_METHOD, INSECURE_METHOD):
        assert method.startswith("insecure-")
        assert method not in METHODS


def test_the_checker_without_liveness_names_itself_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        checker = match_checker.make()
    assert checker.method == "insecure-match"
    assert "NO LIVENESS" in caplog.text
