"""The verifier in one file: with no site-packages and no environment, it says what the service says."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from auditor.evidence.chain import block_name
from auditor.evidence.container import encode
from auditor.evidence.shown import as_json, as_text
from auditor.evidence.verify import verify_evidence
from auditor.log.head import parse_head_file, verify_head
from auditor.log.receipt import verify_audited
from auditor.log.service_db import ServiceDatabase
from auditor.log.shown import audited_json, head_text, promise_json
from auditor.replay.effect import composite
from client.encodings import jcs
from tests.unit.auditor.log.stage import DOOR_ROOT, LENDER_ROOT, LogStage
from tests.unit.auditor.meeting_player import CHANNEL, MTG

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.evidence.records import Held
    from tests.unit.auditor.builder import Network
    from tests.unit.auditor.evidence.case import Case

ROOT = Path(__file__).parents[4]


def built(*options: str) -> Path:
    command = [sys.executable, str(ROOT / "scripts" / "build-verifier"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def verifier() -> Path:
    return built()


class Ran:
    """One run of the verifier: nothing but this file and the interpreter's own library."""

    def __init__(self, verifier: Path, *arguments: object) -> None:
        command = [sys.executable, "-I", "-S", str(verifier), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, env={}, timeout=300, check=False)
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def value(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def trust(case: Case, tmp_path: Path) -> Path:
    path = tmp_path / "trust.json"
    path.write_bytes(jcs.dumps(case.trust.as_json()))
    return path


def test_it_verifies_a_package_as_the_service_does(
    case: Case, verifier: Path, trust: Path, tmp_path: Path
) -> None:
    package = tmp_path / "evidence.zip"
    package.write_bytes(case.package)
    verified = verify_evidence(case.package, case.trust)
    ran = Ran(verifier, "evidence", "verify", package, "--trust", trust, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.value == as_json(verified)
    assert Ran(verifier, "evidence", "verify", package, "--trust", trust).out == as_text(verified) + "\n"


def test_it_refuses_a_tampered_package(case: Case, verifier: Path, trust: Path, tmp_path: Path) -> None:
    package = tmp_path / "evidence.zip"
    name = next(one for one in case.files if one.startswith("blocks/arbitration"))
    changed = bytearray(case.files[name])
    changed[-1] ^= 1
    package.write_bytes(encode({**case.files, name: bytes(changed)}))
    ran = Ran(verifier, "evidence", "verify", package, "--trust", trust, "--json")
    assert (ran.code, ran.value["code"]) == (1, "EVIDENCE_FILE")
    assert name in ran.err
    package.write_bytes(case.signed({**case.files, "ballot.jws": case.files["ballot.jws"][:-4] + b"AAAA"}))
    ran = Ran(verifier, "evidence", "verify", package, "--trust", trust, "--json")
    assert (ran.code, ran.value["code"]) == (1, "EVIDENCE_BALLOT")


def test_it_verifies_receipts_and_heads_and_refuses_others(
    fabric: Network, verifier: Path, tmp_path: Path
) -> None:
    database = ServiceDatabase.open(f"sqlite:///{tmp_path / 'audit.db'}")
    stage = LogStage(fabric, database)
    head = stage.publish().encode()
    audited, receipt = stage.audited("bo").encode(), stage.receipt("bo")
    database.close()
    record = stage.player.scene.meeting.record
    named = {"head": head, "audited": audited, "receipt": receipt, "record": record}
    for name, data in {**named, "trust": jcs.dumps(stage.trust.as_json())}.items():
        (tmp_path / f"{name}.json").write_bytes(data)
    trust = ("--trust", tmp_path / "trust.json")
    ran = Ran(verifier, "receipt", "verify", tmp_path / "audited.json", *trust, "--json")
    assert (ran.code, ran.value) == (0, audited_json(verify_audited(audited, stage.trust)))
    signed = verify_head(parse_head_file(head), stage.regulator)
    ran = Ran(verifier, "head", "verify", tmp_path / "head.json", *trust)
    assert (ran.code, ran.out) == (0, head_text(signed) + "\n")
    plain = ["receipt", "verify", tmp_path / "receipt.json", "--record", tmp_path / "record.json", "--json"]
    for name, root in (("lender", LENDER_ROOT), ("door", DOOR_ROOT)):
        ran = Ran(verifier, *plain)
        assert (ran.code, ran.out) == (2, "")
        assert "nothing is trusted" in ran.err
        (tmp_path / f"{name}.pem").write_bytes(pem(root))
        plain += [f"--{name}-root", tmp_path / f"{name}.pem"]
    promise = verify_audited(audited, stage.trust).promise
    assert Ran(verifier, *plain).value == promise_json(promise, issuers_checked=True)
    other = stage.signer_of("AssociationMSP", "auditor").sign(signed.head).encode()
    (tmp_path / "head.json").write_bytes(other)
    ran = Ran(verifier, "head", "verify", tmp_path / "head.json", *trust)
    assert ran.code == 1
    assert "HEAD_SIGNER" in ran.err
    assert Ran(verifier, "receipt", "verify", tmp_path / "audited.json").code == 2
    assert Ran(verifier, "evidence", "verify", tmp_path / "none.zip", *trust).code == 2


def test_it_checks_issuers_and_shows_contradictions(fabric: Network, verifier: Path, tmp_path: Path) -> None:
    database = ServiceDatabase.open(f"sqlite:///{tmp_path / 'audit.db'}")
    stage = LogStage(fabric, database)
    signed = stage.publish()
    shrunk = stage.signer.sign(stage.next_head(signed.head, size=1, root=bytes(32)))
    files = {
        "audited.json": stage.audited("bo").encode(),
        "receipt.json": stage.receipt("bo"),
        "moved.json": stage.receipt("bo", tx="ab" * 32),
        "record.json": stage.player.scene.meeting.record,
        "head.json": signed.encode(),
        "shrunk.json": shrunk.encode(),
        "trust.json": jcs.dumps(stage.trust.as_json()),
        "leaves.json": stage.extract(database, signed.head.size).encode(),
        "lender.pem": pem(LENDER_ROOT),
        "door.pem": pem(DOOR_ROOT),
    }
    database.close()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    at = tmp_path.joinpath
    trust, record = ("--trust", at("trust.json")), ("--record", at("record.json"))
    roots = ("--lender-root", at("lender.pem"), "--door-root", at("door.pem"))
    swapped = ("--lender-root", at("door.pem"), "--door-root", at("lender.pem"))
    for file, given in (("audited.json", trust), ("receipt.json", record)):
        ran = Ran(verifier, "receipt", "verify", at(file), *given, *roots, "--json")
        assert (ran.code, ran.value["issuers_checked"]) == (0, True)
        assert Ran(verifier, "receipt", "verify", at(file), *given, *roots).out.startswith("genuine")
        assert Ran(verifier, "receipt", "verify", at(file), *given, *swapped).code == 1
        assert Ran(verifier, "receipt", "verify", at(file), *given, "--door-root", at("trust.json")).code == 2
    against = ("receipt", "contradict", at("audited.json"))
    assert "NO_CONTRADICTION" in Ran(verifier, *against, at("head.json"), *trust).err
    ran = Ran(verifier, *against, at("shrunk.json"), *trust, "--json")
    assert (ran.code, ran.value["kind"]) == (0, "shrunk")
    assert Ran(verifier, "receipt", "verify", at("receipt.json"), *record).code == 2
    old = ("receipt", "contradict", at("moved.json"), at("head.json"), *trust, *record)
    assert Ran(verifier, *old).code == 2
    ran = Ran(verifier, *old, "--leaves", at("leaves.json"), "--door-root", at("door.pem"), "--json")
    assert (ran.code, ran.value["kind"]) == (0, "moved")
    assert Ran(verifier, "receipt", "contradict", at("audited.json"), *trust).code == 2
    assert Ran(verifier, "head", "contradict", at("head.json"), at("shrunk.json"), *trust).code == 2


def pem(root: bytes) -> bytes:
    return x509.load_der_x509_certificate(root).public_bytes(Encoding.PEM)


_VECTORS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from auditor.portable.install import install
install()
from auditor.log.promise import parse_promise, verify_promise
from client.encodings.errors import Refused
from client.encodings.meeting import parse_meeting
answers = []
for case in json.load(sys.stdin):
    try:
        promise = parse_promise(case["receipt"].encode())
        roots = {name: bytes.fromhex(case[name]) for name in ("lender_root", "door_root")}
        verify_promise(promise, parse_meeting(case["record"].encode()), **roots)
        answers.append("")
    except Refused as refused:
        answers.append(refused.code)
print(json.dumps(answers))
"""


def test_both_implementations_judge_the_receipts_vectors_alike(verifier: Path) -> None:
    file = json.loads((ROOT / "tests" / "vectors" / "receipt.json").read_text("utf-8"))
    roots = {name: b64decode(file[name]).hex() for name in ("lender_root", "door_root")}
    vectors = [*file["accept"], *file["reject"]]
    cases = [
        {"receipt": json.dumps(one["receipt"]), "record": one.get("record", file["record"]), **roots}
        for one in vectors
    ]
    expected = [one.get("code", "") for one in vectors]
    program = [sys.executable, "-I", "-S", "-c", _VECTORS, str(verifier)]
    done = subprocess.run(
        program, input=json.dumps(cases), capture_output=True, text=True, env={}, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected
    assert len(set(expected)) > 5


def test_the_same_inputs_give_the_same_bytes(verifier: Path) -> None:
    before = verifier.read_bytes()
    assert built("--again").read_bytes() == before


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("proxied", ("mandate", "status"), "revoked"),
        ("amended", ("amended",), True),
        ("reweighed", ("reweighed", "fen"), 6_00),
        ("replaced", ("stands",), False),
        ("disputed", ("disputes", 0, "award", "remedy"), "recount"),
    ],
)
def test_it_verifies_every_kind_of_ballot_as_the_service_does(
    kind: str, path: tuple[str | int, ...], value: object, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    case: Case = request.getfixturevalue(kind)
    ran = _verified(case, case.package, tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert ran.value == as_json(verify_evidence(case.package, case.trust))
    found = ran.value
    for one in path:
        found = found[one]
    assert found == value


@pytest.mark.parametrize(
    ("kind", "without", "code"),
    [
        ("proxied", lambda held: held.mandates[0].place[0], "EVIDENCE_RECORD"),
        ("amended", lambda held: held.amendments[0].place[0], "EVIDENCE_AMENDMENT"),
        ("replaced", lambda held: held.channel.of(_own(held))[-1].place[0], "EVIDENCE_BALLOT"),
        ("disputed", lambda held: held.anchors[0].place[0], "EVIDENCE_OBJECTION"),
    ],
)
def test_it_refuses_every_kind_of_ballot_without_the_block_that_makes_it_so(
    kind: str, without: Callable[[Held], int], code: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A mandate, an amendment, a later ballot, the audit that an award rests on."""
    case: Case = request.getfixturevalue(kind)
    name = block_name(CHANNEL, without(verify_evidence(case.package, case.trust).held))
    files = {one: data for one, data in case.files.items() if one != name}
    assert len(files) == len(case.files) - 1
    ran = _verified(case, case.signed(files), tmp_path)
    assert (ran.code, ran.value["code"]) == (1, code)


def _own(held: Held) -> str:
    return composite("ballot", MTG, held.voter[0].sub)


def _verified(case: Case, package: bytes, folder: Path) -> Ran:
    (folder / "evidence.zip").write_bytes(package)
    (folder / "trust.json").write_bytes(jcs.dumps(case.trust.as_json()))
    trust = ("--trust", folder / "trust.json")
    return Ran(built(), "evidence", "verify", folder / "evidence.zip", *trust, "--json")
