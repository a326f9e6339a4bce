"""Evidence on the real network: exported over real blocks, verified anywhere, each file held to its bits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auditor.evidence.container import decode, encode
from client.cli.main import main
from client.relay.batch import Limits
from tests.integration.commands import run
from tests.integration.meeting_stage import INSTITUTION, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network

LENDERS = 3
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    one = Stage.set(network.profile, tmp_path_factory.mktemp("evidence"), LENDERS)
    yield one
    one.close()


def test_from_a_meeting_to_a_package_that_an_arbitrator_verifies(
    stage: Stage,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONCORDAT_AUDIT_DATABASE_URL", f"sqlite:///{tmp_path / 'audit.db'}")
    meeting = stage.open()
    ballots = stage.ballots(meeting)
    desk = stage.services.desk(meeting.mtg)
    for signed in ballots:
        desk.accept(signed.compact)
    stage.services.relay(meeting.mtg, INSTITUTION, limits=Limits(count=2, age=0.1)).drain(60)
    stage.clock.advance(hours=2, minutes=1)
    stage.step(meeting.mtg, "closing")
    stage.step(meeting.mtg, "closed")
    digest, package, trust = ballots[-1].digest, tmp_path / "evidence.zip", tmp_path / "trust.json"
    options = ["--meeting", meeting.mtg, "--out", package]
    code, said = run(capsys, "evidence", "export", *options, "--ballot", digest)
    assert (code, said["digest"]) == (0, digest)
    code, error = run(capsys, "evidence", "export", *options, "--ballot", "A" * 43)
    assert code == 1
    assert "LOG_ABSENT" in error
    assert main(["audit", "trust", "--out", str(trust)]) == 0
    capsys.readouterr()

    # Anywhere else, with the two files alone: by the command, and by the verifier in one file.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("CONCORDAT_HOME", str(elsewhere))
    verify = ("evidence", "verify", package, "--trust", trust)
    code, shown = run(capsys, *verify)
    assert (code, shown["digest"], shown["state"], shown["stands"]) == (0, digest, "closed", True)
    assert shown["result"]["ballots"] == LENDERS
    alone = [sys.executable, "-I", "-S", verifier(), *map(str, verify), "--json"]
    done = subprocess.run(alone, capture_output=True, text=True, env={}, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == shown
    files = decode(package.read_bytes())
    for name, data in files.items():
        changed = bytearray(data)
        changed[len(data) // 2] ^= 1
        package.write_bytes(encode({**files, name: bytes(changed)}))
        code, refusal = run(capsys, *verify)
        assert code == 1, name
        assert refusal["code"].startswith("EVIDENCE_")
        assert name in refusal["error"] or name == "manifest.json"
    assert list(elsewhere.iterdir()) == []


def verifier() -> str:
    command = [sys.executable, str(ROOT / "scripts" / "build-verifier")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
