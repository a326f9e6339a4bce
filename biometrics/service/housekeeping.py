"""What a running service looks after: retention, records the ledger didn't take, live checks left alone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from biometrics.service.periodic import Periodic

if TYPE_CHECKING:
    from biometrics.retention import Retention
    from biometrics.service.checks import CheckDesk
    from biometrics.service.outcomes import Outcomes

_log = logging.getLogger(__name__)
_ON_ITS_WAY: Final = 30  # seconds in which a check that has just passed may still be being recorded
_SWEEP_SECONDS: Final = 1.0


def housekeeping(retention: Retention, outcomes: Outcomes, seconds: float) -> Periodic:
    """Return what deletes whatever is due and records what the ledger didn't take at first."""

    def retain() -> None:
        report = retention.run()
        if report.what:
            _log.info("retention: %s", ", ".join(f"{kind} {number}" for kind, number in report.what.items()))

    def resume() -> None:
        outcomes.resume(_ON_ITS_WAY)

    return Periodic("housekeeping", seconds, (retain, resume))


def sweeping(checks: CheckDesk) -> Periodic:
    """Return what ends live checks that nothing is heard of any more, and frees their places."""
    return Periodic("sweeping", _SWEEP_SECONDS, (checks.sweep,))
