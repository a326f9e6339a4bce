"""`concordat roll`: check, diff, correct, countersign, verify and check-own, from end to end."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from client.cli.main import main
from client.platform import Database
from client.platform.models import Meeting
from client.rolls import read_roll, write_roll
from client.rolls.changes import COLUMNS
from tests.unit.rolls.officers import Authority
from tests.unit.rolls.scene import DECISION, REGISTER, SNAPSHOT, small_roll, sub_of

if TYPE_CHECKING:
    from pathlib import Path


class Desk:
    """A folder with a roll, an officer's credentials, and the command."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.file = folder / "m-1.jsonl"
        self.roll = small_roll()
        self._capsys = capsys
        write_roll(self.roll, self.file)
        self.authority = Authority()
        officer = self.authority.issue("officer")
        for name, data in (
            ("ca.pem", self.authority.root.pem),
            ("officer.pem", officer.pem),
            ("officer.key", officer.key_pem),
            ("letter.pdf", b"%PDF a letter"),
        ):
            (folder / name).write_bytes(data)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        code = main(["roll", *arguments])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def answer(self, *arguments: str) -> Any:
        code, out, err = self(*arguments, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    def refused(self, *arguments: str, code: int) -> str:
        files = {path: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        got, out, err = self(*arguments)
        assert (got, out, err.count("\n")) == (code, "", 1)
        assert {path: path.read_bytes() for path in self.folder.iterdir() if path.is_file()} == files
        return err

    def correct(self, *, id_no: str, **options: str) -> tuple[str, ...]:
        named = {"reason": "a letter", "who": "Clerk Sun", "source": "letter.pdf"} | options
        flat = [part for name, value in named.items() for part in (f"--{name.rstrip('_')}", value)]
        return ("correct", "m-1.jsonl", "--sub", sub_of(self.roll, id_no), *flat)

    def countersign(self) -> Any:
        return self.answer("countersign", "m-1.jsonl", "--certificate", "officer.pem", "--key", "officer.key")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.setenv("CONCORDAT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, capsys)


def test_totals_from_elsewhere(desk: Desk) -> None:
    right = ("--heads", "3", "--claims", "4", "--yuan", "21010.55")
    classes = ("--class", "individual=3:21007.55", "--class", "wealth-plan=1:3")
    assert desk.answer("check", "m-1.jsonl", *right, *classes)["checked"]
    code, out, _ = desk("check", "m-1.jsonl", *right)
    assert (code, "as expected" in out, "excluded from m1: 1 lenders" in out, "disputed: 3.00" in out) == (
        0,
        True,
        True,
        True,
    )
    assert "21010.55 yuan, not 21010.56" in desk.refused("check", "m-1.jsonl", "--yuan", "21010.56", code=1)


def test_two_versions(desk: Desk) -> None:
    write_roll(small_roll(register=REGISTER.replace("1000.50", "999")), desk.folder / "b.jsonl")
    value = desk.answer("diff", "m-1.jsonl", "b.jsonl")
    assert (value["same"], len(value["changed"]), value["changed"][0]["what"]) == (False, 1, ["claims"])
    assert value["before"]["fen"] - value["after"]["fen"] == 150
    _, out, _ = desk("diff", "m-1.jsonl", "b.jsonl")
    assert "0 added, 0 removed, 1 changed" in out
    assert desk.answer("diff", "m-1.jsonl", "m-1.jsonl")["same"]


def test_a_correction_and_its_log(desk: Desk) -> None:
    command = desk.correct(id_no="Z-0001", column="claim_yuan", class_="individual", old="7.05", new="8")
    value = desk.answer(*command)
    log = desk.folder / "m-1.corrections.jsonl"
    assert value["corrections"] == {"count": 1, "sha256": hashlib.sha256(log.read_bytes()).hexdigest()}
    assert (log.stat().st_mode & 0o777, desk.file.stat().st_mode & 0o777) == (0o600, 0o600)
    assert read_roll(desk.file).find("Z-0001").leaf.fen == 800
    (entry,) = desk.answer("corrections", "m-1.jsonl")["corrections"]
    letter = hashlib.sha256(b"%PDF a letter").hexdigest()
    assert (entry["old"], entry["new"], entry["source_sha256"]) == ("7.05", "8.00", letter)
    assert "is '8.00' on the roll, not '7.05'" in desk.refused(*command, code=2)
    _, out, _ = desk("corrections", "m-1.jsonl")
    assert "'7.05' -> '8.00': a letter (Clerk Sun)" in out
    log.write_bytes(log.read_bytes().replace(b"Clerk Sun", b"Clerk Sum"))
    assert "another hash" in desk.refused("corrections", "m-1.jsonl", code=1)
    log.unlink()
    assert "can't be read" in desk.refused("corrections", "m-1.jsonl", code=2)
    assert "needs its log" in desk.refused(*command, code=2)


@pytest.mark.parametrize(("state", "code"), [("draft", 0), ("announced", 2), ("closed", 2), ("void", 2)])
def test_a_frozen_roll_is_corrected_no_more(desk: Desk, state: str, code: int) -> None:
    meeting = Meeting(
        mtg="m-1",
        institution="A",
        channel="a",
        record="{}",
        mh="x",
        cap=b"",
        state=state,
        created_at=SNAPSHOT,
    )
    database = Database.open(f"sqlite:///{desk.folder / 'home' / 'platform.db'}")
    with database.write() as session:
        session.add(meeting)
    database.close()
    correction = desk.correct(id_no="Z-0001", column="phone", old="10000000003")
    if code == 0:
        assert desk.answer(*correction)["corrected"] == 1
    else:
        assert f"is {state}: its roll is frozen" in desk.refused(*correction, code=code)


def test_corrections_from_a_table(desk: Desk) -> None:
    sub = sub_of(desk.roll, "E1234567")
    rows = [
        f"{sub},phone,,10000000001,10000000009,moved,Clerk Sun,{DECISION}",
        f"{sub},decision,individual,,{DECISION},decided,Clerk Sun,{DECISION}",
    ]
    table = desk.folder / "c.csv"
    table.write_text("\n".join([",".join(COLUMNS), *rows, ""]))
    assert desk.answer("correct", "m-1.jsonl", "--from", "c.csv")["corrected"] == 2
    assert read_roll(desk.file).find("E1234567").leaf.claims[0].decision == DECISION
    table.write_text("\n".join([",".join(COLUMNS), *rows, ""]))
    error = desk.refused("correct", "m-1.jsonl", "--from", "c.csv", code=2)
    assert "c.csv: 2 mistakes, nothing was corrected: line 2, column phone" in error


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"column": "phone", "new": "1"}, "is '10000000003' on the roll"),
        ({"column": "phone", "old": "10000000003", "new": "1"}, "telephone"),
        ({"column": "phone", "old": "10000000003", "reason": ""}, "--reason"),
        ({"column": "phone", "old": "10000000003", "source": "none.pdf"}, "can't be read"),
        ({"column": "claim_yuan", "old": "7.05", "new": "8"}, "class has to be named"),
    ],
)
def test_a_correction_without_grounds_is_refused(desk: Desk, options: dict[str, str], reason: str) -> None:
    assert reason in desk.refused(*desk.correct(id_no="Z-0001", **options), code=2)


