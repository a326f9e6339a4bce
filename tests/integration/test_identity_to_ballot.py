"""Sessions that the identity service recorded, carried to ballots on the real network."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from biometrics.service import proofs
from client.gateway.errors import EndorseError, SubmitError
from client.services import ASSOCIATION
from tests.integration.meeting_stage import INSTITUTION
from tests.integration.test_identity_service_network import Platform
from tests.integration.test_meeting_refusals import Trouble, _renew, submit
from tests.unit.biometrics_service.doubles import send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from client.encodings.meeting import Meeting
    from client.enrolment.lender import LenderKey
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def platform(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    opened = Platform(
        network,
        tmp_path_factory.mktemp("carried"),
        lenders=8,
        announced=None,
        clock=lambda stage: int(stage.clock().timestamp()),
    )
    yield opened
    opened.close()


def checked(platform: Platform, number: int, meeting: Meeting) -> dict[str, Any]:
    """Have a lender pass a check for a meeting; return how it ended."""
    lender = platform.lender(number)
    opened = lender.open(platform.web, meeting.mtg).get_json()
    frames = lender.frames("over accept")
    proof = lender.prove(opened, frames, mtg=meeting.mtg)
    body: dict[str, Any] = send(platform.web, opened["ses"], proof, frames).get_json()
    assert body["state"] == "recorded", body
    return body


def settled(submitting: Callable[[], str]) -> str:
    """Return the verdict that all endorsers agree on.

    The last record on `identity` reaches one of them before another. As for the relay, a record that isn't
    found yet is no verdict (DESIGN section 4), and orderers that were too busy are asked again.
    """
    for _ in range(100):
        try:
            code = submitting()
        except EndorseError as error:
            if "do not match" not in str(error):
                raise
        except SubmitError:
            pass
        else:
            if not code.endswith("_NOT_FOUND"):
                return code
        threading.Event().wait(0.05)
    raise AssertionError("the endorsers never agreed")


def test_a_session_carries_one_ballot_of_its_own_lender_key_meeting_and_time(
    platform: Platform,
) -> None:
    stage = platform.stage
    meeting, elsewhere = stage.open(revote="last"), stage.announce()
    trouble = Trouble(stage, meeting)
    relay = stage.services.arbitration(ASSOCIATION, "relay", INSTITUTION)

    def cast(voter: int, ses: str, seq: int = 1, key: LenderKey | None = None) -> str:
        return settled(lambda: submit(relay, meeting, trouble.entry(trouble.sign(voter, ses, seq, key))))

    good = checked(platform, 0, meeting)["ses"]
    assert cast(0, good) == "accepted"
    assert cast(0, good) == "held"  # the same ballot once more: a repetition, counted once
    assert cast(0, good, seq=2) == "SESSION_USED"
    assert cast(1, checked(platform, 2, meeting)["ses"]) == "SESSION_FOREIGN_LENDER"
    assert cast(3, checked(platform, 3, elsewhere)["ses"]) == "SESSION_FOREIGN_MEETING"

    by_old_key = checked(platform, 4, meeting)["ses"]
    old = stage.keys[4]
    stage.revoke(old)
    new = _renew(stage, old)
    assert cast(4, by_old_key, key=new) == "SESSION_FOREIGN_KEY"

    late = checked(platform, 5, meeting)["ses"]
    stage.clock.advance(seconds=platform.service.parts.checker.valid_for + 1)
    assert cast(5, late) == "SESSION_EXPIRED"


def test_what_was_sent_before_or_too_late_opens_no_second_session(platform: Platform) -> None:
    stage = platform.stage
    meeting = stage.open()
    lender = platform.lender(6)
    opened = lender.open(platform.web, meeting.mtg).get_json()
    frames = lender.frames("over accept")
    proof = lender.prove(opened, frames, mtg=meeting.mtg)
    answer = send(platform.web, opened["ses"], proof, frames).get_json()
    assert answer["state"] == "recorded"
    # The same chunk once more is one whose answer was lost; any other comes too late.
    assert send(platform.web, opened["ses"], proof, frames).get_json() == answer
    more = lender.frames("over accept", since=1000)
    following = proofs.chunk_digest(opened["nonce"], 0, "", frames)
    proven = lender.prove(opened, more, mtg=meeting.mtg, chunk=1, previous=following)
    assert send(platform.web, opened["ses"], proven, more).get_json()["code"] == "CHECK_USED"

    again = lender.open(platform.web, meeting.mtg).get_json()
    assert send(platform.web, again["ses"], proof, frames).get_json()["code"] == "CHECK_REPLAYED"
    proven_anew = lender.prove(again, frames, mtg=meeting.mtg)
    assert send(platform.web, again["ses"], proven_anew, frames).get_json()["code"] == "CHECK_REPLAYED"

    other = platform.lender(7)
    slow = other.open(platform.web, meeting.mtg).get_json()
    stage.clock.advance(seconds=platform.service.parts.checker.complete_within + 1)
    frames = other.frames("over accept")
    late = send(platform.web, slow["ses"], other.prove(slow, frames, mtg=meeting.mtg), frames)
    assert late.get_json()["code"] == "CHECK_EXPIRED"
    for ses in (again["ses"], slow["ses"]):
        with pytest.raises(Exception, match="SESSION_NOT_FOUND"):
            platform.on_channel(ses)
