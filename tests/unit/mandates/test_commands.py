from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from client.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


def test_a_receipt_that_could_not_be_written_is_said_before_the_ballot_is_cast(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = str(tmp_path / "nowhere" / "receipt.json")
    options = ("--lender", str(tmp_path / "key.json"), "--vote", "m1=approve", "--receipt", where)
    assert main(["ballot", "cast", "m-1", *options]) == 2
    assert "no such folder" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[" * 100_000, '{"name":"a","name":"b"}', "5"])
def test_a_file_that_names_no_person(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (tmp_path / "person.json").write_text(text, "utf-8")
    person = str(tmp_path / "person.json")
    assert main(["mandate", "register-proxy", person, "--institution", "InstitutionAMSP"]) == 2
    assert "names no person" in capsys.readouterr().err
