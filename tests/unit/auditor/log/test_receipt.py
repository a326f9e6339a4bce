"""Audited receipts, verified offline; the auditor's second reading of receipts; contradictions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auditor.log import contradiction
from auditor.log.contradiction import contradict_audited, contradict_promise
from auditor.log.errors import LogRefused
from auditor.log.extract import Extract, extract_block, parse_extract
from auditor.log.kinds import HEAD, RECEIPT, kind_of
from auditor.log.leaf import leaves_of
from auditor.log.promise import parse_promise
from auditor.log.publish import LastBlock, extend_log, publish
from auditor.log.receipt import VerifiedAuditedReceipt, parse_audited, verified_promise, verify_audited
from auditor.log.service_db import LogBook, ServiceDatabase
from client.encodings import jcs
from client.encodings.errors import Refused
from client.encodings.meeting import parse_meeting
from client.encodings.receipt import parse_receipt
from client.encodings.records import decode_certificate
from tests.unit.auditor.log.stage import DOOR_ROOT, LATER, LENDER_ROOT, LogStage
from tests.unit.auditor.meeting_player import MTG
from tests.vectors.scene import certificate_of, make_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auditor.log.contradiction import Contradiction
    from auditor.log.head import SignedHead

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "receipt.json").read_text("utf-8"))


def code_of(ask: Callable[[], object]) -> str:
    with pytest.raises(LogRefused) as caught:
        ask()
    return caught.value.code


# The auditor's reading of version 1 receipts is held to the platform's vectors.


def read(vector: dict[str, Any], record: str = VECTORS["record"]) -> None:
    roots = {name: decode_certificate(VECTORS[name]) for name in ("lender_root", "door_root")}
    verified_promise(jcs.dumps(vector["receipt"]), parse_meeting(record.encode()), **roots)


@pytest.mark.parametrize("vector", VECTORS["accept"], ids=lambda one: str(one["name"]))
def test_a_receipt_of_the_vectors_is_accepted(vector: dict[str, Any]) -> None:
    read(vector)


def test_a_receipt_by_an_amendment_says_its_claims() -> None:
    (vector,) = (one for one in VECTORS["accept"] if "amended" in one["receipt"])
    assert parse_promise(jcs.dumps(vector["receipt"])).fen == 7_00


@pytest.mark.parametrize(
    "amended",
    [
        None,
        {},
        {"no": -1, "digest": "A" * 43, "after": {"claims": [{"class": "a", "fen": 1}]}},
        {"no": 1, "digest": "A", "after": {"claims": [{"class": "a", "fen": 1}]}},
        {"no": 1, "digest": "A" * 43, "after": {"claims": []}},
        {"no": 1, "digest": "A" * 43, "after": None},
    ],
)
def test_what_is_no_amendment_s_word_is_refused(amended: Any) -> None:
    (vector,) = (one for one in VECTORS["accept"] if "amended" in one["receipt"])
    for parse in (parse_promise, parse_receipt):
        with pytest.raises(Refused) as caught:
            parse(jcs.dumps(vector["receipt"] | {"amended": amended}))
        assert caught.value.code == "RECEIPT_FORMAT"


@pytest.mark.parametrize("vector", VECTORS["reject"], ids=lambda one: str(one["name"]))
def test_a_receipt_of_the_vectors_is_refused(vector: dict[str, Any]) -> None:
    assert code_of(lambda: read(vector)) == vector["code"]


def test_receipts_by_proxy() -> None:
    record = VECTORS["by_proxy"]["record"]
    for vector in VECTORS["by_proxy"]["accept"]:
        read(vector, record)
    for vector in VECTORS["by_proxy"]["reject"]:
        code = code_of(lambda: read(vector, record))  # noqa: B023
        assert code == vector["code"], vector["name"]


@pytest.mark.parametrize("mandate", [None, "x", {}, {"jws": 1, "cert": "x"}, {"jws": "x", "cert": "x"}])
def test_a_malformed_mandate_in_a_receipt(mandate: object) -> None:
    with pytest.raises(Refused) as caught:
        parse_promise(jcs.dumps(VECTORS["accept"][0]["receipt"] | {"mandate": mandate}))
    assert caught.value.code == "RECEIPT_FORMAT"


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"more": 1},
        {"index": "1"},
        {"block": True},
        {"tx": "x"},
        {"ballot": 1},
        {"cert": "x"},
        {"proof": "x"},
        {"proof": [1]},
        {"proof": ["x"]},
        {"proof": ["A" * 43] * 65},
    ],
)
def test_a_malformed_receipt(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        parse_promise(jcs.dumps(VECTORS["accept"][0]["receipt"] | changes))
    assert caught.value.code == "RECEIPT_FORMAT"
    with pytest.raises(Refused):
        parse_promise(b"no JSON")


# Audited receipts


def test_an_audited_receipt_shows_acceptance(stage: LogStage) -> None:
    signed = stage.publish()
    data = stage.audited("bo").encode()
    assert (kind_of(data), kind_of(signed.encode()), kind_of(b"no JSON")) == (RECEIPT, HEAD, "")
    verified = verify_audited(data, stage.trust)
    assert (verified.leaf.digest, verified.index) == (stage.ballot("bo").digest, 1)
    assert verified.head.head == signed.head
    assert not verified.issuers_checked
    assert parse_audited(data).encode() == data
    roots = {"lender_root": LENDER_ROOT, "door_root": DOOR_ROOT}
    assert verify_audited(data, stage.trust, **roots).issuers_checked
    with pytest.raises(TypeError):
        replace(verified, seal=object())  # type: ignore[arg-type]
    assert isinstance(verified, VerifiedAuditedReceipt)


def test_foreign_roots(stage: LogStage) -> None:
    stage.publish()
    data, other = stage.audited("bo").encode(), certificate_of("x-ca", "x-ca", "x-ca")
    for name in ("lender_root", "door_root"):
        assert code_of(lambda: verify_audited(data, stage.trust, **{name: other})) == "CERT_CHAIN"  # noqa: B023


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"v": 2}, "AUDITED_FORMAT"),
        ({"more": 1}, "AUDITED_FORMAT"),
        ({"index": "0"}, "AUDITED_FORMAT"),
        ({"pos": None}, "AUDITED_FORMAT"),
        ({"receipt": 1}, "AUDITED_FORMAT"),
        ({"record": "="}, "AUDITED_FORMAT"),
        ({"path": ["x"]}, "AUDITED_FORMAT"),
        ({"receipt": "AAAA"}, "RECEIPT_FORMAT"),
        ({"record": "AAAA"}, "MEETING_FORMAT"),
        ({"head": "x"}, "HEAD_FORMAT"),
        ({"certificates": []}, "HEAD_FORMAT"),
        ({"index": 0}, "LOG_ROOT"),
        ({"index": 2}, "LOG_PLACE"),
        ({"pos": 0}, "LOG_ROOT"),
        ({"path": []}, "LOG_PATH"),
        ({"path": ["A" * 43]}, "LOG_ROOT"),
    ],
)
def test_an_altered_audited_receipt(stage: LogStage, changes: dict[str, Any], code: str) -> None:
    stage.publish()
    value = jcs.loads(stage.audited("bo").encode())
    assert code_of(lambda: verify_audited(jcs.dumps(value | changes), stage.trust)) == code


def test_parts_of_others(stage: LogStage) -> None:
    stage.publish()
    good = stage.audited("bo")

    def refusal(**changes: Any) -> str:
        return code_of(lambda: verify_audited(replace(good, **changes).encode(), stage.trust))

    assert refusal(receipt=stage.receipt("an")) == "LOG_ROOT"
    assert refusal(receipt=stage.receipt("bo", tx="ab" * 32)) == "LOG_ROOT"
    assert refusal(receipt=stage.receipt("bo", block=stage.ballot("bo").block - 1)) == "LOG_ROOT"
    assert refusal(receipt=stage.receipt("bo", block=99)) == "AUDITED_MISMATCH"
    assert refusal(record=make_scene("other", 2).meeting.record) == "HEAD_MEETING"
    other = stage.signer_of("AssociationMSP", "auditor").sign(good.head.head)
    assert refusal(head=other) == "HEAD_SIGNER"
    assert refusal(head=stage.signer_of("RegulatorMSP", "officer").sign(good.head.head)) == "HEAD_ROLE"


def test_other_trust_roots(stage: LogStage) -> None:
    stage.publish()
    data = stage.audited("bo").encode()
    foreign = replace(stage.trust, regulator_ca=frozenset({"ab" * 32}))
    assert code_of(lambda: verify_audited(data, foreign)) == "HEAD_SIGNER"
    for name in stage.trust.genesis:
        elsewhere = replace(stage.trust, genesis={**stage.trust.genesis, name: "ab" * 32})
        assert code_of(lambda: verify_audited(data, elsewhere)) == "TRUST_GENESIS"  # noqa: B023
    unknown = replace(stage.trust, genesis={"identity": stage.trust.genesis["identity"]})
    assert code_of(lambda: verify_audited(data, unknown)) == "TRUST_GENESIS"


# Contradictions


@pytest.fixture
def second(tmp_path: Path) -> Iterator[ServiceDatabase]:
    """The log that a dishonest auditor shows to others."""
    opened = ServiceDatabase.open(f"sqlite:///{tmp_path / 'second.db'}")
    yield opened
    opened.close()


@pytest.fixture
def audited(stage: LogStage) -> bytes:
    stage.publish()
    return stage.audited("bo").encode()


def shown(stage: LogStage, audited: bytes, head: SignedHead, extract: Extract | None = None) -> Contradiction:
    again = None if extract is None else parse_extract(extract.encode())
    return contradict_audited(audited, head.encode(), stage.trust, again)


def elsewhere(
    stage: LogStage, second: ServiceDatabase, last: LastBlock, *names: str, **moved: Any
) -> SignedHead:
    """The head of a log with only these lenders' ballots; `moved` changes what it says of each."""
    accepted = {name: replace(stage.ballot(name), **moved) for name in names}
    meeting = replace(stage.meeting(), accepted=accepted)
    return publish(second, meeting, last, stage.signer, stage.regulator, now=LATER)


