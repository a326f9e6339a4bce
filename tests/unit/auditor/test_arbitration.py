"""Replay of an arbitration channel: a whole meeting verifies, and each forgery is found and named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cbor2
import pytest

from client.encodings.ballot import sign_ballot
from client.encodings.batch import CompactEntry, encode_batch
from client.encodings.entries import compact_entry
from tests.unit.auditor.lenders import canonical, key, verdicts
from tests.unit.auditor.meeting_player import CHANNEL, MTG, Player
from tests.vectors.scene import ACK_TIME

if TYPE_CHECKING:
    from auditor.errors import VerificationError
    from tests.unit.auditor.builder import Network


@pytest.fixture
def player(fabric: Network) -> Player:
    return Player(fabric).enrolled().opened()


def findings(player: Player) -> tuple[VerificationError, ...]:
    return player.follow().findings(CHANNEL)


def only(player: Player, step: int) -> VerificationError:
    found = findings(player)
    assert [one.step for one in found] == [step], [str(one) for one in found]
    return found[0]


def unsigned(player: Player, name: str, number: int) -> CompactEntry:
    entry = player.entry(name, number)
    assert isinstance(entry, CompactEntry)
    return replace(entry, signature=bytes(64))


def test_a_whole_meeting(player: Player) -> None:
    player.submit([("an", 1, {}), ("bo", 2, {"m2": "reject"})])
    player.submit([("chen", 3, {"m1": "abstain"})], raw=True)
    player.step("closing").submit([("ding", 1, {})], by=player.second).step("closed")
    verifier = player.follow()
    assert verifier.findings(CHANNEL) == ()
    meeting, count = verifier.meeting(CHANNEL, MTG), verifier.count(CHANNEL, MTG)
    assert meeting is not None
    assert count is not None
    assert (meeting.state, count.ballots, len(meeting.accepted)) == ("closed", 4, 4)
    assert meeting.result.encode() == player.result()
    assert count.outcome is not None
    margins = {name: motion.pop("margin") for name, motion in count.outcome.items()}
    (short,) = (test for test in count.outcome["m1"]["tests"] if not test["passed"])
    missing = short["required"] - short["numerator"]  # all of the base were present, and can only turn
    assert margins["m1"] == {"needs": "all", "switch": {"fen": missing}, "add": None}
    assert margins["m2"]["switch"]["heads"] == 1  # three heads of four
    assert count.outcome == {
        name: {"passed": motion["passed"], "tests": motion["tests"]}
        for name, motion in json.loads(player.result())["motions"].items()
    }
    numbers = {door: set(given) for door, given in meeting.numbers.items()}
    assert numbers == {"AssociationMSP": {1, 2, 3}, "RegulatorMSP": {1}}
    assert set(meeting.sessions) == {player.scene.session(one).ses for one in player.scene.lenders.values()}
    signed = player.ballot("an")
    held = meeting.accepted[signed.digest]
    assert (held.jws, held.ack_no, held.door, held.block) == (signed.compact, 1, "AssociationMSP", 5)
    assert held.choices == '{"m1":"approve","m2":"approve"}'
    assert held.claims == '[{"class":"individual","fen":1234567}]'


def test_no_running_choices(player: Player) -> None:
    count = player.submit([("an", 1, {})]).follow().count(CHANNEL, MTG)
    assert count is not None
    assert (count.ballots, count.tally, count.outcome) == (1, None, None)


def test_revotes(fabric: Network) -> None:
    player = Player(fabric, revote="last").enrolled(sessions=2).opened()
    player.submit([("an", 1, {})]).submit([("an", 2, {"seq": 2, "m1": "reject"}), ("bo", 3, {})]).closed()
    verifier = player.follow()
    assert verifier.findings(CHANNEL) == ()
    count = verifier.count(CHANNEL, MTG)
    assert count is not None
    assert count.ballots == 2
    assert count.tally is not None
    assert count.tally["motions"]["m1"]["choices"]["reject"]["*"] == [1, 1234567]


def test_refused_held_and_pending_entries(player: Player) -> None:
    player.submit([("an", 1, {})])
    wrong = unsigned(player, "chen", 3)
    twice = player.entry("chen", 4)
    # Every leaf of so small a roll is a node of its cap: another place on the roll, not another proof.
    again = player.entry("ding", 5)
    assert isinstance(again, CompactEntry)
    again = replace(again, index=(again.index + 1) % 7)
    late = replace(player.entry("zeng", 6), ack_time=ACK_TIME + 10**6)
    entries = [player.entry("an", 1), player.entry("an", 7, m1="reject"), wrong, twice, again, late]
    response = verdicts(
        0,
        held=[0],
        refused=[
            [1, "BATCH_DUPLICATE_VOTER", 0],
            [2, "SIGNATURE_INVALID", 1],
            [3, "BATCH_DUPLICATE_VOTER", 0],
            [4, "ROLL_PROOF", 0],
            [5, "BALLOT_LATE", 0],
        ],
    )
    looked_at = player.looked_at(*(player.ballot(name) for name in ("an", "chen", "ding", "zeng")))
    player.run(player.relay, [b"SubmitBallots", encode_batch(MTG, entries)], response, {}, looked_at)
    unknown = player.entry("bo", 8, seq=2)  # its session is the second, which was never recorded
    player.run(
        player.relay,
        [b"SubmitBallots", encode_batch(MTG, [unknown])],
        verdicts(0, pending=[[0, "SESSION_NOT_FOUND"]]),
        {},
        player.looked_at(player.ballot("bo")),
    )
    verifier = player.follow()
    assert [str(one) for one in verifier.findings(CHANNEL)] == []
    meeting = verifier.meeting(CHANNEL, MTG)
    assert meeting is not None
    assert sorted(one.code for one in meeting.refused.values()) == [
        "BALLOT_LATE",
        "ROLL_PROOF",
        "SIGNATURE_INVALID",
    ]


def test_a_verdict_names_the_revision_it_relied_on(player: Player) -> None:
    # The identity channel may be ahead: the key was good when the ballot was accepted.
    player.submit([("an", 1, {})])
    player.revoke(player.scene.lenders["an"])
    player.revoke(player.scene.lenders["bo"])
    player.run(
        player.relay,
        [b"SubmitBallots", encode_batch(MTG, [player.entry("bo", 2)])],
        verdicts(0, refused=[[0, "KEY_REVOKED", 2]]),
        {},
        player.looked_at(player.ballot("bo")),
    )
    assert findings(player) == ()


def test_step_14_a_second_relay(player: Player) -> None:
    player.submit([("an", 1, {})], by=player.chain.network.person("ArbitrationMSP", "relay"))
    only(player, 14)


def test_step_15_ballots_before_the_meeting_opens(fabric: Network) -> None:
    assert (
        only(Player(fabric).enrolled().announced().submit([("an", 1, {})]), 15).expected == "MEETING_NOT_OPEN"
    )


def test_step_15_the_platform_s_door_while_closing(player: Player) -> None:
    assert only(player.step("closing").submit([("an", 1, {})]), 15).expected == "MEETING_NOT_OPEN"


def test_step_15_a_step_too_early(fabric: Network) -> None:
    player = Player(fabric).enrolled().announced().step("open", at="2026-03-01T00:00:00Z")
    assert {one.expected for one in findings(player)} == {"STEP_EARLY", "STEP_NOT_PROPOSED"}


def test_step_15_a_step_that_nobody_proposed(player: Player) -> None:
    tx = player.chain.next_transaction_id(player.regulator)
    player.run(
        player.regulator,
        [b"ConfirmStep", MTG.encode(), b"x"],
        b"{}",
        {key("state", MTG): canonical({"v": 1, "state": "closing", "tx": tx})},
    )
    assert only(player, 15).expected == "STEP_NOT_PROPOSED"


def test_what_can_concern_another_meeting_alone_is_an_alarm_here(player: Player) -> None:
    player.submit([("an", 1, {}), ("bo", 1, {})])  # one number twice: a verdict's finding
    player.submit([("chen", 2, {})], change=forged_ballot(player, 7, 2, "chen"))  # and a write's
    verifier = player.follow()
    assert [one.mtg for one in verifier.findings(CHANNEL, MTG)] == [MTG, MTG]
    assert verifier.alarms(CHANNEL, MTG) == ()
    assert verifier.findings(CHANNEL, "another") == ()
    (alarm,) = verifier.alarms(CHANNEL, "another")
    assert (alarm.kind, alarm.subject, alarm.count) == ("other-meeting", MTG, 2)


@pytest.mark.parametrize("numbers", [(1, 2), (1, 1)], ids=["writes", "numbers"])
@pytest.mark.parametrize("other", [key("state", "another"), "loose"])
def test_what_touched_other_records_too_concerns_every_meeting(
    player: Player, other: str, numbers: tuple[int, int]
) -> None:
    first, second = numbers
    player.submit([("an", first, {}), ("bo", second, {})], change={other: b"{}"})
    verifier = player.follow()
    for mtg in (MTG, "another", "a third"):
        assert [one.mtg for one in verifier.findings(CHANNEL, mtg)] == [""]


def test_a_batch_that_wrote_another_meeting_s_records_alone_concerns_every_meeting(player: Player) -> None:
    batch = [b"SubmitBallots", encode_batch(MTG, [player.entry("an", 1)])]
    forged: dict[str, bytes | None] = {key("state", "another"): b"{}"}
    player.run(player.relay, batch, verdicts(1), forged, player.looked_at(player.ballot("an")))
    assert [one.mtg for one in player.follow().findings(CHANNEL, MTG)] == [""]


def test_what_had_to_be_refused_concerns_every_meeting(player: Player) -> None:
    forged = {key("state", MTG): b"{}"}
    player.run(player.regulator, [b"ConfirmStep", MTG.encode(), b"x"], b"{}", forged)
    assert [one.mtg for one in player.follow().findings(CHANNEL, "another")] == [""]


def test_what_failed_on_the_identity_channel_concerns_every_meeting(player: Player) -> None:
    """Its records have a pseudonym where the other channels' have a meeting."""
    sub = player.scene.lenders["an"].sub
    revoke = [b"Revoke", canonical({"sub": sub, "reason": "lost"})]
    player.identity.add(
        player.identity.invoke(
            player.regulator, "identity", revoke, response=b"{}", writes={key("enrolment", sub): b"{}"}
        )
    )
    assert [one.mtg for one in player.follow().findings(CHANNEL, "another")] == [""]


