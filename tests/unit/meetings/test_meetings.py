from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from client.encodings import base64url, cbor, jcs, merkle
from client.encodings.errors import Refused
from client.encodings.leaf import Claim, Leaf
from client.encodings.meeting import meeting_from_json
from client.encodings.step import parse_step
from client.errors import Negative, UserError
from client.gateway.errors import EndorseError
from client.gateway.protos import common_pb2
from client.meetings import channel as channels
from client.meetings.convener import Convener
from client.meetings.genesis import genesis_of, header_hash, read_genesis
from client.meetings.profiles import motion, rules
from client.meetings.record import FrozenRoll, build_meeting
from client.meetings.supervisor import RollLine, Supervisor, verify_roll
from client.platform.models import Ballot, Meeting, MeetingStep, Result, RollEntry
from client.platform.registers import load_meeting
from tests.ledger import Faults, Ledger, LedgerContract, Refusal, Stub
from tests.unit.meetings.amending import Amending
from tests.unit.platform.scene import GENESIS, INSTITUTION, OPENS

if TYPE_CHECKING:
    from client.encodings.meeting import Meeting as MeetingRecord
    from client.platform import Database


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers don't lag behind each other here."""
    monkeypatch.setattr("client.platform.chain.LAG_SECONDS", 0.0)
    monkeypatch.setattr(channels.wait_until, "__defaults__", (0.0,))


