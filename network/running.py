"""A handle on a network of this host, for tests and drills: break and mend single nodes."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from network import binaries, channels, deployments, health, processes, supervisor
from network.down import down
from network.errors import NetworkError
from network.layout import Layout
from network.starting import Starter
from network.status import Status, open_cluster, status
from network.up import up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from network.cluster import Cluster
    from network.processes import Command, Record

_HEALTH_SECONDS = 60.0
_GONE_SECONDS = 10.0


class RunningNetwork:
    """One home's network. Nodes go by their names in `status`, such as `peer0.regulator`."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self._layout = Layout(self.home)
        self._programs: Mapping[str, Path] | None = None

    def up(
        self,
        *,
        table: Path | None = None,
        base: int | None = None,
    ) -> None:
        """Bring the network up, or back up; see `network.up.up`.

        The chaincode is the one that the handle's first `up` built, whatever happens to its sources.
        """
        up(self.home, table=table, base=base, programs=self._chaincodes)

    def down(self, *, purge: bool = False) -> tuple[str, ...]:
        """Stop it, and delete it on `purge`; return the names of what was stopped."""
        return down(self.home, purge=purge)

    @property
    def cluster(self) -> Cluster:
        """The network's table, ports and paths; raises `NetworkError` before the first `up`."""
        return open_cluster(self.home)

    def status(self) -> Status:
        """Look at every node."""
        return status(self.home)

    def pid(self, node: str) -> int:
        """Return the node's process id; raise `NetworkError` if it doesn't run."""
        return self._record(node).pid

    def kill(self, node: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal the node (default: kill -9). After a deadly signal, return when it is gone."""
        record = self._record(node)
        processes.send(record, number)
        deadly = number in {signal.SIGKILL, signal.SIGTERM}
        if deadly and not processes.wait_gone([record], _GONE_SECONDS):
            raise NetworkError(f"{node} (process {record.pid}) survived {number.name}")

    def start(self, node: str) -> None:
        """Start a dead peer, orderer, CA or supervisor and wait until it is healthy; no-op if it runs."""
        cluster = self.cluster
        Starter(self._layout).start([self._command(cluster, node)])
        self.wait_healthy(node)

    def wait_healthy(self, node: str, seconds: float = _HEALTH_SECONDS) -> None:
        """Wait until the node runs and says that it is well; raise `NodeFailed` otherwise."""

        def check() -> str | None:
            found = next((n for n in self.status().nodes if n.name == node), None)
            return "unknown node" if found is None else found.detail

        health.wait_for(self._layout, {node: check}, seconds, "health", supervised=True)

    def leader(self, channel: str) -> str | None:
        """Return the name of the orderer that leads the channel, None while there is none."""
        org = self.cluster.leader(self.cluster.topology.channel(channel))
        return org.orderer if org else None

    def height(self, org: str, channel: str) -> int:
        """Return how many blocks the organization's peer holds (0: none, or the peer is silent)."""
        cluster = self.cluster
        return channels.heights(cluster, cluster.topology.org(org)).get(channel, 0)

    def last_lines(self, count: int = 12) -> dict[str, tuple[str, ...]]:
        """Return the last log lines of every node that has a log."""
        names = sorted(path.stem for path in self._layout.logs.glob("*.log"))
        return {name: processes.last_lines(self._layout, name, count) for name in names}

    def deploy_chaincode(
        self,
        name: str,
        program: Path,
        channel: str,
        *,
        endorsers: Sequence[str] | None = None,
        policy: str | None = None,
    ) -> None:
        """Put one more chaincode on a channel; see `network.deployments.deploy_chaincode`."""
        deployments.deploy_chaincode(self.cluster, name, program, channel, endorsers=endorsers, policy=policy)

    def _chaincodes(self, names: tuple[str, ...]) -> Mapping[str, Path]:
        if self._programs is None:
            self._programs = binaries.chaincodes(names)
        return self._programs

    def _record(self, node: str) -> Record:
        record = processes.recorded(self._layout, node)
        if record is None:
            raise NetworkError(f"{node} does not run")
        return record

    def _command(self, cluster: Cluster, node: str) -> Command:
        keeper = supervisor.command(self.home, binaries.REPOSITORY)
        for command in (*cluster.authorities(), *cluster.orderers(), *cluster.peers(), keeper):
            if command.node == node:
                return command
        raise NetworkError(f"{node} is no node that is started by hand")
