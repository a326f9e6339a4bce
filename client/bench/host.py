"""The network that a benchmark runs on: the home's, or one of the bench's own."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from client.bench.issuer import BenchIssuer
from client.bench.stage import registered_issuer
from client.connection import NoNetwork, Profile
from network import topology
from network.down import down
from network.ports import free_base
from network.up import up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.bench.progress import Progress


@contextmanager
def host(home: Path, progress: Progress) -> Iterator[tuple[Profile, BenchIssuer]]:
    """Give the running network, or one of the bench's own where none runs or real lenders are enrolled."""
    try:
        profile = Profile.load(home)
    except NoNetwork:
        progress.say("no network is running here: starting one for the bench")
    else:
        issuer = BenchIssuer.of(home / "bench")
        if registered_issuer(profile) in (None, issuer.der):
            yield profile, issuer
            return
        progress.say("the running network has a real lender CA: starting another for the bench")
    with _own_network(progress) as profile:
        yield profile, BenchIssuer.make()


@contextmanager
def _own_network(progress: Progress) -> Iterator[Profile]:
    with TemporaryDirectory(prefix="concordat-bench-network-") as folder:
        home = Path(folder)
        try:
            up(home, base=free_base(topology.load(topology.DEFAULT_TABLE)))
            progress.say("the network is up")
            yield Profile.load(home)
        finally:
            down(home, purge=True)