@dataclass
class Arbitration(Amending):
    """The life of meetings with the real answers' form: two steps, the Regulator's second."""

    result: dict[str, Any] = field(default_factory=lambda: {"v": 1, "ballots": 0})

    def contract(self, caller: str, faults: Faults | None = None) -> LedgerContract:
        if not hasattr(self, "ledger"):
            names = "ProposeMeeting ConfirmMeeting ProposeStep ConfirmStep GetMeeting GetResult ListMeetings"
            names += " ProposeAmendment ConfirmAmendment GetAmendments"
            self.ledger = Ledger({name: getattr(self, name) for name in names.split()})
        return self.ledger.contract(caller, faults)

    def ProposeMeeting(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:  # noqa: N802
        record = jcs.loads_canonical(arguments[0])
        cap = cbor.loads(arguments[1])
        meeting = meeting_from_json(record)
        meeting.roll.verify_cap(cap)
        self._put(stub, meeting.mtg, record=record, mh=meeting.mh, state="draft")
        return b"{}"

    def ConfirmMeeting(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:  # noqa: N802
        view = self._get(stub, arguments[0].decode())
        assert view["mh"] == arguments[1].decode()
        self._put(stub, **{**view, "state": "announced"})
        return b"{}"

    def ProposeStep(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:  # noqa: N802
        view = self._get(stub, arguments[0].decode())
        self._put(stub, **{**view, "pending": {"v": 1, "step": jcs.loads(arguments[1])}})
        return b"{}"

    def ConfirmStep(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:  # noqa: N802
        view = self._get(stub, arguments[0].decode())
        if "pending" not in view:
            raise Refusal("STEP_NOT_PROPOSED: No step is waiting for confirmation; propose the step first.")
        step = parse_step(jcs.dumps(view.pop("pending")["step"]))
        if step.digest != arguments[1].decode():
            raise Refusal("STEP_MISMATCH: The step waiting is not the one confirmed.")
        extra = {"count": {"ballots": 3, "subtotals": 2}} if step.to == "closing" else {}
        self._put(stub, **{**view, "state": step.to, **extra})
        return b"{}"

    def GetMeeting(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:  # noqa: N802
        return jcs.dumps(self._get(stub, arguments[0].decode()))

    def GetResult(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:  # noqa: N802
        if self._get(stub, arguments[0].decode())["state"] != "closed":
            raise Refusal("MEETING_STATE: The meeting's state doesn't allow this step.")
        return jcs.dumps(self.result)

    def ListMeetings(self, stub: Stub, arguments: tuple[bytes, ...]) -> bytes:  # noqa: N802
        del stub, arguments
        return b"[]"

    def _get(self, stub: Stub, mtg: str) -> dict[str, Any]:
        value = stub.get(mtg)
        if value is None:
            raise Refusal(f"MEETING_NOT_FOUND: There is no meeting with this id on the channel. ({mtg})")
        view: dict[str, Any] = {"mtg": mtg, **json.loads(value)}
        return view

    def _put(self, stub: Stub, mtg: str, **view: Any) -> None:
        stub.put(mtg, jcs.dumps(view))


def roll_lines(mtg: str = "m-1", size: int = 9) -> list[RollLine]:
    return [
        RollLine(
            Leaf(mtg, base64url.encode(bytes([number] * 16)), claims(number), bytes([number] * 16)),
            ("passport", f"E{number}"),
        )
        for number in range(size)
    ]


def claims(number: int) -> tuple[Claim, ...]:
    first = Claim("individual", 100 + number)
    return (first, Claim("wealth-plan", 5)) if number % 3 == 0 else (first,)


def hold(lines: list[RollLine], mtg: str = "m-1", **changes: Any) -> tuple[MeetingRecord, FrozenRoll]:
    roll = FrozenRoll.freeze([line.leaf for line in lines], "2026-03-01T00:00:00Z")
    parts: dict[str, Any] = {
        "mtg": mtg,
        "institution": INSTITUTION,
        "title": "Meeting",
        "roll": roll.summary,
        "motions": [motion("m1", "Plan"), motion("m2", "Committee")],
        "opens_at": "2026-03-02T08:00:00Z",
        "closes_at": "2026-03-02T10:00:00Z",
        "objections_until": "2026-03-09T10:00:00Z",
        "genesis": GENESIS,
    }
    return build_meeting(**(parts | changes)), roll


@pytest.fixture
def arbitration() -> Arbitration:
    return Arbitration()


def convener(database: Database, arbitration: Arbitration, faults: Faults | None = None) -> Convener:
    return Convener(database, arbitration.contract("InstitutionAMSP/officer", faults), clock=lambda: OPENS)


def supervisor(arbitration: Arbitration) -> Supervisor:
    return Supervisor(arbitration.contract("RegulatorMSP/officer"), GENESIS, clock=lambda: OPENS)


# -- the roll and the record ------------------------------------------------------------------------------


def test_the_frozen_roll_is_that_of_a_naive_tree() -> None:
    lines = roll_lines()
    roll = FrozenRoll.freeze([line.leaf for line in reversed(lines)], "2026-03-01T00:00:00Z")

    def naive(hashes: list[bytes]) -> bytes:
        if len(hashes) == 1:
            return hashes[0]
        split = 1 << ((len(hashes) - 1).bit_length() - 1)
        return merkle.node_hash(naive(hashes[:split]), naive(hashes[split:]))

    ordered = sorted((line.leaf for line in lines), key=lambda leaf: leaf.sub)
    assert list(roll.leaves) == ordered
    assert roll.summary.root == naive([leaf.hash() for leaf in ordered])
    assert (roll.summary.heads, roll.summary.fen) == (9, sum(leaf.fen for leaf in ordered))
    figures = [(total.cls, total.heads, total.fen) for total in roll.summary.classes]
    assert figures == [("individual", 9, 936), ("wealth-plan", 3, 15)]
    roll.summary.verify_cap(cbor.loads(roll.cap))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "empty"),
        (roll_lines()[:1] * 2, "twice"),
        ([*roll_lines(), RollLine(replace(roll_lines(size=10)[9].leaf, mtg="m-2"), "x")], "several meetings"),
    ],
)
def test_a_roll_that_is_none_is_refused(lines: list[RollLine], why: str) -> None:
    with pytest.raises(UserError, match=why):
        FrozenRoll.freeze([line.leaf for line in lines], "2026-03-01T00:00:00Z")


@pytest.mark.parametrize(
    "changes",
    [
        {"closes_at": "2026-03-02T08:00:00Z"},
        {"mtg": "No Meeting"},
        {"methods": []},
        {"motions": []},
        {"genesis": {"identity": "a" * 64}},
        {"revote": "always"},
    ],
)
def test_a_record_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="MEETING_FORMAT"):
        hold(roll_lines(), **changes)


def test_the_default_profile_is_the_exit_rule() -> None:
    tests = [(t["count"], t["base"], t["unit"], t["comparator"], t["fraction"]) for t in rules()["tests"]]
    assert tests == [
        ("yes", "voted", "heads", ">", [1, 2]),
        ("present", "eligible", "fen", ">=", [2, 3]),
        ("yes", "present", "fen", ">", [1, 2]),
    ]
    with pytest.raises(UserError, match="cn-p2p-exit"):
        rules("nobody's")


# -- proposing and confirming ------------------------------------------------------------------------------


def test_a_proposed_meeting_is_kept_with_its_roll(database: Database, arbitration: Arbitration) -> None:
    lines = roll_lines()
    meeting, roll = hold(lines)
    convener(database, arbitration).propose(meeting, roll)
    kept = load_meeting(database, "m-1")
    assert (kept.meeting.record, kept.tree.root) == (meeting.record, roll.tree.root)
    assert list(kept.cap) == list(roll.tree.cap(roll.summary.cap_height))


def test_a_proposal_that_nobody_endorses_leaves_nothing(database: Database, arbitration: Arbitration) -> None:
    meeting, roll = hold(roll_lines())
    with pytest.raises(EndorseError):
        convener(database, arbitration, Faults.of(["down"])).propose(meeting, roll)
    with database.read() as session:
        assert session.scalars(select(Meeting)).all() == []
        assert session.scalars(select(RollEntry)).all() == []


def test_a_proposal_with_a_lost_answer_is_kept_and_may_be_repeated(
    database: Database, arbitration: Arbitration
) -> None:
    meeting, roll = hold(roll_lines())
    with pytest.raises(Exception, match="no answer"):
        convener(database, arbitration, Faults.of(["ok", "lost"])).propose(meeting, roll)
    convener(database, arbitration).propose(meeting, roll)
    assert load_meeting(database, "m-1").meeting == meeting


def test_a_second_record_under_an_id_on_the_channel_is_refused_and_the_first_one_stays(
    database: Database, arbitration: Arbitration
) -> None:
    lines = roll_lines()
    meeting, roll = hold(lines)
    convener(database, arbitration).propose(meeting, roll)
    other, _ = hold(lines, title="Another")
    for state in ("draft", "announced"):
        with pytest.raises(UserError, match="another record") as caught:
            convener(database, arbitration).propose(other, roll)
        assert caught.value.code == "MEETING_EXISTS"
        kept = load_meeting(database, "m-1")
        assert (kept.meeting.record, kept.tree.root) == (meeting.record, roll.tree.root)
        if state == "draft":
            supervisor(arbitration).confirm("m-1", lines)


def test_the_regulator_confirms_what_the_full_roll_gives(
    database: Database, arbitration: Arbitration
) -> None:
    lines = roll_lines()
    convener(database, arbitration).propose(*hold(lines))
    supervisor(arbitration).confirm("m-1", list(reversed(lines)))
    assert convener(database, arbitration).refresh("m-1").state == "announced"
    with pytest.raises(UserError, match="nothing to confirm"):
        supervisor(arbitration).confirm("m-1", lines)


def _one_fen_more(lines: list[RollLine]) -> list[RollLine]:
    leaf = lines[4].leaf
    return [*lines[:4], replace(lines[4], leaf=replace(leaf, claims=(Claim("individual", 105),))), *lines[5:]]


def _a_person_twice(lines: list[RollLine]) -> list[RollLine]:
    return [replace(lines[0], document=lines[1].document), *lines[1:]]


def _another_salt(lines: list[RollLine]) -> list[RollLine]:
    return [replace(lines[0], leaf=replace(lines[0].leaf, salt=b"x" * 16)), *lines[1:]]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_one_fen_more, "root"),
        (_a_person_twice, "twice"),
        (_another_salt, "root"),
        (lambda lines: lines[1:], "root"),
        (lambda lines: [replace(line, leaf=replace(line.leaf, mtg="m-2")) for line in lines], "m-2"),
    ],
)
def test_the_regulator_says_no_to_any_other_roll(
    database: Database, arbitration: Arbitration, change: Any, why: str
) -> None:
    lines = roll_lines()
    convener(database, arbitration).propose(*hold(lines))
    with pytest.raises(Negative, match=why):
        supervisor(arbitration).confirm("m-1", change(lines))
    assert convener(database, arbitration).refresh("m-1").state == "draft"


