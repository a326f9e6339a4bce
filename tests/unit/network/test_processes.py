from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from network import processes
from network.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = ("/bin/sleep", "600")


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout(tmp_path)
    yield layout
    processes.stop(layout, [*processes.all_recorded(layout), *processes.strays(layout)])


def sleeper(node: str = "peer0.x") -> processes.Command:
    return processes.Command(node, SLEEP, {"SETTING": "1"})


def test_a_started_process_is_known_by_its_record(layout: Layout) -> None:
    record = processes.start(layout, sleeper())
    assert processes.recorded(layout, "peer0.x") == record
    assert record.alive()
    assert os.getsid(record.pid) == record.pid  # it outlives the terminal
    assert processes.resident_bytes(record) > 0
    assert (layout.run / "peer0.x.json").stat().st_mode & 0o777 == 0o600


def test_stop_ends_it_and_forgets_it(layout: Layout) -> None:
    record = processes.start(layout, sleeper())
    processes.stop(layout, [record])
    assert not record.alive()
    assert processes.recorded(layout, "peer0.x") is None
    assert processes.recorded_nodes(layout) == ()


def test_stop_kills_what_does_not_listen(layout: Layout) -> None:
    ready = layout.root / "ready"
    script = f"trap '' TERM; : > {ready}; while :; do :; done"
    layout.root.mkdir()
    record = processes.start(layout, processes.Command("deaf", ("/bin/sh", "-c", script), {}))
    while not ready.exists():
        assert record.alive()
    processes.stop(layout, [record], seconds=0.3)
    assert not record.alive()


def test_a_killed_process_leaves_a_stale_record_that_is_removed(layout: Layout) -> None:
    record = processes.start(layout, sleeper())
    os.kill(record.pid, signal.SIGKILL)
    assert processes.wait_gone([record], 10)
    assert processes.recorded(layout, "peer0.x") is None
    assert not (layout.run / "peer0.x.json").exists()


@pytest.mark.parametrize("change", [{"start": 1}, {"boot": "another"}])
def test_a_reused_pid_is_never_signalled(layout: Layout, change: dict[str, object]) -> None:
    record = processes.start(layout, sleeper())
    foreign = replace(record, **change)  # type: ignore[arg-type]
    path = layout.run / "other.json"
    path.write_text(json.dumps({**json.loads((layout.run / "peer0.x.json").read_text()), **change}))
    assert processes.recorded(layout, "other") is None
    processes.send(foreign, signal.SIGKILL)
    processes.stop(layout, [replace(foreign, node="other")])
    assert record.alive()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"surprise": 1}'])
def test_a_damaged_record_is_no_process(layout: Layout, content: str) -> None:
    layout.run.mkdir(parents=True)
    (layout.run / "peer0.x.json").write_text(content, encoding="utf-8")
    assert processes.recorded(layout, "peer0.x") is None


def test_a_process_without_a_record_is_found_by_its_mark(layout: Layout) -> None:
    record = processes.start(layout, sleeper())
    (layout.run / "peer0.x.json").unlink()
    (stray,) = processes.strays(layout)
    assert (stray.node, stray.pid) == ("peer0.x", record.pid)
    processes.stop(layout, [stray])
    assert not record.alive()


def test_other_homes_processes_are_no_strays(layout: Layout, tmp_path: Path) -> None:
    other = Layout(tmp_path / "other")
    record = processes.start(other, sleeper())
    assert processes.strays(layout) == ()
    processes.stop(other, [record])


def test_output_goes_to_the_log(layout: Layout) -> None:
    script = "i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i+1)); done; echo bad >&2"
    record = processes.start(layout, processes.Command("talker", ("/bin/sh", "-c", script), {}))
    assert processes.wait_gone([record], 10)
    assert processes.last_lines(layout, "talker", 3) == ("line 28", "line 29", "bad")
    assert processes.last_lines(layout, "silent") == ()


def test_only_its_own_settings_reach_a_node(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORE_PEER_ADDRESS", "somebody.else:7051")
    script = f'{sys.executable} -c "import os; print(sorted(os.environ))"'
    record = processes.start(layout, processes.Command("x", ("/bin/sh", "-c", script), {"SETTING": "1"}))
    assert processes.wait_gone([record], 10)
    line = processes.last_lines(layout, "x")[-1]
    assert "'SETTING'" in line
    assert "CORE_PEER_ADDRESS" not in line


def test_fingerprint_changes_with_program_arguments_and_settings() -> None:
    first = sleeper()
    assert first.fingerprint == sleeper().fingerprint
    assert replace(first, argv=("/bin/sleep", "1")).fingerprint != first.fingerprint
    assert replace(first, env={"SETTING": "2"}).fingerprint != first.fingerprint


def test_a_zombie_is_not_alive(layout: Layout) -> None:
    with subprocess.Popen(["/bin/true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert processes._start_time(child.pid) is None
