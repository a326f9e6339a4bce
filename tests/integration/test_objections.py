"""Objections on the real network: filed, answered, decided, audited; and what is refused on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from client.cli.main import main
from client.encodings import base64url, jcs, jws
from client.encodings.anchor import HEAD_TYP, Anchor
from client.encodings.award import Answer, Award
from client.encodings.objection import parse_objection, sign_objection
from client.gateway.errors import EndorseError
from client.platform.chain import commit, refusal_code
from client.services import ARBITRATION, ASSOCIATION, REGULATOR
from tests.integration.meeting_stage import INSTITUTION, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.encodings.meeting import Meeting
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network

EVIDENCE = base64url.encode(b"e" * 32)


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    one = Stage.set(network.profile, tmp_path_factory.mktemp("objections"), 3)
    yield one
    one.close()


def refused(stage: Stage, msp: str, role: str, function: str, *arguments: str | bytes) -> str:
    with pytest.raises(EndorseError) as caught:
        commit(stage.services.arbitration(msp, role, INSTITUTION), function, *arguments)
    return refusal_code(caught.value) or ""


def in_objections(stage: Stage) -> Meeting:
    meeting = stage.open()
    with stage.services.relay(meeting.mtg, INSTITUTION) as relay:
        desk = stage.services.desk(meeting.mtg, taken=relay.wake)
        for signed in stage.ballots(meeting):
            desk.accept(signed.compact)
        relay.drain(60)
    stage.clock.advance(hours=2)
    for to in ("closing", "closed", "objections"):
        stage.step(meeting.mtg, to)
    return meeting


def objection(stage: Stage, meeting: Meeting, lender: int, obj: str, ground: str = "count") -> str:
    key = stage.keys[lender]
    return key.sign_objection(meeting, obj, ground, evidence=EVIDENCE, iat=stage.clock()).compact


@pytest.mark.usefixtures("home")
def test_an_objection_from_its_filing_to_the_certification(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONCORDAT_AUDIT_DATABASE_URL", f"sqlite:///{tmp_path / 'audit.db'}")
    meeting = in_objections(stage)
    in_time, late = meeting.closes_at, "2030-01-01T00:00:00Z"
    obj = base64url.encode(b"o" * 16)
    text = objection(stage, meeting, 0, obj)
    relay = stage.services.arbitration(ASSOCIATION, "relay", INSTITUTION)
    assert refused(stage, ASSOCIATION, "relay", "FileObjection", text, late) == "OBJECTION_LATE"
    assert refused(stage, REGULATOR, "officer", "FileObjection", text, in_time) == "NOT_AUTHORISED"
    commit(relay, "FileObjection", text, in_time)
    for again in (objection(stage, meeting, 0, obj, "claim"), objection(stage, meeting, 1, obj)):
        assert refused(stage, ASSOCIATION, "relay", "FileObjection", again, in_time) == "OBJECTION_EXISTS"
    answer = Answer(meeting.mtg, obj, "contests", EVIDENCE, in_time).encode()
    award = Award(meeting.mtg, obj, "upheld", "recount", EVIDENCE, in_time).encode()
    assert refused(stage, ARBITRATION, "officer", "AnswerObjection", answer) == "NOT_AUTHORISED"
    assert refused(stage, INSTITUTION, "officer", "DecideObjection", award) == "NOT_AUTHORISED"

    stage.clock.advance(hours=1)
    database = str(stage.services.database.engine.url)

    def anchor() -> None:
        report = str(tmp_path / "report")
        assert main(["audit", "anchor", meeting.mtg, "--database", database, "--report", report]) == 0

    def certification_refused() -> str:
        with pytest.raises(EndorseError) as caught:
            stage.services.convener(INSTITUTION).propose_step(meeting.mtg, "certified")
        return refusal_code(caught.value) or ""

    assert certification_refused() == "AUDIT_MISSING"
    anchor()
    assert certification_refused() == "OBJECTION_OPEN"
    commit(stage.services.arbitration(INSTITUTION, "officer", INSTITUTION), "AnswerObjection", answer)
    commit(stage.services.arbitration(ARBITRATION, "officer", INSTITUTION), "DecideObjection", award)
    assert certification_refused() == "AWARD_UNMET"
    anchor()
    stage.step(meeting.mtg, "certified")
    capsys.readouterr()
    assert main(["audit", "run", "--meeting", meeting.mtg, "--database", database, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert [one["size"] for one in found["anchors"]] == [3, 3]
    (one,) = found["objections"]
    assert (one["obj"], one["answer"]["position"], one["award"]["remedy"]) == (obj, "contests", "recount")


@pytest.mark.usefixtures("home")
def test_a_wrong_root_on_the_channel_is_named(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    meeting = in_objections(stage)
    signer = stage.services.profile.org(REGULATOR).identity("auditor")
    from client.ca import key_from_pem  # noqa: PLC0415
    from client.encodings.certificates import thumbprint  # noqa: PLC0415
    from client.enrolment.issuer import to_der  # noqa: PLC0415

    root = base64url.encode(b"r" * 32)
    names = {
        "v": 1,
        "mtg": meeting.mtg,
        "mh": meeting.mh,
        "channel": meeting.channel,
        "size": 3,
        "root": root,
    }
    head = names | {"block": 1, "block_hash": "ab" * 32, "time": meeting.closes_at}
    key = key_from_pem(signer.key.read_bytes())
    signed = jws.sign(HEAD_TYP, thumbprint(to_der(signer.cert.read_bytes())), jcs.dumps(head), key)
    said = Anchor(meeting.mtg, 3, root, "cd" * 32, "", "consistent", signed.compact)
    commit(stage.services.arbitration(REGULATOR, "auditor", INSTITUTION), "AnchorAudit", said.encode())
    stage.clock.advance(hours=1)
    with pytest.raises(EndorseError) as caught:
        stage.services.convener(INSTITUTION).propose_step(meeting.mtg, "certified")
    assert refusal_code(caught.value) == "AUDIT_MISMATCH"
    database = str(stage.services.database.engine.url)
    capsys.readouterr()
    assert main(["audit", "run", "--meeting", meeting.mtg, "--database", database, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(one["kind"], one["chain"]) for one in found["discrepancies"]] == [("unverified", root)]


@pytest.mark.usefixtures("home")
def test_objecting_by_commands(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONCORDAT_DATABASE_URL", str(stage.services.database.engine.url))
    mtg = stage.announce(objections_until="2099-01-01T00:00:00Z").mtg
    key, shown, kept = (tmp_path / name for name in ("key.json", "letter.txt", "kept.json"))
    stage.keys[2].save(key)
    shown.write_text("名册漏了我", encoding="utf-8")

    def run(*arguments: object) -> tuple[int, Any]:
        capsys.readouterr()
        code = main(["objection", *map(str, arguments), "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else said.err

    proof = ("--evidence", shown)
    filing = ("file", mtg, "--lender", key, "--ground", "left-out", *proof, "--out", kept)
    code, signed = run(*filing, "--only-sign")
    assert (code, run("list", mtg)) == (0, (0, []))
    code, filed = run(*filing)
    assert (code, filed["obj"]) == (0, signed["obj"])
    code, again = run(*filing, "--regulator")
    assert (code, again["obj"]) == (0, filed["obj"])
    obj = filed["obj"]
    answering = ("answer", mtg, obj, *proof, "--position")
    assert run(*answering, "accepts", "--out", tmp_path / "answer.json")[0] == 0
    code, said = run(*answering, "contests", "--out", tmp_path / "other.json")
    assert (code, "OBJECTION_ANSWERED" in said) == (2, True)
    deciding = ("decide", mtg, obj, *proof, "--award", "upheld", "--remedy", "amend")
    assert run(*deciding, "--out", tmp_path / "award.json")[0] == 0
    code, one = run("show", mtg, obj)
    assert (code, one["answer"]["position"], one["award"]["remedy"]) == (0, "accepts", "amend")
    assert run("list", mtg) == (0, [one])
    assert run("list", "nowhere")[0] == 2
    shown.write_text("另一封信", encoding="utf-8")
    assert "other evidence" in run(*filing)[1]


def test_what_the_channel_takes_from_no_lender(stage: Stage) -> None:
    """A foreign key, a forged signature, one objection more than a lender may file, a revoked key."""
    meeting = stage.open()
    in_time, lender, other = meeting.closes_at, stage.keys[0], stage.keys[1]

    def filing(text: str) -> str:
        return refused(stage, ASSOCIATION, "relay", "FileObjection", text, in_time)

    said = parse_objection(objection(stage, meeting, 0, base64url.encode(b"f" * 16))).objection
    foreign = sign_objection(said, other.x5t, other.key)
    forged = sign_objection(said, lender.x5t, other.key)
    assert [filing(one.compact) for one in (foreign, forged)] == ["KEY_FOREIGN", "SIGNATURE_INVALID"]
    relay = stage.services.arbitration(ASSOCIATION, "relay", INSTITUTION)
    for number in range(16):
        text = objection(stage, meeting, 0, base64url.encode(b"n" * 15 + bytes([number])))
        commit(relay, "FileObjection", text, in_time)
    assert filing(objection(stage, meeting, 0, base64url.encode(b"m" * 16))) == "OBJECTION_LIMIT"
    commit(relay, "FileObjection", objection(stage, meeting, 1, base64url.encode(b"m" * 16)), in_time)
    stage.step(meeting.mtg, "void", reason="16 objections of one lender")
    again = stage.open()
    stage.revoke(lender)
    assert filing(objection(stage, again, 0, base64url.encode(b"r" * 16))) == "KEY_REVOKED"