def test_totals_that_the_roll_does_not_give_are_named_with_both_values() -> None:
    lines = roll_lines()
    meeting, _ = hold(lines)
    wrong = replace(meeting, roll=replace(meeting.roll, fen=1))
    with pytest.raises(Negative, match="951 by the full file but 1 in the record"):
        verify_roll(wrong, lines)


def test_the_regulator_says_no_to_another_network(database: Database, arbitration: Arbitration) -> None:
    lines = roll_lines()
    convener(database, arbitration).propose(*hold(lines, genesis=GENESIS | {"identity": "c" * 64}))
    with pytest.raises(Negative, match="networks"):
        supervisor(arbitration).confirm("m-1", lines)


# -- steps and the result -----------------------------------------------------------------------------------


def announce(database: Database, arbitration: Arbitration) -> Convener:
    lines = roll_lines()
    mine = convener(database, arbitration)
    mine.propose(*hold(lines))
    supervisor(arbitration).confirm("m-1", lines)
    return mine


def test_a_step_happens_when_exactly_it_is_confirmed(database: Database, arbitration: Arbitration) -> None:
    mine = announce(database, arbitration)
    step = mine.propose_step("m-1", "open")
    assert mine.refresh("m-1").state == "announced"
    with pytest.raises(EndorseError, match="endorsing failed"):
        supervisor(arbitration).confirm_step("m-1", replace(step, at="2026-03-02T08:01:00Z"))
    assert supervisor(arbitration).pending_step("m-1") == step
    supervisor(arbitration).confirm_step("m-1", step)
    assert mine.refresh("m-1").state == "open"
    with pytest.raises(UserError, match="no step"):
        supervisor(arbitration).pending_step("m-1")
    with database.read() as session:
        assert session.scalars(select(MeetingStep.digest)).all() == [step.digest]


