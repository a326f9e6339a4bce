"""The verification service on the real network: pages over real blocks, and the second door into them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from auditor.portal.service import Service
from client.cli.main import main
from client.encodings import base64url
from client.platform.registers import load_meeting, roll_entries
from client.receipts import ReceiptOffice
from client.relay.batch import Limits
from client.relay.errors import DeskBusy
from tests.integration.meeting_stage import INSTITUTION, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from client.encodings.ballot import SignedBallot
    from client.encodings.meeting import Meeting
    from tests.integration.conftest import LiveNetwork

pytestmark = pytest.mark.network

LENDERS = 8


@pytest.fixture(scope="module")
def stage(network: LiveNetwork, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    one = Stage.set(network.profile, tmp_path_factory.mktemp("portal"), LENDERS)
    yield one
    one.close()


@pytest.fixture
def service(network: LiveNetwork, stage: Stage, tmp_path: Path) -> Iterator[Service]:
    url = f"sqlite:///{tmp_path / 'audit.db'}"
    with Service(network.profile, url, clock=stage.clock) as one:
        yield one


class Pages:
    """What anybody gets from the service about one meeting, after it looked at its peer once more."""

    def __init__(self, service: Service, stage: Stage, meeting: Meeting) -> None:
        self.service, self.stage, self.meeting = service, stage, meeting
        self.client = service.app.test_client()
        self.path = f"/meetings/institutiona/{meeting.mtg}"

    def refresh(self) -> Any:
        facts = self.service.watcher.refresh()
        assert (facts.trouble, facts.broken) == ("", False)
        return self.client.get(f"/api{self.path}").get_json()

    def page(self) -> str:
        response = self.client.get(self.path, headers={"Accept-Language": "en"})
        assert response.status_code == 200
        return response.get_data(as_text=True)

    def place(self, sub: str) -> dict[str, Any]:
        """The leaf and path that the lender's invitation carries."""
        database = self.stage.services.database
        index, leaf = roll_entries(database, self.meeting.mtg, {sub})[sub]
        tree = load_meeting(database, self.meeting.mtg).tree
        path = [base64url.encode(node) for node in tree.path(index)]
        return {"leaf": leaf.as_json(), "index": index, "path": path}

    def hand_in(self, signed: SignedBallot, **more: str) -> tuple[int, Any]:
        body = {"v": 1, "ballot": signed.compact, "proof": self.place(signed.ballot.sub)} | more
        response = self.client.post(f"/api{self.path}/ballots", json=body)
        return response.status_code, response.get_json()

    def no_vote(self, sub: str, place: dict[str, Any] | None = None) -> tuple[int, str]:
        form = {"place": json.dumps(place or self.place(sub))}
        response = self.client.post(f"{self.path}/no-vote", data=form, headers={"Accept-Language": "en"})
        return response.status_code, response.get_data(as_text=True)


def test_a_meeting_on_the_pages_and_through_the_second_door(
    stage: Stage,
    service: Service,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    meeting = stage.open()
    pages = Pages(service, stage, meeting)
    ballots = stage.ballots(meeting)
    carried, unwanted, waiting, in_hand, late = ballots[:4], ballots[4], ballots[5], ballots[6], ballots[7]
    desk = stage.services.desk(meeting.mtg)
    for signed in carried:
        desk.accept(signed.compact)
    stage.services.relay(meeting.mtg, INSTITUTION, limits=Limits(count=10, age=0.1)).drain(60)

    # While it is open: turnout, and no choice anywhere.
    assert pages.refresh()["turnout"]["ballots"] == 4
    assert (pages.refresh()["motions"], pages.refresh()["state"]) == (None, "open")
    assert "approve" not in pages.page()

    # What the platform's door turned away, the Regulator's takes and brings to the chain.
    with pytest.raises(DeskBusy):
        stage.services.desk(meeting.mtg, bound=0).accept(unwanted.compact)
    status, word = pages.hand_in(unwanted)
    assert (status, word["number"], word["status"]) == (202, 1, "queued")
    assert service.carrier.carry() == 0
    assert pages.refresh()["turnout"]["ballots"] == 5
    status, word = pages.hand_in(unwanted)
    assert (status, word["status"], word["number"]) == (200, "accepted", 1)
    foreign = stage.keys[0].sign(
        meeting, {"m1": "approve", "m2": "approve"}, ses=late.ballot.ses, iat=stage.clock()
    )
    assert pages.hand_in(foreign)[1]["code"] == "SESSION_FOREIGN_LENDER"

    # The close: one acknowledged by this door waits, one by the platform's never left it.
    assert pages.hand_in(waiting)[0] == 202
    acknowledged = desk.accept(in_hand.compact)
    stage.clock.advance(hours=3)
    stage.step(meeting.mtg, "closing")
    assert pages.refresh()["state"] == "closing"
    status, refused = pages.hand_in(late)
    assert (status, refused["code"]) == (422, "BALLOT_LATE")
    assert pages.hand_in(in_hand, acknowledgement=acknowledged.jws)[0] == 202
    assert service.carrier.carry() == 0
    second = pages.refresh()["second_door"]
    assert (second["accepted_on_chain"], second["taken"], second["queued"]) == (3, 3, 0)
    assert second["platform_acknowledged"] == 1
    assert "approve" not in pages.page()

    stage.step(meeting.mtg, "closed")
    value = pages.refresh()
    assert (value["state"], value["turnout"]["ballots"], value["findings"]) == ("closed", 7, [])
    assert [heads for _, heads, _ in value["motions"][1]["choices"]][0] == 7
    assert "approve" in pages.page()
    assert pages.hand_in(late)[1]["code"] == "MEETING_NOT_OPEN"

    # The no-vote check, both ways, and without the right leaf.
    assert "Ballots cast in your name: 1" in pages.no_vote(unwanted.ballot.sub)[1]
    assert "No ballot was cast in your name" in pages.no_vote(late.ballot.sub)[1]
    wrong = pages.place(late.ballot.sub)
    wrong["leaf"]["salt"] = "A" * 22
    assert pages.no_vote(late.ballot.sub, wrong)[0] == 403

    # A platform's receipt, and a head of the log over the same blocks.
    monkeypatch.setenv("CONCORDAT_AUDIT_DATABASE_URL", f"sqlite:///{tmp_path / 'audit.db'}")
    assert main(["audit", "head", meeting.mtg, "--sign"]) == 0
    capsys.readouterr()
    office = ReceiptOffice(stage.services.database, meeting.mtg, stage.services.signer())
    receipt = office.issue(carried[0].digest).encode()
    checked = pages.client.post("/api/check", data=receipt).get_json()
    assert (checked["genuine"], checked["good"], checked["status"]) == (True, True, "stands")
    assert (checked["index"], checked["size"]) == (0, 7) or checked["size"] == 7
    assert pages.refresh()["heads"][0]["size"] == 7


def test_the_command_serves_until_it_is_told_to_stop(home: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "CONCORDAT_AUDIT_DATABASE_URL": f"sqlite:///{tmp_path / 'audit.db'}"}
    command = [sys.executable, "-m", "client.cli.main", "audit", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            with urllib.request.urlopen(f"{address}api/status", timeout=30) as response:  # noqa: S310
                status = json.load(response)
            assert (status["behind"], status["trouble"]) == (False, False)
            assert status["blocks"]["identity"] > 0
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
