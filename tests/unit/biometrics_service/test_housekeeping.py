from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from biometrics.retention import FRAME_SECONDS
from biometrics.service.housekeeping import housekeeping
from biometrics.store.models import CaseFrame
from tests.unit.biometrics_service.test_officers import review

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from biometrics.service.periodic import Periodic
    from tests.unit.biometrics_service.conftest import World


def until(condition: Callable[[], bool]) -> None:
    waiting = threading.Event()
    while not condition():
        waiting.wait(0.005)


def at_work(world: World) -> Periodic:
    return housekeeping(world.service.retention, world.service.parts.outcomes, seconds=0.005)


def frames(world: World) -> int:
    with world.database.read() as session:
        return session.scalar(select(func.count()).select_from(CaseFrame)) or 0


def test_a_running_service_records_what_the_ledger_did_not_take_at_first(world: World) -> None:
    world.ledger.down = True
    ses = world.lender().check(world.web).get_json()["ses"]
    assert world.web.get(f"/v1/checks/{ses}").get_json()["state"] == "recording"
    with at_work(world):
        world.clock.now += 60
        world.ledger.down = False
        until(lambda: ses in world.ledger.sessions)
        until(lambda: world.web.get(f"/v1/checks/{ses}").get_json()["state"] == "recorded")


def test_a_check_that_has_just_passed_is_left_to_who_is_recording_it(world: World) -> None:
    world.ledger.down = True
    ses = world.lender().check(world.web).get_json()["ses"]
    world.ledger.down = False
    world.service.housekeeping.once()
    assert ses not in world.ledger.sessions
    world.clock.now += 30
    world.service.housekeeping.once()
    assert ses in world.ledger.sessions


def test_a_running_service_deletes_frames_without_anybody_asking(world: World) -> None:
    review(world)
    assert frames(world) == 3
    with at_work(world):
        world.clock.now += FRAME_SECONDS
        until(lambda: frames(world) == 0)


def test_a_failure_is_logged_by_its_kind_and_the_rest_is_done(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.ledger.down = True
    ses = world.lender().check(world.web).get_json()["ses"]
    world.ledger.down = False
    world.clock.now += 30

    def broken(meetings: object, issued_until: int) -> int:
        raise OSError("the disk of Wang Xiaoming")

    world.ledger.forget = broken  # type: ignore[method-assign]
    with caplog.at_level(logging.ERROR):
        world.service.housekeeping.once()
    assert ses in world.ledger.sessions
    assert "retain: OSError" in caplog.text
    assert "Wang" not in caplog.text