def close(database: Database, arbitration: Arbitration, ballots: int) -> Convener:
    mine = announce(database, arbitration)
    with database.write() as session:
        for number in range(ballots):
            session.add(
                Ballot(
                    mtg="m-1",
                    sub=f"s{number}",
                    seq=1,
                    digest=f"d{number}",
                    jws="",
                    choices="{}",
                    claims="[]",
                    ses="",
                    door="AssociationMSP",
                    ack_no=number + 1,
                    ack_time="",
                    ack_jws="",
                    status="committed",
                    tx=f"t{number % 2}",
                    block=1,
                    created_at="",
                )
            )
    supervisor(arbitration).confirm_step("m-1", mine.propose_step("m-1", "closing"))
    return mine


def test_closing_names_the_channels_count(database: Database, arbitration: Arbitration) -> None:
    step = close(database, arbitration, ballots=2).propose_step("m-1", "closed")
    assert (step.ballots, step.subtotals) == (3, 2)


def test_closing_stops_when_the_channel_finds_fewer_than_were_committed(
    database: Database, arbitration: Arbitration
) -> None:
    mine = close(database, arbitration, ballots=4)
    with pytest.raises(UserError, match="totalQueryLimit") as caught:
        mine.propose_step("m-1", "closed")
    assert caught.value.code == "CLOSE_COUNT"


