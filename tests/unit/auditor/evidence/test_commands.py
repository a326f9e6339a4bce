"""`concordat evidence verify`: what it prints, and with which exit code it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auditor.errors import AuditUnavailable
from auditor.evidence.shown import as_json
from auditor.evidence.verify import verify_evidence
from auditor.log.errors import LogRefused
from client.cli.main import main
from client.encodings import jcs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.auditor.evidence.case import Case


@pytest.fixture
def folder(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONCORDAT_HOME", str(tmp_path / "home"))
    (tmp_path / "evidence.zip").write_bytes(case.package)
    (tmp_path / "trust.json").write_bytes(jcs.dumps(case.trust.as_json()))
    return tmp_path


def test_a_genuine_package(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["evidence", "verify", str(folder / "evidence.zip"), "--trust", str(folder / "trust.json")]
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == as_json(verify_evidence(case.package, case.trust))
    assert main(command) == 0
    assert f"genuine and accepted: ballot {case.digest}" in capsys.readouterr().out


def test_a_pinned_trust_root(folder: Path) -> None:
    assert main(["evidence", "verify", str(folder / "evidence.zip")]) == 2
    (folder / "home").mkdir()
    (folder / "trust.json").rename(folder / "home" / "trust.json")
    assert main(["evidence", "verify", str(folder / "evidence.zip")]) == 0


def test_a_tampered_package_in_one_line(case: Case, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "evidence.zip").write_bytes(case.package[:-1])
    command = ["evidence", "verify", str(folder / "evidence.zip"), "--trust", str(folder / "trust.json")]
    assert main([*command, "--json"]) == 1
    output = capsys.readouterr()
    assert json.loads(output.out)["code"] == "EVIDENCE_CONTAINER"
    assert output.err.count("\n") == 1


def test_what_cannot_be_read(folder: Path) -> None:
    command = ["evidence", "verify", str(folder / "none.zip"), "--trust", str(folder / "trust.json")]
    assert main(command) == 2


def test_no_more_is_read_than_a_package_may_have(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file without an end ends, and is refused."""
    endless = folder / "endless.zip"
    endless.symlink_to("/dev/zero")
    assert main(["evidence", "verify", str(endless), "--trust", str(folder / "trust.json")]) == 1
    assert "EVIDENCE_CONTAINER" in capsys.readouterr().err


def test_export_names_a_ballot_or_meeting_that_is_not_there(case: Case) -> None:
    with pytest.raises(LogRefused, match="LOG_ABSENT"):
        case.exporter.export(case.subject.mtg, "A" * 43, now=case.subject.time)
    with pytest.raises(AuditUnavailable, match="no meeting 'none'"):
        case.exporter.export("none", case.digest, now=case.subject.time)
