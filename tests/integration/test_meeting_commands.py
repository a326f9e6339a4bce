"""The commands on the real network: what they print, their exit codes, and that failures change nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from client.cli.main import main
from client.enrolment.lender import LenderKey
from client.platform import Database, database_url
from client.platform.models import Ballot, Lender, Meeting
from client.platform.times import to_text
from client.rolls import generate_csv, read_roll
from client.services import Services
from client.sessions import InsecureDemoChecks
from tests.integration.meeting_stage import INSTITUTION
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import LiveNetwork

pytestmark = [pytest.mark.network, pytest.mark.fault]


@dataclass
class Terminal:
    """Runs commands as a person would."""

    capsys: pytest.CaptureFixture[str]
    home: Path
    folder: Path

    def run(self, *arguments: str) -> tuple[int, str, str]:
        self.capsys.readouterr()
        code = main(list(arguments))
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def ok(self, *arguments: str) -> dict[str, Any]:
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, f"{err}{out[:4000]}"
        answer: dict[str, Any] = json.loads(out)
        return answer

    def fails(self, code: int, *arguments: str) -> str:
        """Run a command that fails with one clear line; return the line."""
        found, out, err = self.run(*arguments)
        lines = [line for line in err.splitlines() if line.startswith("concordat:")]
        assert (found, out, len(lines)) == (code, "", 1), err
        assert "Traceback" not in err
        return lines[0]

    def propose(self, mtg: str, *more: str) -> list[str]:
        register = self.folder / "register.csv"
        register.write_bytes(generate_csv(6, 1, "utf-8"))
        opens = datetime.now(UTC) + timedelta(seconds=2)
        return [
            *("meeting", "propose", mtg, "--institution", INSTITUTION, "--title", "Meeting"),
            *("--register", str(register), "--motion", "Plan", "--method", "insecure-demo"),
            *("--opens-at", to_text(opens), "--closes-at", to_text(opens + timedelta(hours=2))),
            *("--objections-until", to_text(opens + timedelta(hours=3)), *more),
        ]

    def open(self, mtg: str, *more: str) -> dict[str, Any]:
        """Bring a meeting to open; return its record."""
        self.ok(*self.propose(mtg, *more))
        self.ok("meeting", "confirm", mtg, "--roll", str(self.home / "rolls" / f"{mtg}.jsonl"))
        record: dict[str, Any] = self.ok("meeting", "show", mtg)["record"]
        wait_until(lambda: to_text(datetime.now(UTC)) >= record["opens_at"], f"the opening of {mtg}")
        self.ok("meeting", "step", mtg, "open")
        self.ok("meeting", "step", mtg, "open", "--confirm")
        return record

    def sub(self, mtg: str, number: int) -> str:
        return read_roll(self.home / "rolls" / f"{mtg}.jsonl").entries[number].leaf.sub

    def roots(self) -> tuple[str, ...]:
        """What a receipt's certificates are verified against: the lender CA, and the platform's own."""
        orgs = self.home / "network" / "orgs"
        lender, door = orgs / "institutiona" / "lender-root.pem", orgs / "association" / "identity-root.pem"
        return "--lender-root", str(lender), "--door-root", str(door)

    def count(self, table: type[Meeting | Lender | Ballot]) -> int:
        database = Database.open(database_url(self.home))
        with database.read() as session:
            found = session.scalar(select(func.count()).select_from(table)) or 0
        database.close()
        return found


@pytest.fixture
def terminal(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(capsys, home, tmp_path)


def test_a_meeting_by_commands_from_proposal_to_receipt(terminal: Terminal) -> None:
    record = terminal.open("commands")
    listed = {entry["mtg"]: entry["state"] for entry in terminal.ok("meeting", "list")["meetings"]}
    assert listed["commands"] == "open"
    key, sub = terminal.folder / "key.json", terminal.sub("commands", 0)
    enrol = ("ballot", "enrol", sub, "--institution", INSTITUTION, "--out", str(key))
    assert "APPROVAL_MISSING" in terminal.fails(1, *enrol)
    assert LenderKey.load(key).certificate is None  # what the identity check has to be passed with
    assert terminal.ok(*enrol, "--insecure-demo")["sub"] == sub
    receipt = terminal.folder / "receipt.json"
    cast = ("ballot", "cast", "commands", "--lender", str(key), "--insecure-demo", "--receipt", str(receipt))
    first = terminal.ok(*cast, "--vote", "m1=approve")
    assert terminal.ok(*cast, "--vote", "m1=approve")["digest"] == first["digest"]
    assert "SEQ_EQUIVOCATION" in terminal.fails(1, *cast, "--vote", "m1=reject")
    assert "CHOICE_UNKNOWN" in terminal.fails(1, *cast, "--vote", "m1=maybe", "--seq", "2")
    assert "CHOICE_MISSING" in terminal.fails(1, *cast, "--vote", "m2=reject", "--seq", "2")
    assert "not MOTION=CHOICE" in terminal.fails(2, *cast, "--vote", "approve")
    assert "nothing is trusted" in terminal.fails(2, "receipt", "verify", str(receipt))
    verified = terminal.ok("receipt", "verify", str(receipt), *terminal.roots())
    assert (verified["votes"], verified["block"]) == ({"m1": "approve"}, first["block"])
    assert "STEP_EARLY" in terminal.fails(2, "meeting", "step", "commands", "closing")
    closes = record["closes_at"]
    for to in ("closing", "closed"):
        terminal.ok("meeting", "step", "commands", to, "--at", closes)
        assert "still to come" in terminal.fails(1, "meeting", "step", "commands", to, "--confirm")
        terminal.ok("meeting", "step", "commands", to, "--confirm", "--insecure-ahead")
    assert terminal.ok("meeting", "result", "commands")["ballots"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("meeting", "show", "nowhere"),
        ("meeting", "result", "nowhere"),
        ("meeting", "step", "nowhere", "open"),
        ("meeting", "step", "nowhere", "open", "--confirm"),
        ("ballot", "cast", "nowhere", "--lender", "missing.json", "--vote", "m1=approve", "--insecure-demo"),
    ],
)
def test_what_is_not_there_is_one_clear_line(terminal: Terminal, arguments: tuple[str, ...]) -> None:
    terminal.fails(2, *arguments)


def test_an_institution_that_the_network_lacks_is_one_clear_line(terminal: Terminal) -> None:
    arguments = terminal.propose("foreign")
    arguments[arguments.index(INSTITUTION)] = "InstitutionZMSP"
    assert "InstitutionZMSP" in terminal.fails(2, *arguments)


def test_a_bad_register_changes_nothing(terminal: Terminal) -> None:
    arguments, before = terminal.propose("bad-register"), terminal.count(Lender)
    (terminal.folder / "register.csv").write_text("name,id_type\nx,y\n", encoding="utf-8")
    assert "columns" in terminal.fails(2, *arguments)
    assert terminal.count(Lender) == before
    assert not (terminal.home / "rolls" / "bad-register.jsonl").exists()


def test_a_ca_that_is_down_is_one_clear_line_and_changes_nothing(
    terminal: Terminal, network: LiveNetwork
) -> None:
    terminal.ok(*terminal.propose("ca-down"))
    sub, key = terminal.sub("ca-down", 1), terminal.folder / "key.json"
    enrol = ("ballot", "enrol", sub, "--institution", INSTITUTION, "--out", str(key), "--insecure-demo")
    network.kill("ca.institutiona")
    try:
        terminal.fails(2, *enrol)
        assert not key.exists()
    finally:
        network.start("ca.institutiona")
    assert terminal.ok(*enrol)["sub"] == sub


def test_too_few_endorsers_are_one_clear_line_and_change_nothing(
    terminal: Terminal, network: LiveNetwork
) -> None:
    arguments = terminal.propose("few-endorsers")
    meetings, lenders = terminal.count(Meeting), terminal.count(Lender)
    for org in ("association", "arbitration"):
        network.kill(f"peer0.{org}")
    try:
        assert "nothing was changed" in terminal.fails(2, *arguments)
        assert (terminal.count(Meeting), terminal.count(Lender)) == (meetings, lenders)
        assert not (terminal.home / "rolls" / "few-endorsers.jsonl").exists()
    finally:
        for org in ("association", "arbitration"):
            network.start(f"peer0.{org}")
    assert terminal.ok(*terminal.propose("few-endorsers"))["state"] == "draft"


def test_a_time_out_after_submission_is_exit_3_and_repeating_is_safe(
    terminal: Terminal, network: LiveNetwork
) -> None:
    terminal.open("time-out")
    key = terminal.folder / "key.json"
    sub = terminal.sub("time-out", 2)
    terminal.ok("ballot", "enrol", sub, "--institution", INSTITUTION, "--out", str(key), "--insecure-demo")
    with Services.at(terminal.home) as services:
        checked = InsecureDemoChecks(services.sessions()).check(INSTITUTION, "time-out", [sub])[0]
    cast: tuple[str, ...] = ("ballot", "cast", "time-out", "--lender", str(key), "--vote", "m1=approve")
    cast += ("--session", checked.session.ses)
    leader = network.leader("arbitration-institutiona")
    followers = [f"orderer0.{org}" for org in ("association", "institutiona", "regulator", "arbitration")]
    stopped = [name for name in followers if name != leader][:2]
    for name in stopped:
        network.kill(name)
    try:
        assert "1 acknowledged ballots are not on the channel" in terminal.fails(3, *cast, "--timeout", "4")
    finally:
        for name in stopped:
            network.start(name)
    answer = terminal.ok(*cast, "--timeout", "120")
    assert answer["no"] == 1
    assert terminal.ok(*cast)["digest"] == answer["digest"]