def test_the_result_is_kept_once_there_is_one(database: Database, arbitration: Arbitration) -> None:
    mine = close(database, arbitration, ballots=2)
    with pytest.raises(UserError, match="no result yet"):
        mine.result("m-1")
    supervisor(arbitration).confirm_step("m-1", mine.propose_step("m-1", "closed"))
    mine.refresh("m-1")
    with database.read() as session:
        assert session.scalars(select(Result.result)).all() == ['{"ballots":0,"v":1}']
        assert session.scalars(select(Meeting.state)).all() == ["closed"]


@pytest.mark.parametrize("ask", ["look_up", "result_of"])
def test_an_unknown_meeting_is_one_clear_line(arbitration: Arbitration, ask: str) -> None:
    with pytest.raises(UserError, match="no meeting 'nowhere'") as caught:
        getattr(channels, ask)(arbitration.contract("x"), "nowhere")
    assert caught.value.code == "MEETING_NOT_FOUND"


def test_a_peer_whose_record_is_not_what_it_says_is_not_believed(
    database: Database, arbitration: Arbitration
) -> None:
    announce(database, arbitration)
    value, version = arbitration.ledger.state["m-1"]
    view = json.loads(value)
    view["record"]["title"] = "Forged"
    arbitration.ledger.state["m-1"] = (jcs.dumps(view), version)
    with pytest.raises(UserError, match="not to be trusted"):
        channels.look_up(arbitration.contract("x"), "m-1")


# -- genesis ------------------------------------------------------------------------------------------------


def first_block(data: bytes = b"configuration") -> common_pb2.Block:
    return common_pb2.Block(
        header=common_pb2.BlockHeader(number=0, data_hash=hashlib.sha256(data).digest()),
        data=common_pb2.BlockData(data=[data]),
    )


def peer(block: common_pb2.Block) -> LedgerContract:
    return Ledger({"GetBlockByNumber": lambda *_: bytes(block.SerializeToString())}).contract()


def test_a_header_hash_is_over_its_asn1_form() -> None:
    # SEQUENCE { INTEGER 0, OCTET STRING "", OCTET STRING 32 bytes }
    der = bytes.fromhex("302702010004000420" + "ab" * 32)
    assert header_hash(0, b"", b"\xab" * 32) == hashlib.sha256(der).hexdigest()
    numbered = bytes.fromhex("3048020200800420" + "01" * 32 + "0420" + "02" * 32)
    assert header_hash(128, b"\1" * 32, b"\2" * 32) == hashlib.sha256(numbered).hexdigest()


def test_genesis_hashes_are_computed_from_the_peers_own_block() -> None:
    expected = header_hash(0, b"", hashlib.sha256(b"configuration").digest())
    assert read_genesis(peer(first_block()), "identity") == expected

    @dataclass(frozen=True)
    class Announced:
        genesis: str

    found = genesis_of(INSTITUTION, lambda _: Announced(expected), lambda _: peer(first_block()))
    assert found == {"identity": expected, "arbitration-institutiona": expected}
    with pytest.raises(UserError, match="another network"):
        genesis_of(INSTITUTION, lambda _: Announced("0" * 64), lambda _: peer(first_block()))


def test_a_block_that_does_not_hold_its_data_is_refused() -> None:
    block = first_block()
    block.data.data[0] = b"other"
    with pytest.raises(UserError, match="doesn't hold the data"):
        read_genesis(peer(block), "identity")
    block = first_block()
    block.header.number = 1
    with pytest.raises(UserError, match="another block"):
        read_genesis(peer(block), "identity")
