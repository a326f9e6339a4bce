"""`concordat roll`: what it prints, its exit codes, and that a refusal changes nothing."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from client.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONCORDAT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, err = run(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_from_register_to_proof(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = answer(
        capsys,
        "roll",
        "generate",
        "--lenders",
        "40",
        "--seed",
        "3",
        "--out",
        "r.csv",
        "--encoding",
        "gb18030",
    )
    assert (made["lenders"], made["encoding"]) == (40, "gb18030")
    imported = answer(
        capsys, "roll", "import", "r.csv", "--meeting", "m-1", "--snapshot", "2026-01-31T16:00:00Z"
    )
    assert imported["imported"]
    assert imported["heads"] == 40
    roll_file = folder / "home" / "rolls" / "m-1.jsonl"
    root = answer(capsys, "roll", "root", str(roll_file))
    assert root["root"] == imported["root"]
    line = json.loads(roll_file.read_text().splitlines()[5])
    by_sub = answer(capsys, "roll", "prove", str(roll_file), "--sub", line["sub"])
    by_id = answer(capsys, "roll", "prove", str(roll_file), "--id-no", line["person"]["id_no"])
    assert by_sub == by_id
    assert imported["source_sha256"] == root["source"]["sha256"] == sha256(folder / "r.csv")
    assert (by_sub["root"], by_sub["leaf"]["claims"]) == (root["root"], line["claims"])
    for command in (("root", str(roll_file)), ("prove", str(roll_file), "--sub", line["sub"])):
        code, out, _ = run(capsys, "roll", *command)
        assert code == 0
        assert root["root"] in out


@pytest.mark.parametrize(
    ("row", "place", "reason"),
    [
        ("李娜,passport,E1234567,,,individual,-1", "line 2, column claim_yuan", "negative"),
        ("李娜,passport,E1234567,,,individual,1.005", "line 2, column claim_yuan", "more than two decimals"),
        ("李娜,passport,E1234567,,,a,1\n李娜,passport,E1234567,,,a,1", "line 3, column id_no", "same lender"),
        ("", "", "no claims"),
    ],
)
def test_bad_registers_get_one_line_and_exit_2(
    folder: Path, capsys: pytest.CaptureFixture[str], row: str, place: str, reason: str
) -> None:
    register = folder / "bad.csv"
    register.write_text(f"name,id_type,id_no,phone,email,class,claim_yuan\n{row}\n")
    code, out, err = run(capsys, "roll", "import", str(register), "--meeting", "m-1")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert str(register) in err
    assert place in err
    assert reason in err
    assert not (folder / "home").exists()
    code, out, _ = run(capsys, "roll", "import", str(register), "--meeting", "m-1", "--json")
    assert code == 2
    told = json.loads(out)
    assert told["imported"] is False
    for fault in told["faults"]:
        assert place == f"line {fault['line']}, column {fault['column']}"


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "nowhere.csv", "--meeting", "m-1"),
        ("import", "good.csv", "--meeting", "Not An Id"),
        ("import", "good.csv", "--meeting", "m-1", "--snapshot", "yesterday"),
        ("import", "good.csv"),
        ("root", "nowhere.jsonl"),
        ("root", "good.csv"),
        ("prove", "good.csv", "--sub", "x"),
        ("prove", "good.csv"),
        ("import", "good.csv", "--meeting", "m-1", "--sheet", "S"),
        ("check", "good.csv"),
        ("check", "good.csv", "--heads", "2"),
        ("check", "good.csv", "--yuan", "-1"),
        ("check", "good.csv", "--class", "a=1"),
        ("check", "good.csv", "--class", "a=x:1"),
        ("check", "good.csv", "--class", "a=1:1", "--class", "a=2:1"),
        ("diff", "good.csv", "good.csv"),
        ("correct", "good.csv"),
        ("correct", "good.csv", "--from", "nowhere.csv"),
        ("correct", "good.csv", "--from", "good.csv"),
        ("corrections", "good.csv"),
        ("countersign", "good.csv"),
        ("countersign", "good.csv", "--key", "good.csv"),
        ("countersign", "good.csv", "--key", "good.csv", "--certificate", "good.csv"),
        ("verify", "good.csv", "--countersignature", "good.csv"),
        ("check-own", "good.csv", "--root", "A" * 43),
        ("check-own", "nowhere.json", "--root", "A" * 43),
        ("generate", "--lenders", "0", "--out", "x.csv"),
        ("generate", "--lenders", "1", "--out", "good.csv/x.csv"),
    ],
)
def test_mistakes_get_one_line_and_exit_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert main(["roll", "generate", "--lenders", "2", "--out", "good.csv"]) == 0
    before = sorted(folder.rglob("*"))
    capsys.readouterr()
    code, _, err = run(capsys, "roll", *arguments)
    assert code == 2
    assert "Traceback" not in err
    assert sorted(folder.rglob("*")) == before


def test_a_changed_roll_file_is_a_no(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "roll", "generate", "--lenders", "5", "--out", "r.csv")
    answer(capsys, "roll", "import", "r.csv", "--meeting", "m-1")
    roll_file = folder / "home" / "rolls" / "m-1.jsonl"
    lines = roll_file.read_text().splitlines(keepends=True)
    roll_file.write_text("".join(lines[:1] + lines[2:]))
    code, _, err = run(capsys, "roll", "root", str(roll_file))
    assert code == 1
    assert "comes out as" in err