def forged_ballot(player: Player, member: int, value: Any, lender: str = "an") -> dict[str, bytes | None]:
    name, record = next(iter(player.accept(lender, player.ballot(lender), 1).items()))
    items = cbor2.loads(record)
    items[member] = value
    return {name: cbor2.dumps(items)}


@pytest.mark.parametrize(
    ("member", "value"),
    [
        (9, [1, 0]),
        (4, [[1, 12345670]]),
        (5, bytes(32)),
        (7, 2),
        (3, ACK_TIME - 60),
        (2, 2),
        (1, 1),
        (8, bytes(16)),
    ],
    ids=["votes", "claims", "digest", "seq", "time", "number", "door", "session"],
)
def test_step_15_a_ballot_record_with_one_member_changed(player: Player, member: int, value: Any) -> None:
    only(player.submit([("an", 1, {})], change=forged_ballot(player, member, value)), 15)


def test_step_15_a_forged_subtotal(player: Player) -> None:
    tx = player.chain.next_transaction_id(player.relay)
    change: dict[str, bytes | None] = {key("subtotal", MTG, tx): canonical({"v": 1, "ballots": 9})}
    assert "subtotal" in only(player.submit([("an", 1, {})], change=change), 15).reason


def twice(fabric: Network) -> Player:
    return Player(fabric, revote="last").enrolled(sessions=2).opened().submit([("an", 1, {})])