def later(stage: LogStage) -> LastBlock:
    return LastBlock(stage.last().number + 1, "ef" * 32)


def test_a_head_that_continues_contradicts_nothing(stage: LogStage, audited: bytes) -> None:
    stage.player.submit([("chen", 3, {})])
    head = stage.publish(LATER)
    assert code_of(lambda: shown(stage, audited, head)) == "NO_CONTRADICTION"
    extract = stage.extract(stage.database, head.head.size)
    assert code_of(lambda: shown(stage, audited, head, extract)) == "NO_CONTRADICTION"


def test_one_number_two_blocks(stage: LogStage, audited: bytes, second: ServiceDatabase) -> None:
    head = elsewhere(stage, second, LastBlock(stage.last().number, "ef" * 32), "an", "bo")
    found = shown(stage, audited, head)
    assert found.kind == contradiction.FORKED
    assert found.digest == stage.ballot("bo").digest
    assert stage.last().hash in found.receipt
    assert "ef" * 32 in found.head
    assert found.as_json()["kind"] == "forked"


def test_one_block_two_logs(stage: LogStage, audited: bytes, second: ServiceDatabase) -> None:
    head = elsewhere(stage, second, stage.last(), "an")
    assert shown(stage, audited, head).kind == contradiction.SAME_BLOCK


