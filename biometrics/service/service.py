"""The identity service in process: desks over shared parts, made once from its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from biometrics.enrolment.consents import Consents
from biometrics.enrolment.erasure import Erasure
from biometrics.enrolment.invitations import Invitations
from biometrics.enrolment.slots import Slots
from biometrics.enrolment.texts import packaged_texts
from biometrics.retention import Retention
from biometrics.review.cases import Cases
from biometrics.service.callers import Callers
from biometrics.service.checker import load_checker
from biometrics.service.checks import CheckDesk
from biometrics.service.housekeeping import housekeeping, sweeping
from biometrics.service.lenders import LenderDesk
from biometrics.service.officers import OfficerDesk
from biometrics.service.outcomes import Outcomes
from biometrics.service.parts import Parts, system_clock, system_milliseconds, system_random
from biometrics.service.pool import FacePool
from biometrics.service.recording import Recording
from biometrics.service.status import StatusDesk
from biometrics.sources.selected import SelectedSources
from biometrics.terms.policy import default_service_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from biometrics.enrolment.texts import ConsentTexts
    from biometrics.retention import EvidenceKeeper
    from biometrics.service.callers import Enrolments
    from biometrics.service.meetings import Meetings
    from biometrics.service.periodic import Periodic
    from biometrics.service.pool import Pool, PoolSize
    from biometrics.service.recording import BatchRecorder
    from biometrics.sources.interface import PhotoSource
    from biometrics.store import Database, Sealer
    from biometrics.terms.policy import ServicePolicy

DEFAULT_CHECKER = "biometrics.service.live_checker:make"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the service needs of the world. `sealer`'s key must be kept outside `database`.

    `recorder` writes to the ledger as the Association's verifier; `enrolments` and `meetings` read from
    it; `keeper` has the evidence of what is recorded. `texts` are the consents', by default those packaged.
    `checker`
    names what does the face work, as module:function. `linger` is how long, in seconds, passed checks
    wait for others to share a transaction. Without a `pool` one of processes is made.
    """

    database: Database
    sealer: Sealer
    sources: Sequence[PhotoSource]
    enrolments: Enrolments
    meetings: Meetings
    recorder: BatchRecorder
    keeper: EvidenceKeeper
    checker: str = DEFAULT_CHECKER
    policy: ServicePolicy | None = None
    pool_size: PoolSize | None = None
    pool: Pool | None = None
    linger: float = 0.2
    clock: Callable[[], int] = system_clock
    milliseconds: Callable[[], int] = system_milliseconds
    random_bytes: Callable[[int], bytes] = system_random
    texts: ConsentTexts | None = None


@dataclass(frozen=True, slots=True)
class IdentityService:
    """The desks of one service. Thread-safe; close it when done."""

    parts: Parts
    checks: CheckDesk
    status: StatusDesk
    lenders: LenderDesk
    officers: OfficerDesk
    retention: Retention
    sweeping: Periodic
    housekeeping: Periodic

    def start(self) -> int:
        """Load the models and hand on what a former process left unrecorded; return how many that were.

        From then on, until `close`, it deletes what is due, records what the ledger didn't take at first,
        and ends live checks that nothing is heard of any more.
        """
        self.parts.pool.start()
        resumed = self.parts.outcomes.resume()
        self.sweeping.start()
        self.housekeeping.start()
        return resumed

    def close(self) -> None:
        """End what it does by itself, live checks and the processes for face work."""
        self.housekeeping.stop()
        self.sweeping.stop()
        self.checks.close()
        self.parts.pool.close()


def build(given: Surroundings) -> IdentityService:
    """Make a service; nothing is started yet. Raises PolicyError (texts of consents too), CheckerMissing."""
    policy = given.policy or default_service_policy()
    erasure = Erasure(given.random_bytes)
    invitations = Invitations(given.sealer, policy)
    consents = Consents(policy, given.texts or packaged_texts(), given.random_bytes)
    parts = Parts(
        database=given.database,
        sealer=given.sealer,
        policy=policy,
        checker=load_checker(given.checker),
        pool=given.pool or FacePool(given.checker, given.pool_size),
        sources=SelectedSources(policy.sources, given.sources),
        callers=Callers(
            given.database,
            policy,
            given.enrolments,
            given.meetings,
            invitations=invitations,
            clock=given.clock,
        ),
        consents=consents,
        invitations=invitations,
        cases=Cases(given.sealer, policy, given.random_bytes),
        slots=Slots(given.random_bytes),
        erasure=erasure,
        outcomes=Outcomes(
            given.database,
            given.sealer,
            Recording(given.recorder, linger=given.linger),
            given.clock,
            given.random_bytes,
        ),
        clock=given.clock,
        milliseconds=given.milliseconds,
        random_bytes=given.random_bytes,
    )
    checks = CheckDesk(parts)
    retention = Retention(given.database, policy, consents, erasure, keeper=given.keeper, clock=given.clock)
    return IdentityService(
        parts,
        checks,
        StatusDesk(parts),
        LenderDesk(parts),
        OfficerDesk(parts, given.meetings, retention),
        retention,
        sweeping(checks),
        housekeeping(retention, parts.outcomes, policy.every_seconds),
    )
