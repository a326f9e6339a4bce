"""Replay of amendments: an amended meeting verifies, and each forgery is found and named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.replay.meetings import MeetingState, verify_replaces
from client.encodings import jcs
from client.encodings.batch import encode_batch
from client.encodings.errors import Refused
from client.encodings.leaf import Claim
from client.encodings.meeting import Replaces
from tests.unit.auditor.amending_player import AmendingPlayer
from tests.unit.auditor.lenders import key, verdicts
from tests.unit.auditor.meeting_player import CHANNEL, MTG
from tests.vectors.scene import make_scene, motion

if TYPE_CHECKING:
    from auditor.errors import VerificationError
    from tests.unit.auditor.builder import Network

LITTLE = (Claim("individual", 7),)
MORE = (Claim("enterprise", 1_00), Claim("individual", 5_00))


@pytest.fixture
def player(fabric: Network) -> AmendingPlayer:
    player = AmendingPlayer(fabric).enrolled().opened()
    assert isinstance(player, AmendingPlayer)
    return player


def only(player: AmendingPlayer, step: int) -> VerificationError:
    found = player.follow().findings(CHANNEL)
    assert [one.step for one in found] == [step], [str(one) for one in found]
    return found[0]


def test_an_amended_meeting(player: AmendingPlayer) -> None:
    player.submit([("an", 1, {"m1": "reject"})]).submit([("bo", 2, {})])
    player.amend(an=LITTLE, bo=(), chen=MORE)
    player.held.pop("bo")
    player.submit([("chen", 3, {})])
    player.step("closing")
    player.amend(an=MORE)
    player.step("closed")
    verifier = player.follow()
    assert [str(one) for one in verifier.findings(CHANNEL)] == []
    meeting, count = verifier.meeting(CHANNEL, MTG), verifier.count(CHANNEL, MTG)
    assert meeting is not None
    assert count is not None
    assert meeting.result.encode() == player.result()
    assert count.ballots == 2
    tests = jcs.loads(player.result())["motions"]["m1"]["tests"]
    assert tests[1]["denominator"] == player.amended_roll["fen"] != player.scene.meeting.roll.fen


def test_lenders_added_and_taken_off_the_roll(player: AmendingPlayer) -> None:
    player.amend(an=(), bo=LITTLE)
    entries = [player.entry("an", 1), player.by_amendment("bo", 2), player.by_amendment("chen", 3)]
    looked_at = player.looked_at(*(player.ballot(name) for name in ("an", "bo", "chen")))
    signed = player.ballot("bo")
    writes: dict[str, bytes | None] = {**player.accept("bo", signed, 2)}
    player.held["bo"] = (player.scene.lenders["bo"], signed)
    tx = player.chain.next_transaction_id(player.relay)
    writes[key("subtotal", MTG, tx)] = player.subtotal({}, ["bo"])
    refused = verdicts(1, refused=[[0, "ROLL_PROOF", 0], [2, "ROLL_PROOF", 0]])
    player.run(player.relay, [b"SubmitBallots", encode_batch(MTG, entries)], refused, writes, looked_at)
    assert [str(one) for one in player.follow().findings(CHANNEL)] == []


def test_step_14_an_amendment_that_its_proposer_confirms(player: AmendingPlayer) -> None:
    made = player.amendment(an=LITTLE)
    player.propose(made).confirm(made, by=player.officer)
    assert "ConfirmAmendment" in str(only(player, 14))


def test_step_15_a_ballot_that_is_not_reweighed(player: AmendingPlayer) -> None:
    player.submit([("an", 1, {})])
    made = player.amendment(an=LITTLE)
    sub = player.scene.lenders["an"].sub
    player.propose(made).confirm(made, change={key("ballot", MTG, sub): None})
    assert "ballot" in str(only(player, 15))


def test_step_15_an_overlay_that_says_something_else(player: AmendingPlayer) -> None:
    made = player.amendment(an=LITTLE)
    player.propose(made).confirm(made, change={key("amendments", MTG): b"\x83\x01\x01\x80"})
    assert "amendments" in str(only(player, 15))


def test_step_15_a_count_that_is_not_corrected(player: AmendingPlayer) -> None:
    player.submit([("an", 1, {})])
    made = player.amendment(an=())
    player.propose(made).confirm(made)
    assert player.follow().findings(CHANNEL) == ()
    again = player.amendment(an=LITTLE)
    player.propose(again)
    forged = key("subtotal", MTG, player.chain.next_transaction_id(player.regulator))
    player.confirm(again, change={forged: b'{"ballots":0,"motions":{},"present":{},"v":1}'})
    assert "subtotal" in str(only(player, 15))


def test_step_15_an_amendment_that_never_looked_at_the_ballots(player: AmendingPlayer) -> None:
    made = player.amendment(chen=LITTLE)
    unread = key("ballot", MTG, player.scene.lenders["chen"].sub)
    player.propose(made).confirm(made, unread=[unread])
    assert "without looking at" in str(only(player, 15))


def test_step_15_a_batch_that_never_looked_at_the_amendments(player: AmendingPlayer) -> None:
    looked_at = set(player.looked_at(player.ballot("an"))) - {key("amendments", MTG)}
    player.submit([("an", 1, {})], reads=sorted(looked_at))
    assert "without looking at" in str(only(player, 15))


def test_step_15_an_amendment_that_nobody_proposed(player: AmendingPlayer) -> None:
    player.confirm(player.amendment(an=LITTLE))
    assert "AMENDMENT_MISMATCH" in str(only(player, 15))


def test_step_15_another_amendment_than_the_one_proposed(player: AmendingPlayer) -> None:
    player.propose(player.amendment(an=MORE))
    player.confirm(player.amendment(an=LITTLE))
    assert "AMENDMENT_MISMATCH" in str(only(player, 15))


def test_step_15_an_amendment_of_a_closed_meeting(player: AmendingPlayer) -> None:
    player.closed()
    player.propose(player.amendment(an=LITTLE))
    assert "MEETING_STATE" in str(only(player, 15))


def test_step_15_claims_that_the_ballot_does_not_count_with(player: AmendingPlayer) -> None:
    player.submit([("an", 1, {})])
    made = player.amendment(an=LITTLE)
    wrong = replace(made, changes=(replace(made.changes[0], before=None),))
    player.propose(wrong)
    assert "AMENDMENT_CLAIMS" in str(only(player, 15))


# -- meetings in the place of others -------------------------------------------------------------------


def before(state: str, **passed: bool) -> MeetingState:
    record = make_scene("first", 0).meeting
    result = jcs.dumps({"motions": {name: {"passed": value} for name, value in passed.items()}})
    return MeetingState(record, (), state=state, result=result)


def successor(why: Any, *motions: str, mh: str | None = None) -> Any:
    record = make_scene("second", 0, motions=[motion(name) for name in motions or ("m1",)]).meeting
    named = make_scene("first", 0).meeting
    return replace(record, replaces=Replaces("first", mh or named.mh, why))


@pytest.mark.parametrize(
    ("meeting", "others"),
    [
        pytest.param(successor("postponed"), {}, id="no such meeting"),
        pytest.param(successor("postponed", mh="A" * 43), {"first": before("void")}, id="another record"),
        pytest.param(successor("postponed"), {"first": before("open")}, id="postponed, not void"),
        pytest.param(successor("second-vote"), {"first": before("closing")}, id="no result"),
        pytest.param(successor("second-vote"), {"first": before("void", m1=False)}, id="a void result"),
        pytest.param(successor("second-vote"), {"first": before("closed", m1=True)}, id="it passed"),
        pytest.param(
            successor("second-vote", "m1", "m2"), {"first": before("closed", m1=False)}, id="a new motion"
        ),
        pytest.param(
            successor("postponed"),
            {"first": replace(before("void"), successor="third")},
            id="in whose place another is",
        ),
    ],
)
def test_a_meeting_that_is_not_in_anothers_place(meeting: Any, others: dict[str, MeetingState]) -> None:
    with pytest.raises(Refused) as caught:
        verify_replaces(meeting, others)
    assert caught.value.code == "MEETING_REPLACES"


@pytest.mark.parametrize(
    ("meeting", "other"),
    [
        (successor("postponed"), before("void")),
        (successor("second-vote"), before("certified", m1=False, m2=True)),
        (replace(successor("postponed"), replaces=None), before("open")),
    ],
)
def test_a_meeting_in_anothers_place(meeting: Any, other: MeetingState) -> None:
    verify_replaces(meeting, {"first": other})