def test_as_many_leaves_but_others(stage: LogStage, audited: bytes, second: ServiceDatabase) -> None:
    head = elsewhere(stage, second, later(stage), "an", "bo", tx="ab" * 32)
    assert shown(stage, audited, head).kind == contradiction.SAME_SIZE


def test_a_log_that_shrank(stage: LogStage, audited: bytes, second: ServiceDatabase) -> None:
    head = elsewhere(stage, second, later(stage), "an")
    assert shown(stage, audited, head).kind == contradiction.SHRUNK


def test_a_leaf_replaced_under_a_longer_log(stage: LogStage, audited: bytes, second: ServiceDatabase) -> None:
    stage.player.submit([("chen", 3, {}), ("ding", 4, {})])
    head = elsewhere(stage, second, later(stage), "an", "chen", "ding")
    assert code_of(lambda: shown(stage, audited, head)) == "NO_CONTRADICTION"
    extract = stage.extract(second, 3, 1, 2)
    found = shown(stage, audited, head, extract)
    assert found.kind == contradiction.REPLACED
    assert stage.ballot("bo").digest in found.receipt
    assert stage.ballot("chen").digest in found.head


def test_leaves_that_are_not_the_heads_show_nothing(
    stage: LogStage, audited: bytes, second: ServiceDatabase
) -> None:
    stage.player.submit([("chen", 3, {}), ("ding", 4, {})])
    head = elsewhere(stage, second, later(stage), "an", "chen", "ding")
    good = stage.extract(second, 3, 1, 2)
    forged = replace(good, leaves=(replace(good.leaves[0], leaf=replace(good.leaves[0].leaf, tx="ab" * 32)),))
    assert code_of(lambda: shown(stage, audited, head, forged)) == "LOG_ROOT"
    assert code_of(lambda: shown(stage, audited, head, replace(good, size=4))) == "HEAD_MEETING"
    assert code_of(lambda: shown(stage, audited, head, replace(good, mtg="other"))) == "HEAD_MEETING"


def test_a_side_that_is_not_genuine_shows_nothing(stage: LogStage, audited: bytes) -> None:
    head = stage.next_head(parse_audited(audited).head.head, size=1, root=bytes(32))
    forged = stage.signer_of("AssociationMSP", "auditor").sign(head)
    assert code_of(lambda: shown(stage, audited, forged)) == "HEAD_SIGNER"
    genuine = stage.signer.sign(head)
    assert shown(stage, audited, genuine).kind == contradiction.SHRUNK
    broken = audited.replace(b'"index":1', b'"index":0')
    assert code_of(lambda: shown(stage, broken, genuine)) == "LOG_ROOT"
    other = stage.signer.sign(replace(head, mtg="other"))
    assert code_of(lambda: shown(stage, audited, other)) == "HEAD_MEETING"


