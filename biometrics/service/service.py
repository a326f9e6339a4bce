"""The identity service in process: desks over shared parts, made once from its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from biometrics.enrolment.consents import Consents
from biometrics.enrolment.erasure import Erasure
from biometrics.enrolment.invitations import Invitations
from biometrics.enrolment.slots import Slots
from biometrics.retention import Retention
from biometrics.review.cases import Cases
from biometrics.service.callers import Callers
from biometrics.service.checker import load_checker
from biometrics.service.checks import CheckDesk
from biometrics.service.lenders import LenderDesk
from biometrics.service.officers import OfficerDesk
from biometrics.service.outcomes import Outcomes
from biometrics.service.parts import Parts, system_clock, system_milliseconds, system_random
from biometrics.service.pool import FacePool
from biometrics.service.recording import Recording
from biometrics.service.status import StatusDesk
from biometrics.service.sweeping import Sweeper
from biometrics.sources.selected import SelectedSources
from biometrics.terms.policy import default_service_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from biometrics.service.callers import Enrolments
    from biometrics.service.pool import Pool, PoolSize
    from biometrics.service.recording import BatchRecorder
    from biometrics.sources.interface import PhotoSource
    from biometrics.store import Database, Sealer
    from biometrics.terms.policy import ServicePolicy

DEFAULT_CHECKER = "biometrics.service.live_checker:make"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the service needs of the world. `sealer`'s key must be kept outside `database`.

    `recorder` writes to the ledger as the Association's verifier; `enrolments` reads from it. `checker`
    names what does the face work, as module:function. `linger` is how long, in seconds, passed checks
    wait for others to share a transaction. Without a `pool` one of processes is made.
    """

    database: Database
    sealer: Sealer
    sources: Sequence[PhotoSource]
    enrolments: Enrolments
    recorder: BatchRecorder
    checker: str = DEFAULT_CHECKER
    policy: ServicePolicy | None = None
    pool_size: PoolSize | None = None
    pool: Pool | None = None
    linger: float = 0.2
    clock: Callable[[], int] = system_clock
    milliseconds: Callable[[], int] = system_milliseconds
    random_bytes: Callable[[int], bytes] = system_random
    forget_evidence: Callable[[Iterable[str]], int] = lambda _: 0


@dataclass(frozen=True, slots=True)
class IdentityService:
    """The desks of one service. Thread-safe; close it when done."""

    parts: Parts
    checks: CheckDesk
    status: StatusDesk
    lenders: LenderDesk
    officers: OfficerDesk
    retention: Retention
    sweeper: Sweeper

    def start(self) -> int:
        """Load the models and hand on what a former process left unrecorded; return how many that were."""
        self.parts.pool.start()
        self.sweeper.start()
        return self.parts.outcomes.resume()

    def close(self) -> None:
        """End live checks and the processes for face work."""
        self.sweeper.stop()
        self.checks.close()
        self.parts.pool.close()


def build(given: Surroundings) -> IdentityService:
    """Make a service; nothing is started yet. Raises PolicyError, CheckerMissing."""
    policy = given.policy or default_service_policy()
    erasure = Erasure(given.random_bytes)
    invitations = Invitations(given.sealer, policy)
    parts = Parts(
        database=given.database,
        sealer=given.sealer,
        policy=policy,
        checker=load_checker(given.checker),
        pool=given.pool or FacePool(given.checker, given.pool_size),
        sources=SelectedSources(policy.sources, given.sources),
        callers=Callers(given.database, policy, given.enrolments, invitations, given.clock),
        consents=Consents(policy, given.random_bytes),
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
    return IdentityService(
        parts,
        checks,
        StatusDesk(parts),
        LenderDesk(parts),
        OfficerDesk(parts),
        Retention(given.database, policy, erasure, given.clock, given.forget_evidence),
        Sweeper(checks.sweep),
    )
