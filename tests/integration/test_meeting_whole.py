"""Whole meetings on the real network: from the roll to the result, and what must not happen on the way."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from client.cli.main import main
from client.encodings import jcs
from client.encodings.batch import encode_batch
from client.encodings.entries import raw_entry
from client.encodings.errors import Refused
from client.enrolment.issuer import to_der
from client.errors import Negative, UserError
from client.gateway.errors import EndorseError
from client.meetings.channel import look_up
from client.platform.chain import commit, refusal_code
from client.platform.models import Ballot
from client.platform.registers import load_meeting, roll_entry
from client.platform.verdicts import Verdicts
from client.receipts import ReceiptOffice, verify
from client.relay.batch import Limits
from client.services import ASSOCIATION, REGULATOR
from tests.integration.meeting_stage import INSTITUTION, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.encodings.ballot import SignedBallot
    from client.encodings.meeting import Meeting
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network
LENDERS = 20


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    opened = Stage.set(network.profile, tmp_path_factory.mktemp("whole"), LENDERS)
    yield opened
    opened.close()


def raw_batch(stage: Stage, meeting: Meeting, signed: SignedBallot, ack_time: int) -> bytes:
    found = roll_entry(stage.services.database, meeting.mtg, signed.ballot.sub)
    assert found is not None
    index, leaf = found
    tree = load_meeting(stage.services.database, meeting.mtg).tree
    proof = tree.run_path(index, meeting.roll.cap_height)
    entry = raw_entry(signed.compact, leaf.encode(), index=index, proof=proof, ack_no=1, ack_time=ack_time)
    return encode_batch(meeting.mtg, [entry])


@pytest.mark.usefixtures("home")
def test_a_whole_meeting_counts_every_ballot_exactly(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = stage.services
    meeting = stage.open()
    ballots = stage.ballots(meeting)
    limits = Limits(count=7, age=0.05)
    with services.relay(meeting.mtg, INSTITUTION, limits=limits) as relay:
        desk = services.desk(meeting.mtg, taken=relay.wake)
        taken = [desk.accept(signed.compact) for signed in ballots]
        relay.drain(60)
    assert [item.no for item in taken] == list(range(1, LENDERS + 1))

    stage.clock.advance(hours=2)
    stage.step(meeting.mtg, "closing")
    stage.step(meeting.mtg, "closed")
    result = services.convener(INSTITUTION).result(meeting.mtg)
    assert result == _expected(stage, meeting, ballots)

    lender_root = to_der(services.profile.org(INSTITUTION).roots["lender"].read_bytes())
    door_root = to_der(services.profile.org(ASSOCIATION).roots["identity"].read_bytes())
    office = ReceiptOffice(services.database, meeting.mtg, services.signer())
    for signed, item in zip(ballots, taken, strict=True):
        receipt = office.issue(item.digest)
        verified = verify(receipt.encode(), meeting, lender_root=lender_root, door_root=door_root)
        assert (verified.sub, verified.acknowledgement) == (signed.ballot.sub, item.no)
        block = services.gateway(REGULATOR, "officer").network(meeting.channel).contract("qscc")
        assert block.evaluate("GetBlockByTxID", meeting.channel, receipt.tx)
    with pytest.raises(Negative, match="CERT_CHAIN"):
        verify(receipt.encode(), meeting, lender_root=door_root, door_root=door_root)

    stage.step(meeting.mtg, "objections")
    stage.clock.advance(hours=1)
    convener = services.convener(INSTITUTION)
    with pytest.raises(EndorseError) as caught:
        convener.propose_step(meeting.mtg, "certified")
    assert refusal_code(caught.value) == "AUDIT_MISSING"
    monkeypatch.setenv("CONCORDAT_AUDIT_DATABASE_URL", f"sqlite:///{tmp_path / 'audit.db'}")
    database = str(services.database.engine.url)
    anchoring = ["audit", "anchor", meeting.mtg, "--database", database, "--report", str(tmp_path / "report")]
    assert main(anchoring) == 0
    stage.step(meeting.mtg, "certified")
    assert look_up(services.arbitration(REGULATOR, "officer", INSTITUTION), meeting.mtg).state == "certified"


def _expected(stage: Stage, meeting: Meeting, ballots: list[SignedBallot]) -> dict[str, object]:
    """Count in the plainest way."""
    leaves = {}
    for signed in ballots:
        found = roll_entry(stage.services.database, meeting.mtg, signed.ballot.sub)
        assert found is not None
        leaves[signed.ballot.sub] = found[1]
    names = ["*", *(entry.cls for entry in meeting.roll.classes)]

    def cell(signed: list[SignedBallot], name: str) -> list[int]:
        claims = [c.fen for s in signed for c in leaves[s.ballot.sub].claims if name in ("*", c.cls)]
        return [len(claims), sum(claims)]  # one claim a lender here

    motions = {}
    for motion in meeting.motions:
        by = {c: [s for s in ballots if s.ballot.votes[motion.id] == c] for c in motion.choices}
        yes, voted = cell(by["approve"], "*"), cell(by["approve"] + by["reject"], "*")
        present = cell(ballots, "*")
        pairs = [(yes[0], voted[0]), (present[1], meeting.roll.fen), (yes[1], present[1])]
        tests = [
            t.as_json()
            | {
                "numerator": n,
                "denominator": d,
                "required": d * t.fraction[0] // t.fraction[1] + 1
                if t.comparator == ">"
                else -(-d * t.fraction[0] // t.fraction[1]),
                "passed": n * t.fraction[1] > d * t.fraction[0]
                or (t.comparator == ">=" and n * t.fraction[1] == d * t.fraction[0]),
            }
            for t, (n, d) in zip(motion.rules.tests, pairs, strict=True)
        ]
        motions[motion.id] = {
            "choices": {c: {name: cell(by[c], name) for name in names} for c in motion.choices},
            "excluded": {name: [0, 0] for name in names},
            "tests": tests,
            "passed": all(test["passed"] for test in tests),
        }
    return {
        "v": 1,
        "mtg": meeting.mtg,
        "mh": meeting.mh,
        "ballots": len(ballots),
        "present": {name: cell(ballots, name) for name in names},
        "motions": motions,
    }


def test_a_step_that_the_regulator_has_not_confirmed_does_not_happen(stage: Stage) -> None:
    meeting = stage.announce()
    stage.clock.advance(minutes=1)
    services = stage.services
    step = services.convener(INSTITUTION).propose_step(meeting.mtg, "open")
    officer = services.arbitration(REGULATOR, "officer", INSTITUTION)
    assert services.supervisor(INSTITUTION).pending_step(meeting.mtg) == step
    assert look_up(officer, meeting.mtg).state == "announced"
    signed = stage.ballots(meeting)[0]
    relay = services.arbitration(ASSOCIATION, "relay", INSTITUTION)
    batch = raw_batch(stage, meeting, signed, int(stage.clock().timestamp()))
    with pytest.raises(EndorseError) as caught:
        commit(relay, "SubmitBallots", batch)
    assert refusal_code(caught.value) == "MEETING_NOT_OPEN"
    with pytest.raises(EndorseError) as caught:
        commit(officer, "ConfirmStep", meeting.mtg, replace(step, at=meeting.closes_at).digest)
    assert refusal_code(caught.value) == "STEP_MISMATCH"


def test_a_proposed_meeting_is_no_meeting_until_it_is_confirmed(stage: Stage) -> None:
    roll = stage.roll("m-draft")
    meeting, frozen = stage.build("m-draft", roll)
    stage.services.convener(INSTITUTION).propose(meeting, frozen)
    with pytest.raises(EndorseError) as caught:
        stage.services.convener(INSTITUTION).propose_step("m-draft", "open", at=meeting.opens_at)
    assert refusal_code(caught.value) == "MEETING_STATE"


def test_the_regulator_does_not_confirm_what_the_full_roll_does_not_give(stage: Stage) -> None:
    roll = stage.roll("m-wrong")
    meeting, frozen = stage.build("m-wrong", roll)
    stage.services.convener(INSTITUTION).propose(meeting, frozen)
    supervisor = stage.services.supervisor(INSTITUTION)
    leaf = roll[0].leaf
    heavier = replace(leaf, claims=(replace(leaf.claims[0], fen=leaf.claims[0].fen + 1),))
    with pytest.raises(Negative, match="root"):
        supervisor.confirm("m-wrong", [replace(roll[0], leaf=heavier), *roll[1:]])
    with pytest.raises(Negative, match="twice"):
        supervisor.confirm("m-wrong", [replace(roll[0], document=roll[1].document), *roll[1:]])
    with pytest.raises(Negative):
        supervisor.confirm("m-wrong", roll[1:])
    assert look_up(stage.services.arbitration(REGULATOR, "officer", INSTITUTION), "m-wrong").state == "draft"
    supervisor.confirm("m-wrong", roll)


def test_a_ballot_after_close_is_refused_at_the_door_and_on_the_channel(stage: Stage) -> None:
    meeting = stage.open()
    services = stage.services
    early, late, second = stage.ballots(meeting)[:3]
    services.desk(meeting.mtg).accept(early.compact)
    services.relay(meeting.mtg, INSTITUTION).drain(60)
    stage.clock.advance(hours=2, seconds=1)
    with pytest.raises(Refused) as refused:
        services.desk(meeting.mtg).accept(late.compact)
    assert refused.value.code == "BALLOT_LATE"
    after = int(stage.clock().timestamp())
    relay = services.arbitration(ASSOCIATION, "relay", INSTITUTION)
    answer = commit(relay, "SubmitBallots", raw_batch(stage, meeting, late, after)).result
    assert Verdicts.parse(answer, 1).of(0) == "BALLOT_LATE"
    stage.step(meeting.mtg, "closing")
    with pytest.raises(EndorseError) as caught:
        commit(relay, "SubmitBallots", raw_batch(stage, meeting, second, meeting.closes))
    assert refusal_code(caught.value) == "MEETING_NOT_OPEN"
    # The Regulator's door still brings what was acknowledged in time, and nothing else.
    second_door = services.arbitration(REGULATOR, "relay", INSTITUTION)
    answer = commit(second_door, "SubmitBallots", raw_batch(stage, meeting, late, after)).result
    assert Verdicts.parse(answer, 1).of(0) == "BALLOT_LATE"
    expires = int(stage.clock().timestamp()) - 2 * 3600
    answer = commit(second_door, "SubmitBallots", raw_batch(stage, meeting, second, expires)).result
    assert Verdicts.parse(answer, 1).of(0) == "accepted"
    # Who proposes the closing counts on its own peer, which may be a block behind the Regulator's.
    own = services.arbitration(INSTITUTION, "officer", INSTITUTION)
    for _ in range(200):
        if own.evaluate("GetBallot", meeting.mtg, second.ballot.sub) != b"null":
            break
        threading.Event().wait(0.05)
    stage.step(meeting.mtg, "closed")
    assert services.convener(INSTITUTION).result(meeting.mtg)["ballots"] == 2


def test_a_second_ballot_with_the_same_seq_is_refused_at_the_door_and_on_the_channel(stage: Stage) -> None:
    meeting = stage.open()
    services, key = stage.services, stage.keys[0]
    first = stage.ballots(meeting)[0]
    services.desk(meeting.mtg).accept(first.compact)
    services.relay(meeting.mtg, INSTITUTION).drain(60)
    ses = stage.sessions(meeting, [key])[0]
    other = key.sign(meeting, {"m1": "abstain", "m2": "abstain"}, ses=ses, iat=stage.clock())
    with pytest.raises(Refused) as refused:
        services.desk(meeting.mtg).accept(other.compact)
    assert refused.value.code == "SEQ_EQUIVOCATION"
    relay = services.arbitration(ASSOCIATION, "relay", INSTITUTION)
    batch = raw_batch(stage, meeting, other, int(stage.clock().timestamp()))
    assert Verdicts.parse(commit(relay, "SubmitBallots", batch).result, 1).of(0) == "SEQ_EQUIVOCATION"
    held = json.loads(relay.evaluate("GetBallot", meeting.mtg, key.sub))
    assert held["digest"] == first.digest


def test_a_closing_that_names_another_count_is_refused(stage: Stage) -> None:
    meeting = stage.open()
    stage.clock.advance(hours=2)
    stage.step(meeting.mtg, "closing")
    officer = stage.services.arbitration(INSTITUTION, "officer", INSTITUTION)
    regulator = stage.services.arbitration(REGULATOR, "officer", INSTITUTION)
    step = {"to": "closed", "at": meeting.closes_at, "ballots": 1, "subtotals": 1}
    digest = json.loads(commit(officer, "ProposeStep", meeting.mtg, jcs.dumps(step)).result)["digest"]
    with pytest.raises(EndorseError) as caught:
        commit(regulator, "ConfirmStep", meeting.mtg, digest)
    assert refusal_code(caught.value) == "CLOSE_COUNT"
    with pytest.raises(UserError, match="no result yet"):
        stage.services.convener(INSTITUTION).result(meeting.mtg)


def test_a_meeting_is_voided_with_a_reason(stage: Stage) -> None:
    meeting = stage.announce()
    stage.step(meeting.mtg, "void", reason="the plan was withdrawn")
    assert stage.services.convener(INSTITUTION).refresh(meeting.mtg).state == "void"


def test_acknowledged_is_what_the_channel_holds(stage: Stage) -> None:
    with stage.services.database.read() as session:
        left = select(func.count()).select_from(Ballot).where(Ballot.status != "committed")
        assert session.scalar(left) == 0
