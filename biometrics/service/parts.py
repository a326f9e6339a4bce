"""The parts that the desks share: made once by `build`, each replaceable."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from biometrics.enrolment.consents import Consents
    from biometrics.enrolment.erasure import Erasure
    from biometrics.enrolment.invitations import Invitations
    from biometrics.enrolment.slots import Slots
    from biometrics.review.cases import Cases
    from biometrics.service.callers import Callers
    from biometrics.service.checker import Checker
    from biometrics.service.outcomes import Outcomes
    from biometrics.service.pool import Pool
    from biometrics.sources.selected import SelectedSources
    from biometrics.store import Database, Sealer
    from biometrics.terms.policy import ServicePolicy


def system_clock() -> int:
    """Return the whole seconds since 1970."""
    return int(time.time())


def system_milliseconds() -> int:
    """Return the milliseconds of a clock that never goes back; its zero means nothing."""
    return time.monotonic_ns() // 1_000_000


def system_random(size: int) -> bytes:
    """Return random bytes fit for keys."""
    return secrets.token_bytes(size)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service is made of.

    `clock` gives whole seconds since 1970; `milliseconds` is a clock for durations, it never goes back.
    """

    database: Database
    sealer: Sealer
    policy: ServicePolicy
    checker: Checker
    pool: Pool
    sources: SelectedSources
    callers: Callers
    consents: Consents
    invitations: Invitations
    cases: Cases
    slots: Slots
    erasure: Erasure
    outcomes: Outcomes
    clock: Callable[[], int]
    milliseconds: Callable[[], int]
    random_bytes: Callable[[int], bytes]
