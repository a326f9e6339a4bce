"""Replay of anchored audits, objections and awards, and what a certification needs of them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from auditor.anchors import wrong_anchors
from auditor.log.leaf import leaves_of
from auditor.log.tree import LogTree, MemoryNodes
from client.encodings import base64url, jws
from client.encodings.anchor import HEAD_TYP, Anchor
from client.encodings.award import Answer, Award
from client.encodings.certificates import thumbprint
from client.encodings.errors import Refused
from client.encodings.objection import Objection, sign_objection
from client.encodings.objection_record import AnswerRecord, AwardRecord, ObjectionRecord
from tests.unit.auditor.lenders import canonical, key
from tests.unit.auditor.meeting_player import CHANNEL, MTG, Player

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.verifier import Verifier
    from client.encodings.objection import SignedObjection
    from tests.unit.auditor.builder import Network, Signer

EVIDENCE = base64url.encode(b"e" * 32)
IN_TIME, LATE = "2026-03-10T08:00:00Z", "2030-01-01T00:00:00Z"
CERTIFIED = "2026-03-24T10:00:00Z"
BASE = ("meeting", "state")


class Disputes(Player):
    """Plays a meeting with one ballot of each of two transactions, and what comes after."""

    def __init__(self, fabric: Network, **changes: Any) -> None:
        super().__init__(fabric, **changes)
        self.auditor = fabric.person("RegulatorMSP", "auditor")
        self.commission = fabric.person("ArbitrationMSP", "officer")
        self.names = list(self.scene.lenders)
        self.last_anchor = ""
        self.filed: dict[str, int] = {}

    def objecting(self) -> Disputes:
        self.enrolled().opened()
        for number, name in enumerate(self.names[:2], 1):
            self.submit([(name, number, {})])
        self.closed().step("objections")
        return self

    def root(self, size: int) -> str:
        ballots = self.follow().meeting(CHANNEL, MTG)
        assert ballots is not None
        leaves = leaves_of(MTG, ballots.accepted.values())
        tree = LogTree(MemoryNodes())
        tree.extend(leaf.hash() for leaf in leaves)
        return base64url.encode(tree.root(size))

    def anchor(self, size: int = 2, *, by: Signer | None = None, **changes: Any) -> Disputes:
        members: dict[str, Any] = {
            "size": size,
            "root": self.root(size) if "root" not in changes else "",
            "result": hashlib.sha256(self.result()).hexdigest(),
            "verdict": "consistent",
            **changes,
        }
        head = {
            "v": 1,
            "mtg": MTG,
            "mh": self.scene.meeting.mh,
            "channel": CHANNEL,
            "size": members["size"],
            "root": members["root"],
            "block": 1,
            "block_hash": "ab" * 32,
            "time": IN_TIME,
        }
        signer = by or self.auditor
        x5t = thumbprint(signer.certificate.public_bytes(Encoding.DER))
        signed = jws.sign(HEAD_TYP, x5t, canonical(head), signer.key)
        said = Anchor(mtg=MTG, report="cd" * 32, head=signed.compact, **members)
        tx = self.last_anchor = self.chain.next_transaction_id(self.auditor)
        record = said.record(tx)
        reads = [key(kind, MTG) for kind in (*BASE, "audit")]
        self.run(self.auditor, [b"AnchorAudit", said.encode()], record, {key("audit", MTG): record}, reads)
        return self

    def objection(self, lender: int = 0, ground: str = "count", number: int = 0) -> SignedObjection:
        one = self.scene.lenders[self.names[lender]]
        said = Objection(
            self.scene.meeting.mh,
            MTG,
            one.sub,
            base64url.encode(b"o" * 15 + bytes([number])),
            IN_TIME,
            ground,
            EVIDENCE,
        )
        return sign_objection(said, one.x5t, one.key)

    def file(self, signed: SignedObjection, ack_time: str = IN_TIME) -> Disputes:
        tx = self.chain.next_transaction_id(self.relay)
        record = ObjectionRecord(signed, "AssociationMSP", ack_time, 1, tx).encode()
        sub, obj = signed.objection.sub, signed.objection.obj
        place, count = key("objection", MTG, obj), key("objector", MTG, sub)
        self.filed[sub] = self.filed.get(sub, 0) + 1
        writes: dict[str, bytes | None] = {
            place: record,
            count: canonical({"v": 1, "n": self.filed[sub]}),
            key("undecided", MTG, obj): canonical({"v": 1, "obj": obj}),
        }
        arguments = [b"FileObjection", signed.compact.encode(), ack_time.encode()]
        self.run(self.relay, arguments, record, writes, [*(key(kind, MTG) for kind in BASE), place, count])
        return self

    def answer(self, obj: str, by: Signer | None = None) -> Disputes:
        creator = by or self.officer
        said = Answer(MTG, obj, "contests", EVIDENCE, IN_TIME)
        record = AnswerRecord(said, self.chain.next_transaction_id(creator)).encode()
        self._about(creator, obj, "AnswerObjection", said.encode(), record, {key("answer", MTG, obj): record})
        return self

    def decide(
        self,
        obj: str,
        award: str = "upheld",
        remedy: str = "none",
        *,
        by: Signer | None = None,
        forged: Mapping[str, bytes | None] | None = None,
    ) -> Disputes:
        creator = by or self.commission
        said = Award(MTG, obj, award, remedy, EVIDENCE, IN_TIME)
        record = AwardRecord(said, self.last_anchor, self.chain.next_transaction_id(creator)).encode()
        writes: dict[str, bytes | None] = {key("award", MTG, obj): record, key("undecided", MTG, obj): None}
        until = {"revote": "revote", "recount": self.last_anchor}.get(remedy)
        if until:
            writes[key("remedy", MTG, until, obj)] = canonical({"v": 1, "obj": obj})
        writes |= forged or {}
        self._about(creator, obj, "DecideObjection", said.encode(), record, writes)
        return self

    def _about(  # noqa: PLR0917
        self,
        creator: Signer,
        obj: str,
        function: str,
        document: bytes,
        record: bytes,
        writes: Mapping[str, bytes | None],
    ) -> None:
        reads = [key(kind, MTG) for kind in (*BASE, "audit")]
        reads += [key(kind, MTG, obj) for kind in ("objection", "answer", "award")]
        self.run(creator, [function.encode(), document], record, writes, reads)

    def certify(self) -> Disputes:
        self.step("certified", at=CERTIFIED)
        return self


@pytest.fixture
def play(fabric: Network) -> Disputes:
    return Disputes(fabric).objecting()


def reasons(verifier: Verifier) -> list[tuple[int, Any]]:
    return [(error.step, error.expected) for error in verifier.findings(CHANNEL)]


def why(verifier: Verifier) -> list[Any]:
    """Return why the certification had to be refused; its confirmation then had nothing to confirm."""
    return [expected for _, expected in reasons(verifier) if expected != "STEP_NOT_PROPOSED"]


def test_an_objection_decided_and_a_meeting_certified(play: Disputes) -> None:
    signed = play.objection()
    obj = signed.objection.obj
    verifier = play.anchor(1).file(signed).answer(obj).decide(obj).anchor().certify().follow()
    assert reasons(verifier) == []
    meeting = verifier.meeting(CHANNEL, MTG)
    assert meeting is not None
    assert meeting.state == "certified"
    assert list(wrong_anchors(MTG, meeting.anchors, meeting.accepted.values())) == []
    (dispute,) = (one.as_json() for one in meeting.disputes)
    assert (dispute["ground"], dispute["answer"]["position"], dispute["award"]["award"]) == (
        "count",
        "contests",
        "upheld",
    )


def test_step_21_a_wrong_root(play: Disputes) -> None:
    wrong = base64url.encode(b"r" * 32)
    play.anchor(1).anchor(2, root=wrong).anchor(3, root=wrong)
    meeting = play.follow().meeting(CHANNEL, MTG)
    assert meeting is not None
    found = list(wrong_anchors(MTG, meeting.anchors, meeting.accepted.values()))
    assert [(one.step, one.expected) for one in found] == [(21, play.root(2)), (21, 2)]


def test_a_head_of_another_key_and_another_result_are_named(play: Disputes) -> None:
    assert [step for step, _ in reasons(play.anchor(by=play.regulator).follow())] == [21]
    play.anchor(result="00" * 32)
    assert [step for step, _ in reasons(play.follow())] == [21, 21]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("AUDIT_NEGATIVE", {"verdict": "inconsistent"}),
        ("AUDIT_MISMATCH", {"result": ""}),
        ("AUDIT_SIZE", {"size": 1}),
    ],
)
def test_a_certification_without_its_audit_is_named(
    play: Disputes, code: str, changes: dict[str, Any]
) -> None:
    verifier = play.anchor(**changes).certify().follow()
    assert why(verifier) == [code]


@pytest.mark.parametrize(("member", "value"), [("size", True), ("size", "1"), ("mh", 1)])
def test_an_anchor_whose_head_has_a_member_of_another_type_is_none(
    play: Disputes, member: str, value: Any
) -> None:
    named = {"v": 1, "mtg": MTG, "mh": "h", "channel": CHANNEL, "size": 1, "root": "r", "block": 1}
    named |= {"block_hash": "ab" * 32, "time": IN_TIME}
    members: dict[str, Any] = {"mtg": MTG, "size": 1, "root": base64url.encode(bytes(32)), "result": ""}
    members |= {"report": "cd" * 32, "verdict": "consistent"}

    def anchor(head: dict[str, Any]) -> Anchor:
        signed = jws.sign(HEAD_TYP, base64url.encode(bytes(32)), canonical(head), play.auditor.key)
        return Anchor(head=signed.compact, **members)

    assert anchor(named).size == 1
    with pytest.raises(Refused, match="ARGUMENT_FORMAT"):
        anchor({**named, member: value})


def test_a_certification_over_an_objection_is_named(play: Disputes) -> None:
    signed = play.objection()
    verifier = play.anchor().file(signed).certify().follow()
    assert why(verifier) == ["OBJECTION_OPEN"]


@pytest.mark.parametrize(
    ("remedy", "again", "codes"),
    [("recount", False, ["AWARD_UNMET"]), ("recount", True, []), ("revote", True, ["AWARD_UNMET"])],
)
def test_a_certification_with_a_remedy_outstanding_is_named(
    play: Disputes, remedy: str, again: bool, codes: list[str]
) -> None:
    signed = play.objection()
    play.anchor().file(signed).decide(signed.objection.obj, remedy=remedy)
    if again:
        play.anchor()
    assert why(play.certify().follow()) == codes


def test_step_15_an_objection_that_stays_undecided_is_named(play: Disputes) -> None:
    signed = play.anchor().objection()
    obj = signed.objection.obj
    undecided, due = key("undecided", MTG, obj), canonical({"v": 1, "obj": obj})
    play.file(signed).decide(obj, remedy="recount", forged={undecided: due})
    (found,) = play.follow().findings(CHANNEL)
    assert (found.step, found.expected, found.found) == (15, "deleted", due.decode())


def test_a_recount_before_any_audit_is_met_by_the_first(play: Disputes) -> None:
    signed = play.objection()
    play.file(signed).decide(signed.objection.obj, remedy="recount")
    assert reasons(play.anchor().certify().follow()) == []


def test_an_objection_that_had_to_be_refused_is_named(play: Disputes) -> None:
    assert reasons(play.file(play.objection(), LATE).follow()) == [(15, "OBJECTION_LATE")]
    play.filed.clear()
    good = play.objection()
    play.file(good).file(play.objection(1, "claim"))
    assert reasons(play.follow())[1:] == [(15, "OBJECTION_EXISTS")]


def test_one_objection_too_many_of_a_lender_is_named(play: Disputes) -> None:
    for number in range(16):
        play.file(play.objection(number=number))
    play.file(play.objection(1, number=16))
    assert reasons(play.follow()) == []
    play.decide(play.objection(number=3).objection.obj)
    assert reasons(play.file(play.objection(number=17)).follow()) == [(15, "OBJECTION_LIMIT")]


def test_a_certification_over_a_head_that_leaves_out_a_replaced_ballot_is_named(fabric: Network) -> None:
    play = Disputes(fabric, revote="last")
    play.enrolled(sessions=2).opened()
    play.submit([(play.names[0], 1, {})]).submit([(play.names[0], 2, {"seq": 2})])
    play.closed().step("objections")
    assert reasons(play.anchor(1).certify().follow()) == [(21, 2)]


def test_who_may_not_answer_or_decide_is_named(play: Disputes) -> None:
    signed = play.objection()
    obj = signed.objection.obj
    play.file(signed).answer(obj, by=play.regulator).decide(obj, by=play.officer)
    assert [step for step, _ in reasons(play.follow())] == [14, 14]


def test_a_smaller_anchor_and_no_anchor_are_named(play: Disputes) -> None:
    assert reasons(play.anchor(2).anchor(1).follow()) == [(15, "AUDIT_SIZE")]


def test_certifying_without_an_anchor_is_named(play: Disputes) -> None:
    assert why(play.certify().follow()) == ["AUDIT_MISSING"]