def test_step_15_a_session_not_written_down_as_used(fabric: Network) -> None:
    player = twice(fabric)
    name = key("session", MTG, player.ballot("an").ballot.ses)
    found = only(player.submit([("an", 2, {"seq": 2})], change={name: None}), 15)
    assert "no write" in str(found)


def test_a_session_used_twice(fabric: Network) -> None:
    player = twice(fabric).submit([("an", 2, {"seq": 2})])
    scene, lender = player.scene, player.scene.lenders["an"]
    first, last = (player.ballot("an", seq=seq).ballot for seq in (1, 2))
    for number, ses in enumerate((first.ses, last.ses), start=3):
        signed = sign_ballot(replace(last, seq=3, ses=ses), lender.x5t, lender.key)
        entry = compact_entry(
            signed,
            scene.meeting,
            scene.leaf(lender),
            index=scene.index(lender),
            proof=scene.proof(lender),
            ack_no=number,
            ack_time=ACK_TIME,
        )
        player.run(
            player.relay,
            [b"SubmitBallots", encode_batch(MTG, [entry])],
            verdicts(0, refused=[[0, "SESSION_USED", 1]]),
            {},
            player.looked_at(signed),
        )
    assert findings(player) == ()


@pytest.mark.parametrize("kind", ["ballot", "session", "state", "cap", "meeting"])
def test_step_15_a_verdict_without_a_look(fabric: Network, kind: str) -> None:
    """Peers find conflicts by what batches read: one that read nothing conflicts with none."""
    player = twice(fabric)
    reads = player.looked_at(player.ballot("an", seq=2))
    reads = [name for name in reads if not name.startswith(f"\x00{kind}\x00")]
    found = only(player.submit([("an", 2, {"seq": 2})], reads=reads), 15)
    assert kind in found.reason
    assert (found.expected, found.found) == ("a read", "none")


