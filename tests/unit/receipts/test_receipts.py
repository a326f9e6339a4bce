from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import update

from client.cli.main import main
from client.encodings import jcs
from client.errors import Negative, UserError
from client.platform.models import Ballot
from client.receipts import ReceiptOffice, verify
from tests.unit.platform.scene import VOTES, Authority, Scene

if TYPE_CHECKING:
    from client.platform import Database

TX = "ab" * 32


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def issued(scene: Scene, lender: int = 0) -> bytes:
    taken = scene.desk().accept(scene.ballot(lender).compact)
    with scene.database.write() as session:
        session.execute(update(Ballot).values(status="committed", tx=TX, block=7))
    return ReceiptOffice(scene.database, "m-1", scene.signer).issue(taken.digest).encode()


def test_a_receipt_says_what_was_cast_and_where_it_is(scene: Scene) -> None:
    verified = verify(issued(scene), scene.meeting)
    assert (verified.votes, verified.block, verified.tx) == (VOTES, 7, TX)
    assert (verified.sub, verified.fen, verified.acknowledgement) == (scene.keys[0].sub, 100_00, 1)
    assert not verified.issuers_checked


def test_with_the_roots_the_issuers_are_verified_too(scene: Scene) -> None:
    data = issued(scene)
    roots = {"lender_root": scene.lender_ca.root_der, "door_root": scene.door_ca.root_der}
    assert verify(data, scene.meeting, **roots).issuers_checked
    for name in roots:
        with pytest.raises(Negative) as caught:
            verify(data, scene.meeting, **{**roots, name: Authority("other").root_der})
        assert caught.value.code == "CERT_CHAIN"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"block": 8}, "RECEIPT_MISMATCH"),
        ({"tx": "cd" * 32}, "RECEIPT_MISMATCH"),
        ({"channel": "arbitration-institutionb"}, "RECEIPT_MISMATCH"),
        ({"index": 9}, "ROLL_PROOF"),
        ({"proof": []}, "ROLL_PROOF"),
        ({"v": 2}, "RECEIPT_FORMAT"),
        ({"tx": "xyz"}, "RECEIPT_FORMAT"),
        ({"amended": {"no": 1, "digest": "A" * 43, "after": {}}}, "RECEIPT_FORMAT"),
    ],
)
def test_an_altered_receipt_is_refused(scene: Scene, changes: dict[str, Any], code: str) -> None:
    data = jcs.dumps(jcs.loads(issued(scene)) | changes)
    with pytest.raises(Negative) as caught:
        verify(data, scene.meeting)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ("ballot", "ACK_MISMATCH"),
        ("ack", "ACK_MISMATCH"),
        ("leaf", "ROLL_LEAF_FOREIGN"),
        ("cert", "KEY_FOREIGN"),
        ("signature", "RECEIPT_MISMATCH"),
    ],
)
def test_parts_of_another_receipt_are_refused(scene: Scene, part: str, code: str) -> None:
    one, other = jcs.loads(issued(scene, 0)), jcs.loads(issued(scene, 1))
    swapped = {part: other[part]}
    if part == "ballot":  # with the certificate and leaf that go with it, only the acknowledgement is foreign
        swapped |= {name: other[name] for name in ("cert", "leaf", "index", "proof")}
    with pytest.raises(Negative) as caught:
        verify(jcs.dumps(one | swapped), scene.meeting)
    assert caught.value.code == code


def test_a_receipt_of_another_meeting_is_refused(scene: Scene) -> None:
    data = issued(scene)
    with pytest.raises(Negative, match="BALLOT_MEETING"):
        verify(data, scene.hold("m-2"))


def test_there_is_no_receipt_before_the_ballot_is_committed(scene: Scene) -> None:
    taken = scene.desk().accept(scene.ballot(0).compact)
    office = ReceiptOffice(scene.database, "m-1", scene.signer)
    with pytest.raises(UserError, match="queued"):
        office.issue(taken.digest)
    with pytest.raises(UserError, match="took no ballot"):
        office.issue("A" * 43)


# -- the command -------------------------------------------------------------------------------------------


@pytest.fixture
def files(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "receipt.json").write_bytes(issued(scene))
    (folder / "record.json").write_bytes(scene.meeting.record)
    for name, authority in (("lender.pem", scene.lender_ca), ("door.pem", scene.door_ca)):
        root = x509.load_der_x509_certificate(authority.root_der)
        (folder / name).write_bytes(root.public_bytes(Encoding.PEM))
    monkeypatch.setenv("CONCORDAT_HOME", str(folder / "home"))
    return folder


def run(*arguments: str) -> int:
    return main(["receipt", "verify", *arguments])


def test_the_command_verifies_offline(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [str(files / "receipt.json"), "--record", str(files / "record.json")]
    roots = ["--lender-root", str(files / "lender.pem"), "--door-root", str(files / "door.pem")]
    assert run(*given, *roots, "--json") == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["verified"], value["issuers_checked"]) == (True, True)
    assert run(*given, *roots) == 0
    assert capsys.readouterr().out.startswith("genuine: ballot ")
    swapped = ["--lender-root", str(files / "door.pem"), "--door-root", str(files / "lender.pem")]
    assert run(*given, *swapped, "--json") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["code"] == "CERT_CHAIN"
    assert not (files / "home").exists()


@pytest.mark.parametrize("root", [None, "lender", "door"])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_without_both_roots_nothing_is_verified(
    files: Path, capsys: pytest.CaptureFixture[str], root: str | None, form: tuple[str, ...]
) -> None:
    """Whoever makes a file can make certificates and keys for it, too."""
    given = [] if root is None else [f"--{root}-root", str(files / f"{root}.pem")]
    assert run(str(files / "receipt.json"), "--record", str(files / "record.json"), *given, *form) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "nothing is trusted" in said.err


def test_the_command_says_no_with_the_code(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    altered = files / "altered.json"
    altered.write_bytes(jcs.dumps(jcs.loads((files / "receipt.json").read_bytes()) | {"block": 8}))
    assert run(str(altered), "--record", str(files / "record.json"), "--json") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["code"] == "RECEIPT_MISMATCH"
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("name", ["missing.json", "record.json"])
def test_what_is_no_receipt_is_one_clear_line(
    files: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(str(files / name)) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_a_record_it_is_asked_for(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(files / "receipt.json")) == 2
    assert "--record" in capsys.readouterr().err
    assert not (files / "home").exists()


def test_a_receipt_by_an_amendment_names_its_meeting_too(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vectors = json.loads((Path(__file__).parents[2] / "vectors" / "receipt.json").read_text("utf-8"))
    amended = next(one["receipt"] for one in vectors["accept"] if "amended" in one["receipt"])
    (files / "amended.json").write_bytes(jcs.dumps(amended))
    assert run(str(files / "amended.json")) == 2
    assert "--record" in capsys.readouterr().err
    (files / "amended.json").write_bytes(jcs.dumps({**amended, "ballot": 7}))
    assert run(str(files / "amended.json")) == 2
    assert "it names no meeting" in capsys.readouterr().err
