"""A relay as a process of its own, for tests that kill it; and the bench's lenders for it to carry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from client.bench.cohort import CohortRecords
from client.bench.host import Host
from client.bench.issuer import BenchIssuer
from client.bench.preparation import Bench, Settings
from client.bench.progress import Progress
from client.encodings import times
from client.encodings.ballot import parse_ballot
from client.encodings.ids import arbitration_channel
from client.platform import Database, Vault
from client.platform.models import Ballot, BatchAttempt
from client.platform.verdicts import Verdicts
from client.relay.desk import Acknowledged, AcknowledgementDesk
from client.services import REGULATOR, Services
from tests.integration.waiting import wait_until

if TYPE_CHECKING:
    import signal
    from collections.abc import Sequence

    from client.bench.stage import Staged
    from client.encodings.meeting import Meeting
    from client.encodings.step import To
    from tests.integration.conftest import LiveNetwork

ROOT = Path(__file__).parents[2]
PATIENCE = 180.0


@dataclass
class RelayProcess:
    """`concordat relay run`, started again under the same name after each death."""

    home: Path
    url: str
    mtg: str
    options: tuple[str, ...]
    process: subprocess.Popen[str] | None = None
    memory_mib: float = 0.0

    def start(self, *options: str) -> None:
        command = [sys.executable, "-m", "client.cli.main", "relay", "run", self.mtg, *self.options, *options]
        environment = os.environ | {
            "CONCORDAT_HOME": str(self.home),
            "CONCORDAT_DATABASE_URL": self.url,
            "PYTHONPATH": str(ROOT),
        }
        self.process = subprocess.Popen(
            command, env=environment, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def kill(self) -> None:
        assert self.process is not None
        self.measure()
        self.process.kill()
        self.process.communicate()

    def finish(self, number: signal.Signals | None = None, timeout: float = PATIENCE) -> tuple[int, str, str]:
        """Return exit code, output and log of a relay that ends, after a signal where one is named."""
        assert self.process is not None
        self.measure()
        if number is not None:
            self.process.send_signal(number)
        out, log = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, log

    def measure(self) -> None:
        """Remember the largest memory that it ever had."""
        assert self.process is not None
        try:
            lines = Path(f"/proc/{self.process.pid}/status").read_text("utf-8").splitlines()
        except OSError:
            return
        for line in lines:
            if line.startswith("VmHWM:"):
                self.memory_mib = max(self.memory_mib, int(line.split()[1]) / 1024)


@dataclass
class Hall:
    """A platform with an issuer of the bench's own, which certifies thousands of lenders a second."""

    network: LiveNetwork
    folder: Path
    issuer: BenchIssuer = field(default_factory=BenchIssuer.make)
    _desks: dict[str, AcknowledgementDesk] = field(default_factory=dict)
    _relays: list[RelayProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.url = f"sqlite:///{self.folder / 'platform.db'}"
        vault = Vault.open(self.folder / "platform.key")
        self.services = Services(self.network.profile, Database.open(self.url), vault)

    def close(self) -> None:
        for relay in self._relays:  # of a test that failed halfway
            if relay.process is not None and relay.process.poll() is None:
                relay.kill()
        self.services.close()
        self.services.database.close()

    def open(self, lenders: int, seed: int) -> Staged:
        host = Host(self.network.home, self.network.profile, self.issuer)
        bench = Bench(Settings(lenders, seed=seed), host, self.services, self.folder, Progress())
        return bench.stage(bench.cohort(lenders, self.folder), (0, lenders), "relay")

    def hand_in(self, staged: Staged, ballots: Sequence[str]) -> set[str]:
        """Have ballots acknowledged; return their digests."""
        answers = self.desk(staged).accept_many(ballots)
        assert all(isinstance(answer, Acknowledged) for answer in answers), answers[:3]
        return {answer.digest for answer in answers if isinstance(answer, Acknowledged)}

    def desk(self, staged: Staged) -> AcknowledgementDesk:
        mtg = staged.meeting.mtg
        if mtg not in self._desks:
            records = CohortRecords()
            records.hold(staged.voters, staged.term)
            signer = self.services.signer()
            self._desks[mtg] = AcknowledgementDesk(self.services.database, mtg, signer, records=records)
        return self._desks[mtg]

    def relay(self, mtg: str, *options: str) -> RelayProcess:
        self._relays.append(RelayProcess(self.network.home, self.url, mtg, options))
        return self._relays[-1]

    def count(self, mtg: str, status: str = "committed") -> int:
        with self.services.database.read() as session:
            query = select(func.count()).select_from(Ballot)
            return session.scalar(query.where(Ballot.mtg == mtg, Ballot.status == status)) or 0

    def step(self, meeting: Meeting, to: To) -> None:
        convener = self.services.convener(meeting.institution)
        step = convener.propose_step(meeting.mtg, to, at=times.form(meeting.closes + 1))
        self.services.supervisor(meeting.institution).confirm_step(meeting.mtg, step, insecure_ahead=True)
        convener.refresh(meeting.mtg, expected=to)

    def caught_up(self, meeting: Meeting) -> None:
        """Wait until the Regulator's peer, which may have been down, has every block that another has."""
        channel = arbitration_channel(meeting.institution)
        height = self.network.height("association", channel)
        wait_until(
            lambda: self.network.height("regulator", channel) >= height, "the Regulator's peer catches up"
        )

    def check_exactly_once(self, staged: Staged, ballots: Sequence[str], acknowledged: set[str]) -> None:
        """Acknowledged = committed, none twice, on the channel as in the database, and the tally is exact."""
        meeting = staged.meeting
        with self.services.database.read() as session:
            rows = {row.id: row for row in session.scalars(select(Ballot).where(Ballot.mtg == meeting.mtg))}
            attempts = list(session.scalars(select(BatchAttempt)))
        assert {row.digest for row in rows.values()} == acknowledged
        assert Counter((row.status, row.code) for row in rows.values()) == {
            ("committed", None): len(acknowledged)
        }
        accepted: Counter[int] = Counter()
        for attempt in attempts:
            carried = json.loads(attempt.ballots)
            if attempt.code == "VALID" and carried[0] in rows:
                verdicts = Verdicts.parse(attempt.verdicts, len(carried))
                accepted.update(ballot for index, ballot in enumerate(carried) if verdicts.accepts(index))
        # An attempt whose outcome was never learnt may have been the one; never more than one.
        assert set(accepted.values()) == {1}
        self.caught_up(meeting)
        contract = self.services.arbitration(REGULATOR, "officer", meeting.institution)
        for row in list(rows.values())[:: max(1, len(rows) // 500)]:
            assert json.loads(contract.evaluate("GetBallot", meeting.mtg, row.sub))["digest"] == row.digest
        self.step(meeting, "closing")
        self.step(meeting, "closed")
        result = self.services.convener(meeting.institution).result(meeting.mtg)
        assert result["ballots"] == len(acknowledged)
        assert counted(result, meeting) == naive_tally(staged, ballots)


def counted(result: dict[str, Any], meeting: Meeting) -> dict[tuple[str, str], tuple[int, int]]:
    """Return heads and fen for each motion's choices, as the chaincode counted them."""
    return {
        (motion.id, choice): (cells["*"][0], cells["*"][1])
        for motion in meeting.motions
        for choice, cells in result["motions"][motion.id]["choices"].items()
    }


def naive_tally(staged: Staged, ballots: Sequence[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Count the ballots one by one."""
    fen = {voter.sub: voter.claim.fen for voter in staged.voters}
    tally = {(motion.id, choice): (0, 0) for motion in staged.meeting.motions for choice in motion.choices}
    for compact in ballots:
        ballot = parse_ballot(compact).ballot
        for motion, choice in ballot.votes.items():
            heads, value = tally[motion, str(choice)]
            tally[motion, str(choice)] = (heads + 1, value + fen[ballot.sub])
    return tally
