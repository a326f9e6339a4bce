"""The network that a benchmark runs on: the home's, or one of the bench's own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from client.bench.stage import bench_institution, registered_issuer
from client.connection import NoNetwork, Profile
from client.errors import UserError
from network import processes, topology
from network.down import down
from network.layout import Layout
from network.ports import free_base
from network.up import up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.bench.issuer import BenchIssuer
    from client.bench.progress import Progress


@dataclass(frozen=True, slots=True)
class Host:
    """A running network: its home, how to reach it, and the issuer of the bench's lenders."""

    home: Path
    profile: Profile
    issuer: BenchIssuer

    @property
    def institution(self) -> str:
        """The institution whose channel the benchmarks use."""
        return bench_institution(self.profile)

    def pids(self) -> dict[str, int]:
        """Return the processes of the network by node: peers, orderers, chaincodes, CAs."""
        return {record.node: record.pid for record in processes.all_recorded(Layout(self.home))}


@contextmanager
def host(home: Path, issuer: BenchIssuer, orgs: int, progress: Progress) -> Iterator[Host]:
    """Give the running network, or one of the bench's own where none runs or real lenders are enrolled.

    Raises UserError when its arbitration channel doesn't have `orgs` organizations.
    """
    try:
        profile = Profile.load(home)
    except NoNetwork:
        progress.say("no network is running here: starting one for the bench")
    else:
        if registered_issuer(profile) in (None, issuer.der):
            yield _checked(Host(home, profile, issuer), orgs)
            return
        progress.say("the running network has a real lender CA: starting another for the bench")
    with TemporaryDirectory(prefix="concordat-bench-network-") as folder:
        own = Path(folder)
        try:
            up(own, base=free_base(topology.load(topology.DEFAULT_TABLE)))
            progress.say("the network is up")
            yield _checked(Host(own, Profile.load(own), issuer), orgs)
        finally:
            down(own, purge=True)


def _checked(found: Host, orgs: int) -> Host:
    there = len(found.profile.arbitration_channel(found.institution).orgs)
    if there != orgs:
        raise UserError(
            f"the institution's channel has {there} organizations, not {orgs}: say --orgs {there}"
        )
    return found
