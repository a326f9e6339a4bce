"""The log on the real network: heads over real blocks, an audited receipt that verifies offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from client.cli.main import main
from client.receipts import ReceiptOffice
from client.relay.batch import Limits
from tests.integration.commands import run
from tests.integration.meeting_stage import INSTITUTION, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.encodings.meeting import Meeting
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network

LENDERS = 6


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    one = Stage.set(network.profile, tmp_path_factory.mktemp("log"), LENDERS)
    yield one
    one.close()


def cast(stage: Stage, meeting: Meeting, numbers: slice) -> None:
    """Cast some lenders' ballots, in batches of two."""
    relay = stage.services.relay(meeting.mtg, INSTITUTION, limits=Limits(count=2, age=0.1))
    desk = stage.services.desk(meeting.mtg)
    for signed in stage.ballots(meeting)[numbers]:
        desk.accept(signed.compact)
    relay.drain(60)


def test_from_a_meeting_to_a_receipt_that_an_outsider_verifies(
    stage: Stage,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONCORDAT_AUDIT_DATABASE_URL", f"sqlite:///{tmp_path / 'audit.db'}")
    meeting = stage.open()
    cast(stage, meeting, slice(0, 4))
    code, first = run(capsys, "audit", "head", meeting.mtg, "--sign")
    assert (code, first["size"], first["mh"]) == (0, 4, meeting.mh)
    cast(stage, meeting, slice(4, None))
    head = tmp_path / "head.json"
    code, second = run(capsys, "audit", "head", meeting.mtg, "--sign", "--out", head)
    assert (code, second["size"]) == (0, LENDERS)
    assert second["block"] > first["block"]
    code, grown = run(capsys, "audit", "consistency", meeting.mtg, "--from", 4, "--to", LENDERS)
    assert (code, grown["from_root"], grown["to_root"]) == (0, first["root"], second["root"])

    # The lender's receipt from the platform, made an audited one by the service.
    receipt, record = tmp_path / "receipt.json", tmp_path / "record.json"
    record.write_bytes(meeting.record)
    digest = newest_digest(stage, meeting)
    signer = stage.services.signer()
    receipt.write_bytes(ReceiptOffice(stage.services.database, meeting.mtg, signer).issue(digest).encode())
    audited, trust = tmp_path / "audited.json", tmp_path / "trust.json"
    options = ["--receipt", receipt, "--record", record, "--out", audited]
    assert run(capsys, "audit", "proof", meeting.mtg, "--ballot", digest, *options)[0] == 0
    assert main(["audit", "trust", "--out", str(trust)]) == 0
    capsys.readouterr()

    # Anywhere else, with the two files alone.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("CONCORDAT_HOME", str(elsewhere))
    code, said = run(capsys, "receipt", "verify", audited, "--trust", trust)
    assert (code, said["accepted"], said["digest"]) == (0, True, digest)
    assert said["head"]["root"] == second["root"]
    code, error = run(capsys, "receipt", "contradict", audited, head, "--trust", trust)
    assert code == 1
    assert "NO_CONTRADICTION" in error
    assert list(elsewhere.iterdir()) == []


def newest_digest(stage: Stage, meeting: Meeting) -> str:
    from sqlalchemy import select  # noqa: PLC0415

    from client.platform.models import Ballot  # noqa: PLC0415

    with stage.services.database.read() as session:
        query = select(Ballot.digest).where(Ballot.mtg == meeting.mtg).order_by(Ballot.ack_no.desc())
        return str(session.scalars(query).first())
