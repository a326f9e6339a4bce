"""A real network for the tests that need one: started once a session, gone at its end."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from client.connection import Profile
from network import topology
from network.ports import free_base
from network.running import RunningNetwork
from tests.integration.governed import Governed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_PREFIX = "concordat-network-"
_RUNNING: list[LiveNetwork] = []


class LiveNetwork(RunningNetwork):
    """A running network together with its connection profile."""

    @property
    def profile(self) -> Profile:
        return Profile.load(self.home)


@pytest.fixture(scope="session")
def network() -> Iterator[LiveNetwork]:
    """Start a network in a temporary home and on free ports, with the repository's chaincode.

    All tests of the session share it, so a test that kills a node brings it back: `network.start(node)`,
    or `network.up()` for whatever is dead.
    """
    _remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    running = LiveNetwork(folder)
    try:
        running.up(base=free_base(topology.load(topology.DEFAULT_TABLE)))
        _RUNNING.append(running)
        yield running
    finally:
        _RUNNING.clear()
        running.down(purge=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def governed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Governed]:
    """A network of the module's own, whose channels its tests may reconfigure to no good end."""
    folder = tmp_path_factory.mktemp("governed")
    running = LiveNetwork(folder / "home")
    try:
        running.up(base=free_base(topology.load(topology.DEFAULT_TABLE)))
        yield Governed(running, running.profile, folder)
    finally:
        running.down(purge=True)


@pytest.fixture
def home(network: LiveNetwork, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the command line at the running network."""
    monkeypatch.setenv("CONCORDAT_HOME", str(network.home))
    return network.home


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the nodes' last log lines to the report of a test that failed on the network."""
    report = yield
    if report.failed and _RUNNING and "network" in getattr(item, "fixturenames", ()):
        for node, lines in _RUNNING[0].last_lines(4).items():
            report.sections.append((f"last log lines of {node}", "\n".join(lines)))
    return report


def _remove_abandoned() -> None:
    """Take down what a test session that was killed left behind: its process id is in the folder's name."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            RunningNetwork(folder).down(purge=True)
            shutil.rmtree(folder, ignore_errors=True)
