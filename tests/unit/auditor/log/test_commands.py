"""The log's commands: what they print, write and refuse, and with which exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from auditor.log.extract import parse_extract
from auditor.log.head import parse_head_file, verify_head
from auditor.log.proofs import verify_consistency, verify_inclusion
from auditor.log.service_db import ServiceDatabase, database_url
from auditor.portal.code import ReceiptCode, parse_code, read_picture
from client.cli.main import main
from client.encodings import base64url, jcs
from tests.unit.auditor.log.stage import DOOR_ROOT, LATER, LENDER_ROOT, NOW, LogStage
from tests.unit.auditor.meeting_player import MTG
from tests.vectors.scene import certificate_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.auditor.builder import Network


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("CONCORDAT_HOME", str(folder))
    monkeypatch.delenv("CONCORDAT_AUDIT_DATABASE_URL", raising=False)
    return folder


@pytest.fixture
def stage(fabric: Network, home: Path) -> Iterator[LogStage]:
    """A meeting that is logged in the home's own database, twice, with files of what the log handed out."""
    database = ServiceDatabase.open(database_url(home))
    one = LogStage(fabric, database)
    one.publish()
    one.player.submit([("chen", 3, {})])
    one.publish(LATER)
    (home / "record.json").write_bytes(one.player.scene.meeting.record)
    (home / "receipt.json").write_bytes(one.receipt("bo"))
    (home / "audited.json").write_bytes(one.audited("bo").encode())
    (home / "pinned.json").write_bytes(jcs.dumps(one.trust.as_json()))
    yield one
    database.close()


class Ran:
    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> None:
        self.code = main([str(one) for one in arguments])
        output = capsys.readouterr()
        self.out, self.err = output.out, output.err

    @property
    def value(self) -> Any:
        return json.loads(self.out)


def test_the_newest_head(stage: LogStage, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "audit", "head", MTG, "--json", "--out", home / "head.json")
    assert (ran.code, ran.value["size"], ran.value["time"]) == (0, 3, LATER)
    signed = parse_head_file((home / "head.json").read_bytes())
    assert verify_head(signed, stage.regulator).head.size == 3
    assert ran.value["head"] == signed.compact
    assert f"{MTG}: 3 ballots" in Ran(capsys, "audit", "head", MTG).out


def test_a_proof_of_inclusion(stage: LogStage, capsys: pytest.CaptureFixture[str]) -> None:
    digest = stage.ballot("bo").digest
    value = Ran(capsys, "audit", "proof", MTG, "--ballot", digest, "--json").value
    assert (value["leaf"]["digest"], value["index"], value["size"]) == (digest, 1, 3)
    head = parse_head_file(
        jcs.dumps(
            {"v": 1, "type": "concordat-head", "head": value["head"], "certificates": value["certificates"]}
        )
    ).head
    path = [base64url.decode(node) for node in value["path"]]
    verify_inclusion(jcs.dumps(value["leaf"]), index=1, size=3, path=path, root=head.root)
    assert f"ballot {digest} is leaf 1 of 3" in Ran(capsys, "audit", "proof", MTG, "--ballot", digest).out


def test_a_ballot_that_is_not_in_the_log(stage: LogStage, capsys: pytest.CaptureFixture[str]) -> None:
    ran = Ran(capsys, "audit", "proof", MTG, "--ballot", "A" * 43)
    assert (ran.code, ran.out) == (1, "")
    assert "LOG_ABSENT" in ran.err


def test_a_proof_of_consistency(stage: LogStage, capsys: pytest.CaptureFixture[str]) -> None:
    value = Ran(capsys, "audit", "consistency", MTG, "--from", "2", "--to", "3", "--json").value
    verify_consistency(
        first=value["from"],
        second=value["to"],
        first_root=base64url.decode(value["from_root"]),
        second_root=base64url.decode(value["to_root"]),
        path=[base64url.decode(node) for node in value["path"]],
    )
    for sizes, code in ((("3", "2"), "LOG_SIZES"), (("2", "4"), "LOG_PLACE")):
        ran = Ran(capsys, "audit", "consistency", MTG, "--from", sizes[0], "--to", sizes[1])
        assert ran.code == 1
        assert code in ran.err


def test_a_blocks_leaves(stage: LogStage, capsys: pytest.CaptureFixture[str]) -> None:
    block = str(stage.ballot("chen").block)
    ran = Ran(capsys, "audit", "leaves", MTG, "--block", block)
    assert [one.index for one in parse_extract(ran.out.encode()).leaves] == [1, 2]
    earlier = Ran(capsys, "audit", "leaves", MTG, "--block", block, "--size", "2")
    assert parse_extract(earlier.out.encode()).size == 2


