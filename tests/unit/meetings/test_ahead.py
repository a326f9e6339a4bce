"""Steps that name a moment still to come: the chaincode has no clock, the Regulator has."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from client.errors import Negative
from client.meetings.supervisor import CLOCKS_DIFFER, Supervisor
from tests.unit.meetings import test_meetings as meetings
from tests.unit.meetings.test_meetings import Arbitration, announce
from tests.unit.platform.scene import GENESIS, OPENS

if TYPE_CHECKING:
    from client.platform import Database

patience = meetings.patience
arbitration = meetings.arbitration


def supervisor(arbitration: Arbitration, behind: int) -> Supervisor:
    """Return a Regulator whose clock is so many seconds behind the moment that the step names."""
    now = OPENS - timedelta(seconds=behind)
    return Supervisor(arbitration.contract("RegulatorMSP/officer"), GENESIS, clock=lambda: now)


def test_a_step_whose_moment_is_still_to_come_is_not_confirmed(
    database: Database, arbitration: Arbitration
) -> None:
    mine = announce(database, arbitration)
    step = mine.propose_step("m-1", "open")
    with pytest.raises(Negative, match="still to come") as refused:
        supervisor(arbitration, CLOCKS_DIFFER + 1).confirm_step("m-1", step)
    assert refused.value.code == "STEP_EARLY"
    assert mine.refresh("m-1").state == "announced"
    supervisor(arbitration, CLOCKS_DIFFER).confirm_step("m-1", step)
    assert mine.refresh("m-1").state == "open"


def test_a_rehearsal_says_so(database: Database, arbitration: Arbitration) -> None:
    mine = announce(database, arbitration)
    step = mine.propose_step("m-1", "open")
    supervisor(arbitration, CLOCKS_DIFFER + 1).confirm_step("m-1", step, insecure_ahead=True)
    assert mine.refresh("m-1").state == "open"
