from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from network import processes, supervisor
from network.binaries import REPOSITORY
from network.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout(tmp_path)
    yield layout
    processes.stop(layout, [*processes.all_recorded(layout), *processes.strays(layout)])


def service(*argv: str) -> processes.Command:
    return processes.Command("identity.x", argv or ("/bin/sleep", "600"), {"CHAINCODE_ID": "x"}, (1,))


def test_services_are_read_as_written(layout: Layout) -> None:
    assert supervisor.read_services(layout) == ()
    supervisor.write_services(layout, [service()])
    assert supervisor.read_services(layout) == (service(),)


def test_what_is_missing_is_started_once(layout: Layout) -> None:
    supervisor.write_services(layout, [service()])
    keeper = supervisor.Supervisor(layout)
    first, _ = keeper.step()
    again, _ = keeper.step()
    assert [record.pid for record in again] == [record.pid for record in first]
    assert len(first) == 1


def test_a_running_service_is_adopted(layout: Layout) -> None:
    record = processes.start(layout, service())
    supervisor.write_services(layout, [service()])
    running, _ = supervisor.Supervisor(layout).step()
    assert running == [record]


def test_a_changed_service_is_restarted(layout: Layout) -> None:
    record = processes.start(layout, service())
    supervisor.write_services(layout, [service("/bin/sleep", "601")])
    (running,), _ = supervisor.Supervisor(layout).step()
    assert running.pid != record.pid
    assert not record.alive()


def test_a_missing_program_does_not_take_the_others_with_it(layout: Layout) -> None:
    gone = processes.Command("identity.gone", ("/nonexistent",), {}, (2,))
    supervisor.write_services(layout, [gone, service()])
    running, next_look = supervisor.Supervisor(layout).step()
    assert [record.node for record in running] == ["identity.x"]
    assert next_look > 0


def test_one_that_keeps_dying_is_started_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = supervisor._Attempt()
    now, delays = 1000.0, []
    for _ in range(8):
        attempt.begin(now)
        delays.append(attempt.due(now) - now)
        now = attempt.due(now)
    assert delays == sorted(delays)
    assert delays[0] < 0.5
    assert delays[-1] == supervisor._LONGEST_DELAY
    attempt.begin(now + 3600)  # it ran well for an hour before it died
    assert attempt.due(0) - attempt.started == pytest.approx(delays[0])


def wait_for_another(layout: Layout, old: int | None) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        record = processes.recorded(layout, "identity.x")
        if record is not None and record.pid != old:
            return record.pid
        os.sched_yield()
    raise AssertionError("the service did not come back")


def test_the_real_supervisor_brings_a_killed_service_back(layout: Layout) -> None:
    supervisor.write_services(layout, [service()])
    keeper = processes.start(layout, supervisor.command(layout.home, REPOSITORY))
    first = wait_for_another(layout, None)
    os.kill(first, signal.SIGKILL)
    second = wait_for_another(layout, first)
    processes.stop(layout, [keeper])
    # Services stay when the supervisor goes: a new one adopts them.
    record = processes.recorded(layout, "identity.x")
    assert record is not None
    assert record.pid == second