@pytest.mark.parametrize("command", [("head",), ("proof", "--ballot", "A" * 43), ("leaves", "--block", "1")])
def test_a_meeting_without_a_head(
    home: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    ran = Ran(capsys, "audit", command[0], "m-none", *command[1:])
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "--sign" in ran.err


@pytest.mark.parametrize("command", [("head", "m", "--sign"), ("trust",)])
def test_without_a_network(home: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    ran = Ran(capsys, "audit", *command)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "network up" in ran.err


def test_a_database_that_is_none(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in ("mysql://localhost/x", "no url", f"sqlite:///{home}"):
        monkeypatch.setenv("CONCORDAT_AUDIT_DATABASE_URL", url)
        ran = Ran(capsys, "audit", "head", MTG)
        assert (ran.code, ran.err.count("\n")) == (2, 1)


# Audited receipts


def test_a_receipt_becomes_an_audited_one(
    stage: LogStage, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, digest = home / "made.json", stage.ballot("bo").digest
    options = ["--receipt", home / "receipt.json", "--record", home / "record.json", "--out", made]
    assert Ran(capsys, "audit", "proof", MTG, "--ballot", digest, *options).code == 0
    assert made.read_bytes() == (home / "audited.json").read_bytes()
    alone = Ran(capsys, "audit", "proof", MTG, "--ballot", digest, "--out", made)
    assert (alone.code, alone.err.count("\n")) == (2, 1)
    made.unlink()
    foreign = Ran(capsys, "audit", "proof", MTG, "--ballot", stage.ballot("an").digest, *options)
    assert foreign.code == 1
    assert "AUDITED_MISMATCH" in foreign.err
    assert not made.exists()
    unwritable = [*options[:-1], home / "none" / "made.json"]
    assert Ran(capsys, "audit", "proof", MTG, "--ballot", digest, *unwritable).code == 2


def test_an_audited_receipt_verifies_against_the_trust_given(
    stage: LogStage, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audited, trust = home / "audited.json", home / "pinned.json"
    ran = Ran(capsys, "receipt", "verify", audited, "--trust", trust, "--json")
    assert (ran.code, ran.value["verified"], ran.value["accepted"]) == (0, True, True)
    assert (ran.value["digest"], ran.value["index"]) == (stage.ballot("bo").digest, 1)
    assert ran.value["votes"] == {"m1": "approve", "m2": "reject"}
    assert ran.value["head"]["size"] == 3
    said = Ran(capsys, "receipt", "verify", audited, "--trust", trust).out
    assert "genuine and accepted" in said


def test_an_audited_receipt_verifies_against_the_pinned_trust(
    stage: LogStage, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audited = home / "audited.json"
    nothing = Ran(capsys, "receipt", "verify", audited)
    assert (nothing.code, nothing.out, nothing.err.count("\n")) == (2, "", 1)
    assert "--trust" in nothing.err
    (home / "pinned.json").rename(home / "trust.json")
    assert Ran(capsys, "receipt", "verify", audited).code == 0


def test_an_audited_receipt_that_is_not_genuine(
    stage: LogStage, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    altered = home / "altered.json"
    altered.write_bytes((home / "audited.json").read_bytes().replace(b'"index":1', b'"index":0'))
    ran = Ran(capsys, "receipt", "verify", altered, "--trust", home / "pinned.json", "--json")
    assert (ran.code, ran.value["verified"], ran.value["code"]) == (1, False, "LOG_ROOT")
    assert ran.err.count("\n") == 1
    roots = [(LENDER_ROOT, "--lender-root"), (certificate_of("x-ca", "x-ca", "x-ca"), "--door-root")]
    for root, option in roots:
        (home / "root.pem").write_bytes(pem(root))
        options = ["--trust", home / "pinned.json", option, home / "root.pem"]
        ran = Ran(capsys, "receipt", "verify", home / "audited.json", *options)
        assert ran.code == (0 if root == LENDER_ROOT else 1)


def test_a_receipt_of_old_is_held_against_the_networks_trusted(
    stage: LogStage, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["receipt", "verify", home / "receipt.json", "--record", home / "record.json"]
    assert Ran(capsys, *command, "--trust", home / "pinned.json").code == 2  # which names neither's issuer
    for name, root in (("lender", LENDER_ROOT), ("door", DOOR_ROOT)):
        (home / f"{name}.pem").write_bytes(pem(root))
        command += [f"--{name}-root", home / f"{name}.pem"]
    assert Ran(capsys, *command).code == 0
    assert Ran(capsys, *command, "--trust", home / "pinned.json").code == 0
    elsewhere = (
        (home / "pinned.json")
        .read_bytes()
        .replace(stage.player.genesis["identity"].hex().encode(), b"ab" * 32)
    )
    (home / "pinned.json").write_bytes(elsewhere)
    ran = Ran(capsys, *command, "--trust", home / "pinned.json")
    assert ran.code == 1
    assert "TRUST_GENESIS" in ran.err


def test_a_head_is_verified_offline(stage: LogStage, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, trust = home / "head.json", ["--trust", home / "pinned.json"]
    Ran(capsys, "audit", "head", MTG, "--out", head)
    ran = Ran(capsys, "head", "verify", head, *trust, "--json")
    assert (ran.code, ran.value["size"], ran.value["verified"]) == (0, 3, True)
    assert "3 ballots" in Ran(capsys, "head", "verify", head, *trust).out
    assert Ran(capsys, "head", "verify", head).code == 2
    assert Ran(capsys, "head", "verify", home / "none", *trust).code == 2
    signed = parse_head_file(head.read_bytes()).head
    head.write_bytes(stage.signer_of("AssociationMSP", "auditor").sign(signed).encode())
    ran = Ran(capsys, "head", "verify", head, *trust, "--json")
    assert (ran.code, ran.value["code"]) == (1, "HEAD_SIGNER")


def pem(root: bytes) -> bytes:
    return x509.load_der_x509_certificate(root).public_bytes(Encoding.PEM)


def test_a_receipt_against_a_head(stage: LogStage, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audited, head = home / "audited.json", home / "head.json"
    trust = ["--trust", home / "pinned.json"]
    newest = Ran(capsys, "audit", "head", MTG, "--out", head)
    assert newest.code == 0
    agreed = Ran(capsys, "receipt", "contradict", audited, head, *trust)
    assert agreed.code == 1
    assert "NO_CONTRADICTION" in agreed.err
    other = parse_head_file(head.read_bytes()).head
    head.write_bytes(stage.signer.sign(stage.next_head(other, time=NOW, size=1, root=bytes(32))).encode())
    ran = Ran(capsys, "receipt", "contradict", audited, head, *trust, "--json")
    assert (ran.code, ran.value["kind"]) == (0, "shrunk")
    assert Ran(capsys, "receipt", "contradict", audited, head, *trust).out.startswith("shrunk: ballot ")
    assert Ran(capsys, "receipt", "contradict", audited, head).code == 2


def test_a_receipt_of_old_against_a_head(
    stage: LogStage, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head, leaves, root = home / "head.json", home / "leaves.json", home / "root.pem"
    Ran(capsys, "audit", "head", MTG, "--out", head)
    block = str(stage.ballot("bo").block)
    leaves.write_text(Ran(capsys, "audit", "leaves", MTG, "--block", block).out)
    root.write_bytes(pem(DOOR_ROOT))
    common = ["--trust", home / "pinned.json", "--record", home / "record.json"]
    command = ["receipt", "contradict", home / "receipt.json", head, *common, "--leaves", leaves]
    assert "NO_CONTRADICTION" in Ran(capsys, *command, "--door-root", root).err
    moved = home / "moved.json"
    moved.write_bytes(stage.receipt("bo", tx="ab" * 32))
    command[2] = moved
    assert Ran(capsys, *command, "--door-root", root, "--json").value["kind"] == "moved"
    for options in ([], ["--door-root", leaves], ["--door-root", home / "none"]):
        ran = Ran(capsys, *command, *options)
        assert (ran.code, ran.err.count("\n")) == (2, 1)


def test_a_receipts_code_as_text_and_as_a_picture_that_the_portal_reads(
    stage: LogStage, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "receipt.json").write_bytes(stage.receipt("bo"))
    found = stage.ballot("bo")
    plain = Ran(capsys, "receipt", "code", home / "receipt.json", "--json").value["code"]
    assert parse_code(plain) == ReceiptCode("institutiona", MTG, found.digest, found.block, found.tx)
    ran = Ran(capsys, "receipt", "code", home / "audited.json", "--qr", home / "code.png")
    assert (ran.code, ran.out) == (0, f"{plain}:1\n")
    assert read_picture((home / "code.png").read_bytes()) == f"{plain}:1"


@pytest.mark.usefixtures("stage")
def test_no_code_of_what_is_no_receipt(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "other.json").write_bytes(b"{}")
    refused = Ran(capsys, "receipt", "code", home / "other.json", "--qr", home / "code.png")
    assert (refused.code, refused.err.count("\n"), (home / "code.png").exists()) == (1, 1, False)
    assert "RECEIPT_FORMAT" in refused.err
    assert Ran(capsys, "receipt", "code", home / "none.json").code == 2
    unwritable = home / "none" / "code.png"
    ran = Ran(capsys, "receipt", "code", home / "audited.json", "--qr", unwritable)
    assert (ran.code, "can't be written" in ran.err) == (2, True)