def promised(stage: LogStage, head: SignedHead, extract: Extract, **changes: Any) -> Contradiction:
    options: dict[str, Any] = {"meeting": stage.player.scene.meeting, "door_root": DOOR_ROOT} | changes
    return contradict_promise(stage.receipt("bo"), head.encode(), stage.trust, extract, **options)


def test_a_ballot_missing_from_its_block(stage: LogStage, second: ServiceDatabase) -> None:
    stage.player.submit([("chen", 3, {})])
    head = elsewhere(stage, second, stage.last(), "an", "chen")
    with second.read() as connection:
        extract = extract_block(LogBook(connection, MTG), stage.ballot("bo").block, 2)
    assert [one.index for one in extract.leaves] == [0, 1]
    found = promised(stage, head, extract)
    assert found.kind == contradiction.MISSING
    assert f"block {stage.ballot('bo').block}" in found.receipt
    # Not shown by fewer leaves than the block has, and not by a door that nobody vouches for.
    for leaves in (extract.leaves[:1], extract.leaves[1:], ()):
        assert code_of(lambda: promised(stage, head, replace(extract, leaves=leaves))) == "NO_CONTRADICTION"  # noqa: B023
    other = certificate_of("x-ca", "x-ca", "x-ca")
    assert code_of(lambda: promised(stage, head, extract, door_root=other)) == "CERT_CHAIN"


def test_an_empty_log_over_the_ballots_block(stage: LogStage, second: ServiceDatabase) -> None:
    head = elsewhere(stage, second, stage.last())
    assert promised(stage, head, Extract(MTG, 0, ())).kind == contradiction.MISSING


def test_a_head_from_before_the_ballot_shows_nothing(stage: LogStage, second: ServiceDatabase) -> None:
    head = elsewhere(stage, second, LastBlock(stage.ballot("bo").block - 1, "ef" * 32))
    assert code_of(lambda: promised(stage, head, Extract(MTG, 0, ()))) == "NO_CONTRADICTION"


def test_a_ballot_in_another_transaction(stage: LogStage, second: ServiceDatabase) -> None:
    head = elsewhere(stage, second, stage.last(), "an", "bo", tx="ab" * 32)
    found = promised(stage, head, stage.extract(second, 2))
    assert found.kind == contradiction.MOVED
    assert "ab" * 32 in found.head


def test_a_ballot_where_the_door_said_it_is(stage: LogStage) -> None:
    head = stage.publish()
    assert code_of(lambda: promised(stage, head, stage.extract(stage.database, 2))) == "NO_CONTRADICTION"


@pytest.mark.parametrize(
    "changes",
    [{"v": 2}, {"mtg": 1}, {"size": "2"}, {"leaves": {}}, {"leaves": [1]}, {"leaves": [{"index": 0}]}],
)
def test_a_malformed_extract(stage: LogStage, changes: dict[str, Any]) -> None:
    stage.publish()
    value = jcs.loads(stage.extract(stage.database, 2).encode())
    assert code_of(lambda: parse_extract(jcs.dumps(value | changes))) == "LOG_LEAF"
    backwards = value | {"leaves": value["leaves"][::-1]}
    assert code_of(lambda: parse_extract(jcs.dumps(backwards))) == "LOG_LEAF"
    placeless = value | {"leaves": [value["leaves"][0] | {"path": ["x"]}]}
    assert code_of(lambda: parse_extract(jcs.dumps(placeless))) == "LOG_LEAF"


def test_a_block_and_its_neighbours(stage: LogStage) -> None:
    blocks = [5, 5, 7, 7, 7, 9]
    ballots = [
        replace(stage.ballot("an"), digest=f"{number:042d}A", block=block, tx=f"{block:064x}")
        for number, block in enumerate(blocks)
    ]
    extend_log(stage.database, "m", leaves_of("m", ballots), through=9)

    def indexes(block: int, size: int = 6) -> list[int]:
        with stage.database.read() as connection:
            return [one.index for one in extract_block(LogBook(connection, "m"), block, size).leaves]

    assert [indexes(block) for block in (4, 5, 6, 7, 9, 10)] == [
        [0],
        [0, 1, 2],
        [1, 2],
        [1, 2, 3, 4, 5],
        [4, 5],
        [5],
    ]
    assert indexes(7, 3) == [1, 2]
