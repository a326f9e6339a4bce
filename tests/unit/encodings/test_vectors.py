"""Python against the vectors: every file in tests/vectors, accept and reject."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from client.encodings import (
    acknowledgement,
    ballot_record,
    base64url,
    cbor,
    certificates,
    commitment,
    jcs,
    leaf,
    mandate,
    meeting,
    merkle,
    receipt,
    records,
    revocation,
    step,
)
from client.encodings.amendment import Amended, parse_amendment, parse_change
from client.encodings.batch import decode_batch, decode_entry, encode_batch
from client.encodings.codes import CODES
from client.encodings.errors import Refused
from client.encodings.judge import Accepted, Context, Held, HeldBallot, Pending, judge_entry
from client.encodings.judge_batch import judge_batch
from client.encodings.mandate_record import MandateRecord, parse_mandate_record
from tests.vectors.cases import kind_of
from tests.vectors.generate import FILES, render
from tests.vectors.record_file import record_json

FOLDER = Path(__file__).parents[2] / "vectors"


@cache
def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_bytes())


def named(items: list[dict[str, Any]]) -> list[Any]:
    assert len({item["name"] for item in items}) == len(items), "names tell vectors apart"
    return [pytest.param(item, id=item["name"]) for item in items]


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_generator_writes_the_same_bytes_again(name: str) -> None:
    assert (FOLDER / name).read_bytes() == render(name), "run: python -m tests.vectors.generate"


def test_no_file_is_beside_the_generated_ones() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == set(FILES)


def test_the_registry_is_the_file() -> None:
    assert load("codes.json") == CODES


def test_every_sentence_says_what_and_what_to_do() -> None:
    for code, sentence in CODES.items():
        assert sentence.endswith("."), code
        assert ";" in sentence or "see docs" in sentence, code


@cache
def meeting_of(file: str, name: str) -> tuple[meeting.Meeting, tuple[bytes, ...]]:
    entry = load(file)["meetings"][name]
    parsed = meeting.parse_meeting(entry["record"].encode())
    assert parsed.mh == entry["mh"]
    cap = tuple(cbor.loads(bytes.fromhex(entry["cap"])))
    parsed.roll.verify_cap(cap)
    return parsed, cap


def amended_of(vector: dict[str, Any]) -> Amended | None:
    if "amended" not in vector:
        return None
    before, after = vector["amended"]
    change = parse_change({"sub": "A" * 22, "before": before, "after": after})
    return Amended(change.before, change.after)


def judge_vector(file: str, vector: dict[str, Any]) -> tuple[str, str]:
    parsed, cap = meeting_of(file, vector["meeting"])
    held, enrolment, session = vector["held"], vector["enrolment"], vector["session"]
    entry = decode_entry(bytes.fromhex(vector["entry"]))
    assert kind_of(entry) == vector["kind"]
    context = Context(
        meeting=parsed,
        cap=cap,
        enrolment=records.enrolment_from_json(enrolment) if enrolment else None,
        session=records.session_from_json(session) if session else None,
        held=HeldBallot(**held) if held else None,
        session_used=vector["session_used"],
        amended=amended_of(vector),
        mandate=parse_mandate_record(jcs.dumps(vector["mandate"])) if "mandate" in vector else None,
    )
    try:
        verdict = judge_entry(entry, context)
    except Refused as refused:
        return "refused", refused.code
    match verdict:
        case Accepted():
            return "accepted", ""
        case Held():
            return "held", ""
        case Pending(code):
            return "pending", code


@pytest.mark.parametrize("vector", named(load("ballot_accept.json")["vectors"]))
def test_ballot_accepted(vector: dict[str, Any]) -> None:
    assert judge_vector("ballot_accept.json", vector) == (vector["expect"], vector["code"])


@pytest.mark.parametrize("vector", named(load("ballot_reject.json")["vectors"]))
def test_ballot_refused(vector: dict[str, Any]) -> None:
    assert judge_vector("ballot_reject.json", vector) == ("refused", vector["code"])


def test_every_ballot_code_has_a_vector() -> None:
    order = list(CODES)
    due = set(order[: order.index("BATCH_FORMAT")])
    due -= {"ACK_FORMAT", "ACK_TIME", "ACK_MISMATCH"}  # acknowledgement.json and receipt.json
    due -= {"MANDATE_FORMAT"}  # mandate.json
    found = {
        vector["code"] for name in ("accept", "reject") for vector in load(f"ballot_{name}.json")["vectors"]
    }
    assert found - {""} == due


def test_a_malleated_signature_is_the_same_ballot() -> None:
    vectors = {vector["name"]: vector for vector in load("ballot_accept.json")["vectors"]}
    low, high = vectors["raw: low s"]["jws"], vectors["raw: high s"]["jws"]
    assert low != high
    assert low.rsplit(".", 1)[0] == high.rsplit(".", 1)[0]


def test_merkle_trees() -> None:
    for vector in load("merkle.json")["trees"]:
        size = vector["size"]
        leaves = [merkle.leaf_hash(f"leaf {number}".encode()) for number in range(size)]
        tree = merkle.Tree(leaves)
        assert tree.root.hex() == vector["root"]
        for height, cap in enumerate(vector["caps"]):
            nodes = [bytes.fromhex(node) for node in cap]
            merkle.verify_cap(nodes, size=size, height=height, root=tree.root)
        for item in vector["paths"]:
            path = [bytes.fromhex(node) for node in item["path"]]
            index = item["index"]
            merkle.verify_path(leaves[index], index=index, size=size, path=path, root=tree.root)
        for item in vector["run_paths"]:
            path = [bytes.fromhex(node) for node in item["path"]]
            index, height = item["index"], item["height"]
            merkle.verify_run_path(
                leaves[index], index=index, size=size, height=height, path=path, cap=tree.cap(height)
            )
    for item in load("merkle.json")["cap_heights"]:
        size, least, most = item["size"], item["height"], item["root"]
        assert merkle.cap_height(size) == least
        heights = range(most + 3)
        assert [height for height in heights if merkle.is_cap_height(size, height)] == [
            *range(least, most + 1)
        ]


@pytest.mark.parametrize("vector", named(load("merkle.json")["reject"]))
def test_merkle_path_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(merkle.ProofError):
        merkle.verify_path(
            bytes.fromhex(vector["leaf"]),
            index=vector["index"],
            size=vector["size"],
            path=[bytes.fromhex(node) for node in vector["path"]],
            root=bytes.fromhex(vector["root"]),
        )


@pytest.mark.parametrize("vector", named(load("meeting.json")["accept"]))
def test_meeting_accepted(vector: dict[str, Any]) -> None:
    parsed = meeting.parse_meeting(vector["record"].encode())
    assert (parsed.mh, parsed.channel) == (vector["mh"], vector["channel"])
    parsed.roll.verify_cap(cbor.loads(bytes.fromhex(vector["cap"])))
    assert parsed.roll.as_json() == json.loads(vector["record"])["roll"]


@pytest.mark.parametrize("vector", named(load("meeting.json")["reject"]))
def test_meeting_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        meeting.parse_meeting(vector["record"].encode())
    assert refused.value.code == vector["code"]


@pytest.mark.parametrize("vector", named(load("meeting.json")["reject_cap"]))
def test_cap_refused(vector: dict[str, Any]) -> None:
    parsed = meeting.parse_meeting(vector["record"].encode())
    with pytest.raises(Refused) as refused:
        parsed.roll.verify_cap(cbor.loads(bytes.fromhex(vector["cap"])))
    assert refused.value.code == vector["code"]


@pytest.mark.parametrize("vector", named(load("leaf.json")["accept"]))
def test_leaf_accepted(vector: dict[str, Any]) -> None:
    parsed = leaf.parse_leaf(vector["leaf"].encode())
    assert parsed.encode().decode() == vector["leaf"]
    assert parsed.hash().hex() == vector["hash"]


@pytest.mark.parametrize("vector", named(load("leaf.json")["reject"]))
def test_leaf_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        leaf.parse_leaf(bytes.fromhex(vector["leaf"]))
    assert refused.value.code == vector["code"]


@pytest.mark.parametrize("vector", named(load("batch.json")["accept"]))
def test_batch_read(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["batch"])
    batch = decode_batch(data)
    kinds = [entry.code if isinstance(entry, Refused) else kind_of(entry) for entry in batch.entries]
    assert (batch.mtg, kinds) == (vector["mtg"], vector["entries"])
    good = [entry for entry in batch.entries if not isinstance(entry, Refused)]
    if len(good) == len(kinds):
        assert encode_batch(batch.mtg, good) == data


@pytest.mark.parametrize("vector", named(load("batch.json")["reject"]))
def test_batch_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        decode_batch(bytes.fromhex(vector["batch"]))
    assert refused.value.code == vector["code"]


def test_a_batch_over_the_limit_is_refused() -> None:
    rule = load("batch.json")["oversize"]
    with pytest.raises(Refused) as refused:
        decode_batch(bytes(rule["limit"] + 1))
    assert refused.value.code == rule["code"]
    with pytest.raises(Refused) as refused:
        decode_batch(bytes(rule["limit"]))
    assert refused.value.code == "BATCH_FORMAT"


class VectorLedger:
    def __init__(self, vector: dict[str, Any]) -> None:
        self.vector = vector

    def enrolment(self, sub: str) -> records.Enrolment | None:
        return records.enrolment_from_json(self.vector["enrolments"][sub])

    def session(self, ses: str) -> records.Session | None:
        return records.session_from_json(self.vector["sessions"][ses])

    def held(self, sub: str) -> HeldBallot | None:
        return None

    def mandate(self, sub: str) -> MandateRecord | None:
        return None

    def session_used(self, ses: str) -> str | None:
        return None


def test_a_voter_twice_in_a_batch_is_judged_once() -> None:
    vector = load("batch.json")["duplicates"]
    parsed, cap = meeting_of("ballot_accept.json", vector["meeting"])
    verdicts = judge_batch(decode_batch(bytes.fromhex(vector["batch"])), parsed, cap, VectorLedger(vector))
    codes = [verdict.code if isinstance(verdict, Refused) else "" for verdict in verdicts]
    assert codes == vector["verdicts"]
    assert all(isinstance(verdict, Refused | Accepted) for verdict in verdicts)


def test_acknowledgements() -> None:
    file = load("acknowledgement.json")
    key = certificates.public_key(records.decode_certificate(file["certificate"]))
    for vector in file["accept"]:
        signed = acknowledgement.parse_acknowledgement(vector["jws"])
        signed.verify(key)
        assert json.loads(signed.ack.payload()) == vector["payload"]
        assert signed.compact == vector["jws"]
        assert signed.ack.digest == file["digest"]


@pytest.mark.parametrize("vector", named(load("acknowledgement.json")["reject"]))
def test_acknowledgement_refused(vector: dict[str, Any]) -> None:
    key = certificates.public_key(records.decode_certificate(load("acknowledgement.json")["certificate"]))
    with pytest.raises(Refused) as refused:
        acknowledgement.parse_acknowledgement(vector["jws"]).verify(key)
    assert refused.value.code == vector["code"]


def test_mandates() -> None:
    file = load("mandate.json")
    key = certificates.public_key(records.decode_certificate(file["certificate"]))
    for vector in file["accept"]:
        signed = mandate.parse_mandate(vector["jws"])
        signed.verify(key)
        assert (signed.digest, signed.compact) == (vector["digest"], vector["jws"])
        assert json.loads(signed.mandate.payload()) == vector["payload"]
        assert signed.mandate.covers("m1")
        assert signed.mandate.covers("m2") == (signed.mandate.motions == "*")


@pytest.mark.parametrize("vector", named(load("mandate.json")["reject"]))
def test_mandate_refused(vector: dict[str, Any]) -> None:
    key = certificates.public_key(records.decode_certificate(load("mandate.json")["certificate"]))
    with pytest.raises(Refused) as refused:
        mandate.parse_mandate(vector["jws"]).verify(key)
    assert refused.value.code == vector["code"]


def test_revocations() -> None:
    file = load("mandate.json")
    key = certificates.public_key(records.decode_certificate(file["certificate"]))
    for vector in file["revocations"]["accept"]:
        signed = revocation.parse_revocation(vector["jws"])
        signed.verify(key)
        assert json.loads(signed.revocation.payload()) == vector["payload"]


@pytest.mark.parametrize("vector", named(load("mandate.json")["revocations"]["reject"]))
def test_revocation_refused(vector: dict[str, Any]) -> None:
    key = certificates.public_key(records.decode_certificate(load("mandate.json")["certificate"]))
    with pytest.raises(Refused) as caught:
        revocation.parse_revocation(vector["jws"]).verify(key)
    assert caught.value.code == vector["code"]


@pytest.mark.parametrize("vector", named(load("record.json")["accept"]))
def test_ballot_record(vector: dict[str, Any]) -> None:
    parsed, _ = meeting_of("ballot_accept.json", vector["meeting"])
    data = bytes.fromhex(vector["record"])
    held = ballot_record.parse_ballot_record(data, parsed)
    assert held.encode(parsed) == data
    assert record_json(held) == vector["ballot"]


@pytest.mark.parametrize("vector", named(load("record.json")["reject"]))
def test_no_ballot_record(vector: dict[str, Any]) -> None:
    parsed, _ = meeting_of("ballot_accept.json", vector["meeting"])
    with pytest.raises(ValueError, match=r"it is|is none"):
        ballot_record.parse_ballot_record(bytes.fromhex(vector["record"]), parsed)


def test_steps() -> None:
    for vector in load("step.json")["accept"]:
        parsed = step.parse_step(vector["step"].encode())
        assert (parsed.encode().decode(), parsed.digest) == (vector["step"], vector["digest"])


@pytest.mark.parametrize("vector", named(load("step.json")["reject"]))
def test_step_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        step.parse_step(vector["step"].encode())
    assert refused.value.code == vector["code"]


def test_commitments() -> None:
    for vector in load("commitment.json")["vectors"]:
        salt, evidence = bytes.fromhex(vector["salt"]), jcs.loads_canonical(vector["evidence"].encode())
        assert commitment.commit(salt, evidence) == vector["commitment"]
        assert commitment.commit(bytes(32), evidence) != vector["commitment"]


def verify_receipt_vector(vector: dict[str, Any], record: str | None = None) -> None:
    file = load("receipt.json")
    receipt.verify_receipt(
        receipt.parse_receipt(json.dumps(vector["receipt"]).encode()),
        meeting.parse_meeting((record or file["record"]).encode()),
        lender_root=records.decode_certificate(file["lender_root"]),
        door_root=records.decode_certificate(file["door_root"]),
    )


def test_receipt_verifies() -> None:
    for vector in load("receipt.json")["accept"]:
        verify_receipt_vector(vector)
        value = json.dumps(vector["receipt"], indent=1).encode()
        assert receipt.parse_receipt(value).encode() == jcs.dumps(vector["receipt"])


@pytest.mark.parametrize("vector", named(load("receipt.json")["reject"]))
def test_receipt_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        verify_receipt_vector(vector)
    assert refused.value.code == vector["code"]


def test_receipt_by_proxy_verifies() -> None:
    file = load("receipt.json")["by_proxy"]
    for vector in file["accept"]:
        verify_receipt_vector(vector, file["record"])
        value = json.dumps(vector["receipt"], indent=1).encode()
        assert receipt.parse_receipt(value).encode() == jcs.dumps(vector["receipt"])


@pytest.mark.parametrize("vector", named(load("receipt.json")["by_proxy"]["reject"]))
def test_receipt_by_proxy_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        verify_receipt_vector(vector, load("receipt.json")["by_proxy"]["record"])
    assert refused.value.code == vector["code"]


def test_base64url_and_ids_in_the_vectors_are_canonical() -> None:
    for entry in load("ballot_accept.json")["meetings"].values():
        assert base64url.is_canonical(entry["mh"], 32)


@pytest.mark.parametrize("vector", named(load("amendment.json")["accept"]))
def test_amendment_accepted(vector: dict[str, Any]) -> None:
    made = parse_amendment(vector["document"].encode())
    assert made.encode().decode() == vector["document"]
    assert made.digest == vector["digest"]


@pytest.mark.parametrize("vector", named(load("amendment.json")["reject"]))
def test_amendment_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        parse_amendment(bytes.fromhex(vector["document"]))
    assert caught.value.code == vector["code"]
