"""The auditor's own judge and rules agree with the vectors that chaincode and clients are held to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.replay.amending import confirm_amendment
from auditor.replay.amendments import PendingAmendment
from auditor.replay.effect import composite
from auditor.replay.judgement import Bench, Judgement, judge
from auditor.replay.meetings import MeetingState
from auditor.replay.people import Enrolment, Session
from auditor.rules import Change, CountedBallot, result_bytes, tally
from client.encodings import cbor, jcs
from client.encodings.amendment import Amended, parse_amendment, parse_change
from client.encodings.ballot_record import BallotRecord, parse_ballot_record
from client.encodings.batch import decode_entry
from client.encodings.entries import read_entry
from client.encodings.errors import Refused
from client.encodings.leaf import parse_claims
from client.encodings.mandate_record import MandateRecord, parse_mandate_record
from client.encodings.meeting import Meeting, parse_meeting

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


def load(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return value


def ballots() -> list[Any]:
    return [
        pytest.param(
            file["meetings"][vector["meeting"]], vector, id=f"{name} {vector['name']} {vector['kind']}"
        )
        for name in ("accept", "reject")
        for file in [load(f"ballot_{name}.json")]
        for vector in file["vectors"]
    ]


def judged(meeting: Meeting, cap: list[bytes], vector: dict[str, Any]) -> Judgement:
    try:
        candidate = read_entry(decode_entry(bytes.fromhex(vector["entry"])), meeting)
    except Refused as refusal:
        return Judgement("refused", refusal.code)
    held, enrolment, session = vector["held"], vector["enrolment"], vector["session"]
    return judge(
        candidate,
        Bench(
            meeting=meeting,
            cap=cap,
            enrolment=Enrolment(**without_version(enrolment)) if enrolment else None,
            session=Session(**without_version(session)) if session else None,
            held=standing_ballot(held) if held else None,
            session_used=vector["session_used"] is not None,
            amended=amended_of(vector),
            mandate=mandate_of(vector),
        ),
    )


def amended_of(vector: dict[str, Any]) -> Amended | None:
    if "amended" not in vector:
        return None
    before, after = vector["amended"]
    change = parse_change({"sub": "A" * 22, "before": before, "after": after})
    return Amended(change.before, change.after)


def mandate_of(vector: dict[str, Any]) -> MandateRecord | None:
    return parse_mandate_record(jcs.dumps(vector["mandate"])) if "mandate" in vector else None


def standing_ballot(held: dict[str, Any]) -> BallotRecord:
    return BallotRecord(
        *(0, 1, 0, (), held["digest"], 1, held["seq"], held["ses"], {}), proxy=held.get("proxy")
    )


def without_version(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "v"}


@pytest.mark.parametrize(("meeting", "vector"), ballots())
def test_ballot_vectors(meeting: dict[str, Any], vector: dict[str, Any]) -> None:
    parsed = parse_meeting(meeting["record"].encode())
    found = judged(parsed, cbor.loads(bytes.fromhex(meeting["cap"])), vector)
    assert (found.kind, found.code) == (vector["expect"], vector["code"])


def counted(value: dict[str, Any], votes: Any) -> CountedBallot:
    answers = {motion: vote if isinstance(vote, str) else tuple(vote) for motion, vote in votes.items()}
    return CountedBallot(parse_claims(value["claims"]), answers, tuple(value["excluded"]))


@pytest.mark.parametrize(
    "vector", [pytest.param(one, id=one["name"]) for one in load("rules.json")["vectors"]]
)
def test_rules_vectors(vector: dict[str, Any]) -> None:
    meeting = parse_meeting(vector["record"].encode())
    whole, revotes = Change(meeting), Change(meeting)
    for value in vector["ballots"]:
        ballot = counted(value, value["votes"])
        before = counted(value, value["replaces"]) if value["replaces"] is not None else None
        whole.add(ballot, before)
        if before is not None:
            revotes.add(ballot, before)
    assert whole.encode().decode() == vector["subtotal"]
    assert revotes.encode().decode() == vector["revotes"]


def standing(vector: dict[str, Any]) -> list[CountedBallot]:
    """The ballots that stand: each one that is replaced taken out once."""
    ballots: list[CountedBallot] = []
    for value in vector["ballots"]:
        if value["replaces"] is not None:
            ballots.remove(counted(value, value["replaces"]))
        ballots.append(counted(value, value["votes"]))
    return ballots


@pytest.mark.parametrize(
    "vector", [pytest.param(one, id=one["name"]) for one in load("rules.json")["vectors"]]
)
def test_result_vectors(vector: dict[str, Any]) -> None:
    meeting = parse_meeting(vector["record"].encode())
    assert result_bytes(meeting, tally(meeting, standing(vector))).decode() == vector["result"]


AMENDMENTS = load("amendment.json")


def amended_meeting(ballots: dict[str, str] | None) -> MeetingState:
    record = parse_meeting(AMENDMENTS["record"].encode())
    held = {sub: parse_ballot_record(bytes.fromhex(one), record) for sub, one in (ballots or {}).items()}
    return MeetingState(record, (), state="open", held=held)


def test_amendment_vectors() -> None:
    state = amended_meeting(AMENDMENTS["sequence"]["ballots"])
    mtg = state.record.mtg
    for number, vector in enumerate(AMENDMENTS["sequence"]["amendments"]):
        pending = PendingAmendment("InstitutionAMSP", vector["document"].encode())
        effect = confirm_amendment(state, pending, "tx")
        assert effect.writes[composite("amendments", mtg)] == bytes.fromhex(vector["overlay"])
        ballots = {
            composite("ballot", mtg, sub): bytes.fromhex(one) for sub, one in vector["ballots"].items()
        }
        written = {key: value for key, value in effect.writes.items() if key.startswith("\x00ballot")}
        assert written == ballots
        subtotal = effect.writes.get(composite("subtotal", mtg, "tx"))
        assert (subtotal and subtotal.decode()) == vector["subtotal"]
        roll = state.amended.roll.as_json()
        assert {name: roll[name] for name in vector["roll"]} == vector["roll"], number
        assert state.amended.mh == state.record.mh


@pytest.mark.parametrize("vector", [pytest.param(one, id=one["name"]) for one in AMENDMENTS["refused"]])
def test_amendments_that_a_meeting_refuses(vector: dict[str, Any]) -> None:
    state = amended_meeting(vector["ballot"])
    with pytest.raises(Refused) as caught:
        state.amend(parse_amendment(vector["document"].encode()))
    assert caught.value.code == vector["code"]
