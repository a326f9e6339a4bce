"""Everything before the clock runs: voters, enrolments, an open meeting, identity checks, ballots."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from client.bench.figures import Stages
from client.bench.hand_in import hand_in
from client.bench.host import Host, host
from client.bench.issuer import BenchIssuer
from client.bench.records import IN_FLIGHT, enrol, record_sessions
from client.bench.shards import Cohort
from client.bench.stage import ASSOCIATION, REGULATOR, Staged, open_meeting
from client.enrolment.issuer import register_issuer
from client.platform import Database, Vault
from client.services import Services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.bench.progress import Progress

_RECORDS = 1000  # identity checks a transaction


@dataclass(frozen=True, slots=True)
class Settings:
    """What is measured.

    Ballots, organizations of the channel, ballots a batch, batches in flight, seconds for each naive
    level, seed of claims and choices, whether voters are kept for the next run.
    """

    ballots: int
    orgs: int = 4
    batch: int = 1000
    in_flight: int = 4
    naive_seconds: float = 8.0
    seed: int = 1
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """A running network, a platform of the bench's own, and the stages' times."""

    settings: Settings
    host: Host
    services: Services
    scratch: Path
    progress: Progress
    stages: Stages = field(default_factory=Stages)

    @property
    def database(self) -> str:
        """The platform's database, as another process opens it."""
        return database_url(self.scratch)

    @property
    def vault(self) -> Path:
        """The platform's key."""
        return self.scratch / "platform.key"

    def cohort(self, count: int, kept: Path) -> Cohort:
        """Make and enrol voters; those kept from an earlier run are used again."""
        seed, issuer, institution = self.settings.seed, self.host.issuer, self.host.institution
        root = kept if self.settings.keep else self.scratch / "cohorts"
        cohort = Cohort.at(root, issuer, institution, count, seed)
        with self.stages.time("keys"), self.progress.stage("keys and certificates", count) as advance:
            cohort.make(issuer, seed, advance)
        officer, regulator = (self.services.identity(msp, "officer") for msp in (institution, REGULATOR))
        register_issuer(officer, regulator, institution, issuer.der)
        verifier = self.services.identity(ASSOCIATION, "verifier")
        genesis = self.host.profile.channel("identity").genesis
        with self.stages.time("enrol"), self.progress.stage("enrolments on identity", count) as advance:
            enrol(cohort, verifier, genesis, advance, IN_FLIGHT)
        return cohort

    def stage(self, cohort: Cohort, span: tuple[int, int], name: str, prefix: str = "") -> Staged:
        """Open a meeting of voters `span`, and record their identity checks."""
        with self.stages.time(f"{prefix}roll"):
            self.progress.say(f"{name}: freezing the roll, opening the meeting")
            staged = open_meeting(self.services, cohort, span, name)
        verifier = self.services.identity(ASSOCIATION, "verifier")
        title = f"{name}: sessions on identity"
        with (
            self.stages.time(f"{prefix}sessions"),
            self.progress.stage(title, staged.size) as advance,
        ):
            record_sessions(cohort, span, staged.term, verifier, advance, batch=_RECORDS, in_flight=IN_FLIGHT)
        return staged

    def acknowledge(self, staged: Staged) -> None:
        """Sign every ballot and hand it in."""
        with (
            self.stages.time("desk"),
            self.progress.stage("ballots signed and acknowledged", staged.size) as advance,
        ):
            hand_in(self.services, staged, self.settings.seed, advance)


@contextmanager
def prepared(home: Path, settings: Settings, progress: Progress) -> Iterator[Bench]:
    """Give a bench on the home's network, or on one of its own; all but kept voters goes with the block."""
    issuer = BenchIssuer.of(home / "bench")
    with (
        host(home, issuer, settings.orgs, progress) as found,
        TemporaryDirectory(prefix="concordat-bench-") as folder,
    ):
        scratch = Path(folder)
        database = Database.open(database_url(scratch))
        try:
            with Services(found.profile, database, Vault.open(scratch / "platform.key")) as services:
                yield Bench(settings, found, services, scratch, progress)
        finally:
            database.close()


def database_url(scratch: Path) -> str:
    """Return the URL of the bench's own database."""
    return f"sqlite:///{scratch / 'platform.db'}"
