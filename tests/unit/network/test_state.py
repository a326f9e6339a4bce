from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

import pytest

from network import state
from network.errors import NetworkError, TopologyError
from network.layout import Layout
from tests.unit.network import tables

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    state.begin(layout)
    state.save(layout, tables.DEFAULT, 18000)
    return layout


def test_a_made_network_is_remembered(made: Layout) -> None:
    found = state.load(made)
    assert found is not None
    assert found.base == 18000
    assert len(found.topology.orgs) == 4


def test_half_made_is_not_made(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    (layout.root / "orgs" / "association").mkdir(parents=True)
    assert state.load(layout) is None


@pytest.mark.parametrize("content", ["{", '{"v": 99}'])
def test_a_damaged_memory_says_what_to_do(made: Layout, content: str) -> None:
    made.state.write_text(content, encoding="utf-8")
    with pytest.raises(NetworkError, match=r"down --purge"):
        state.load(made)


def test_another_port_base_or_table_is_refused(made: Layout, tmp_path: Path) -> None:
    wider = tmp_path / "wider.toml"
    wider.write_text(tables.with_second_institution(), encoding="utf-8")
    with pytest.raises(NetworkError, match="has port base 18000"):
        state.reconcile(made, None, 19000)
    with pytest.raises(NetworkError, match="made from another table"):
        state.reconcile(made, wider, None)


def test_the_same_again_is_accepted(made: Layout, tmp_path: Path) -> None:
    same = tmp_path / "same.toml"
    same.write_text(tables.DEFAULT + "\n# only a comment more\n", encoding="utf-8")
    assert state.reconcile(made, same, 18000) == state.load(made)


def test_a_plan_has_the_tables_port_base_unless_told(tmp_path: Path) -> None:
    table = tmp_path / "table.toml"
    table.write_text(tables.DEFAULT, encoding="utf-8")
    assert state.plan(table, None).base == 17000
    assert state.plan(table, 21000).base == 21000
    with pytest.raises(TopologyError, match="port base 65300"):
        state.plan(table, 65300)


def test_erase_removes_everything_but_the_lock(made: Layout) -> None:
    with state.locked(made):
        state.erase(made)
    assert not made.root.exists()
    assert made.lock.exists()


def test_erase_spares_a_folder_that_is_no_networks(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    source = layout.root / "topology.py"
    source.parent.mkdir()
    source.write_text("precious", encoding="utf-8")
    with pytest.raises(NetworkError, match="was not made by `concordat network`"):
        state.erase(layout)
    assert source.read_text(encoding="utf-8") == "precious"


def test_erase_takes_what_a_crash_left(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.root.mkdir()
    state.erase(layout)
    state.begin(layout)
    (layout.root / "orgs").mkdir()
    state.erase(layout)
    assert not layout.root.exists()


def _hold(layout: Layout, held: Event, release: Event) -> None:
    with state.locked(layout):
        held.set()
        release.wait(30)


def test_a_second_command_waits_for_the_first(made: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    first = context.Process(target=_hold, args=(made, held, release))
    first.start()
    assert held.wait(30)
    second_held, second_release = context.Event(), context.Event()
    second = context.Process(target=_hold, args=(made, second_held, second_release))
    second.start()
    assert not second_held.wait(1)
    release.set()
    assert second_held.wait(30)
    second_release.set()
    first.join(30)
    second.join(30)
    assert f"waiting for process {first.pid}, which is changing this network" in capfd.readouterr().err


def test_the_lock_goes_with_its_holder(made: Layout) -> None:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    first = context.Process(target=_hold, args=(made, held, release))
    first.start()
    assert held.wait(30)
    first.kill()
    first.join(30)
    with state.locked(made):
        pass
