"""A roll countersigned with an officer's certificate from the real Fabric CA, and by nobody else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from client.cli.main import main
from client.connection import Profile
from client.rolls import read_roll, write_roll
from tests.unit.rolls.scene import small_roll

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.network


def test_the_regulators_officer_countersigns_one_roll(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        code = main(["roll", *arguments])
        captured = capsys.readouterr()
        return code, captured.out or captured.err

    file = tmp_path / "m-1.jsonl"
    roll = small_roll()
    write_roll(roll, file)
    code, out = run("countersign", str(file), "--json")
    assert code == 0, out
    signature = json.loads((tmp_path / "m-1.countersignature.json").read_text())
    assert signature["jws"] == json.loads(out)["jws"]
    assert run("verify", str(file))[0] == 0

    # Offline, with nothing but the CA's root.
    regulator = Profile.load(home).org("RegulatorMSP")
    authority = tmp_path / "ca.pem"
    authority.write_bytes(regulator.roots["identity"].read_bytes())
    assert run("verify", str(file), "--ca", str(authority))[0] == 0

    # Another roll, another organization's officer, and the Regulator's own relay are refused.
    write_roll(small_roll(), file, replace=True)
    code, out = run("verify", str(file))
    assert (code, "not the roll that was countersigned" in out) == (1, True)
    other = tmp_path / "other.json"
    assert run("countersign", str(file), "--org", "InstitutionAMSP", "--out", str(other))[0] == 0
    code, out = run("verify", str(file), "--countersignature", str(other))
    assert (code, "CERT_CHAIN" in out) == (1, True)
    relay = regulator.identity("relay")
    code, out = run("countersign", str(file), "--certificate", str(relay.cert), "--key", str(relay.key))
    assert (code, "no officer's" in out) == (2, True)
    assert read_roll(file).summary.root != roll.summary.root