REPLACES = {"mtg": "before", "mh": "A" * 43, "why": "postponed"}


def test_step_15_a_meeting_in_the_place_of_none(fabric: Network) -> None:
    assert only_code(Player(fabric, replaces=REPLACES).enrolled().announced()) == "MEETING_REPLACES"


def only_code(player: Player) -> Any:
    return findings(player)[0].expected


def test_step_15_an_injected_ballot(player: Player) -> None:
    extra = player.accept("bo", player.ballot("bo"), 2)
    only(player.submit([("an", 1, {})], change=extra), 15)


def test_step_16_a_good_ballot_refused(player: Player) -> None:
    player.run(
        player.relay,
        [b"SubmitBallots", encode_batch(MTG, [player.entry("an", 1)])],
        verdicts(0, refused=[[0, "SIGNATURE_INVALID", 1]]),
        {},
    )
    found = only(player, 16)
    assert (found.expected, found.found) == ("accepted", "refused SIGNATURE_INVALID")
    assert found.ballot == player.ballot("an").digest


def test_step_16_a_bad_signature_accepted(player: Player) -> None:
    entry = unsigned(player, "an", 1)
    player.run(
        player.relay,
        [b"SubmitBallots", encode_batch(MTG, [entry])],
        verdicts(1),
        player.accept("an", player.ballot("an"), 1),
    )
    found = only(player, 16)
    assert (found.expected, found.found) == ("refused SIGNATURE_INVALID", "accepted")


def test_step_16_a_session_that_identity_does_not_have(player: Player) -> None:
    signed = player.ballot("an", seq=2)  # its session is the second, which was never recorded
    entry = player.entry("an", 1, seq=2)
    player.run(
        player.relay,
        [b"SubmitBallots", encode_batch(MTG, [entry])],
        verdicts(1),
        player.accept("an", signed, 1),
    )
    assert only(player, 16).expected == "pending SESSION_NOT_FOUND"


def test_step_16_two_ballots_of_one_voter(player: Player) -> None:
    player.submit([("an", 1, {})])
    signed = player.ballot("an", m1="reject")
    player.run(
        player.relay,
        [b"SubmitBallots", encode_batch(MTG, [player.entry("an", 2, m1="reject")])],
        verdicts(1),
        player.accept("an", signed, 2),
    )
    assert only(player, 16).expected == "refused SEQ_EQUIVOCATION"


def test_step_17_a_revision_that_never_was(player: Player) -> None:
    found = only(player.submit([("an", 1, {})], change=forged_ballot(player, 6, 7)), 17)
    assert found.found == 7


def test_step_18_one_acknowledgement_number_twice(player: Player) -> None:
    found = only(player.submit([("an", 1, {}), ("bo", 1, {})]), 18)
    assert found.ballot == player.ballot("bo").digest


def test_step_19_a_meeting_of_another_network(fabric: Network) -> None:
    named = {"identity": "00" * 32, CHANNEL: "11" * 32}
    only(Player(fabric, genesis=named).enrolled().announced(), 19)


def test_step_20_a_forged_result(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    player.submit([("an", 1, {})])
    honest = player.result()
    forged = honest.replace(b'"passed":false', b'"passed":true')
    monkeypatch.setattr(player, "result", lambda: forged)
    found = only(player.closed(), 20)
    assert (found.expected, found.found) == (honest.decode(), forged.decode())


def test_a_wrong_count_at_closing(player: Player) -> None:
    player.submit([("an", 1, {})]).step("closing").step("closed", ballots=2)
    assert only(player, 15).expected == "CLOSE_COUNT"