def test_the_regulators_countersignature(desk: Desk) -> None:
    signed = desk.countersign()
    assert signed["root"] == desk.answer("root", "m-1.jsonl")["root"]
    verify = ("verify", "m-1.jsonl", "--ca", "ca.pem")
    assert desk.answer(*verify)["verified"]
    code, out, _ = desk(*verify)
    assert (code, signed["root"] in out) == (0, True)
    correction = desk.correct(id_no="Z-0001", column="phone", old="10000000003")
    assert "countersigned roll can't be corrected" in desk.refused(*correction, code=2)
    write_roll(small_roll(), desk.file, replace=True)
    assert "not the roll that was countersigned" in desk.refused(*verify, code=1)
    (desk.folder / "other.pem").write_bytes(Authority().root.pem)
    assert "CERT_CHAIN" in desk.refused("verify", "m-1.jsonl", "--ca", "other.pem", code=1)
    assert "no network is running" in desk.refused("verify", "m-1.jsonl", code=2)


def test_a_corrected_roll_is_countersigned_with_its_log(desk: Desk) -> None:
    desk.answer(*desk.correct(id_no="Z-0001", column="phone", old="10000000003"))
    log = desk.folder / "m-1.corrections.jsonl"
    good = log.read_bytes()
    log.write_bytes(good + good)
    sign = ("countersign", "m-1.jsonl", "--certificate", "officer.pem", "--key", "officer.key")
    assert "doesn't follow" in desk.refused(*sign, code=1)
    log.write_bytes(good)
    desk.countersign()
    assert desk.answer("verify", "m-1.jsonl", "--ca", "ca.pem")["verified"]
    log.write_bytes(good.replace(b"Clerk", b"Clark"))
    assert "another hash" in desk.refused("verify", "m-1.jsonl", "--ca", "ca.pem", code=1)


def test_who_is_no_officer_cannot_countersign(desk: Desk) -> None:
    admin = desk.authority.issue("admin")
    (desk.folder / "admin.pem").write_bytes(admin.pem)
    (desk.folder / "admin.key").write_bytes(admin.key_pem)
    sign = ("countersign", "m-1.jsonl", "--certificate", "admin.pem", "--key")
    assert "no officer's" in desk.refused(*sign, "admin.key", code=2)
    assert "not the certificate's" in desk.refused(
        "countersign", "m-1.jsonl", "--certificate", "officer.pem", "--key", "admin.key", code=2
    )
    assert "no private key" in desk.refused(*sign, "admin.pem", code=2)
    assert "no certificate" in desk.refused(
        "countersign", "m-1.jsonl", "--certificate", "admin.key", "--key", "admin.key", code=2
    )


def test_a_lender_checks_their_own_entry(desk: Desk) -> None:
    sub = sub_of(desk.roll, "E1234567")
    proof = desk.answer("prove", "m-1.jsonl", "--sub", sub)
    own = desk.folder / "own.json"
    own.write_text(json.dumps(proof))
    desk.file.unlink()  # nothing but the proof and the root
    check = ("check-own", "own.json", "--root", proof["root"])
    value = desk.answer(*check, "--sub", sub, "--yuan", "1003.50")
    assert (value["on_roll"], value["leaf"]) == (True, proof["leaf"])
    _, out, _ = desk(*check)
    assert "1000.50 yuan" in out
    assert f"3.00 yuan, as decision {DECISION} fixed it" in out
    assert "not for A" in desk.refused("check-own", "own.json", "--root", "A" * 43, code=1)
    assert "no root" in desk.refused("check-own", "own.json", "--root", "A", code=2)
    assert "of the pseudonym" in desk.refused(*check, "--sub", "A" * 22, code=1)
    assert "1003.50 yuan, not of 1004" in desk.refused(*check, "--yuan", "1004", code=1)
    proof["leaf"]["claims"][0]["fen"] += 1
    own.write_text(json.dumps(proof))
    assert "not on the roll" in desk.refused(*check, code=1)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"more": 1},
        {"index": -1},
        {"size": "5"},
        {"path": ["x"]},
        {"path": None},
        {"leaf": {}},
        {"root": 1},
    ],
)
def test_what_is_no_proof_is_refused(desk: Desk, change: dict[str, Any]) -> None:
    proof = desk.answer("prove", "m-1.jsonl", "--id-no", "Z-0001")
    (desk.folder / "own.json").write_text(json.dumps(proof | change))
    error = desk.refused("check-own", "own.json", "--root", proof["root"], code=2)
    assert "own.json is no proof" in error


def test_excluded_lenders_are_told(desk: Desk) -> None:
    proof = desk.answer("prove", "m-1.jsonl", "--id-no", "11010519491231002X")
    (desk.folder / "own.json").write_text(json.dumps(proof))
    _, out, _ = desk("check-own", "own.json", "--root", proof["root"])
    assert "may not vote on m1, m2" in out


def test_workbooks_are_made_and_imported(desk: Desk) -> None:
    assert desk.answer("generate", "--lenders", "20", "--out", "r.xlsx")["format"] == "xlsx"
    desk.answer("generate", "--lenders", "20", "--out", "r.csv")
    one = desk.answer("import", "r.xlsx", "--meeting", "m-2")
    two = desk.answer("import", "r.csv", "--meeting", "m-3")
    assert (one["heads"], one["classes"]) == (two["heads"], two["classes"])
    assert "no sheet 'S'" in desk.refused("import", "r.xlsx", "--meeting", "m-4", "--sheet", "S", code=2)
