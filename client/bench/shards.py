"""A cohort on disk, in shards that are made once and read one at a time."""

from __future__ import annotations

import hashlib
import os
import random
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from client.bench import many
from client.bench.cohort import Voter, recruit
from client.bench.issuer import BenchIssuer
from client.encodings import cbor
from client.platform.ahead import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHARD: Final = 1000
"""Voters a shard, which is also how many are enrolled in one transaction."""
_FORMAT: Final = "concordat-bench-cohort-1"


@dataclass(frozen=True, slots=True)
class Cohort:
    """`count` voters that are kept in `folder`.

    Cohorts of the same inputs share all whole shards, so these serve runs of any size.
    """

    folder: Path
    institution: str
    count: int

    @classmethod
    def at(cls, root: Path, issuer: BenchIssuer, institution: str, count: int, seed: int) -> Cohort:
        """Return the cohort of these inputs below `root`; nothing is made yet."""
        inputs = "\0".join((_FORMAT, institution, str(seed), str(SHARD)))
        key = hashlib.sha256(inputs.encode() + issuer.der).hexdigest()[:16]
        return cls(root / key, institution, count)

    def shard(self, number: int) -> Path:
        """Return the file of a shard, of mode 0600: it holds keys."""
        return self.folder / f"{number:05d}-{self.size(number)}.cbor"

    def enrolled(self, number: int, genesis: str) -> Path:
        """Return the mark that a shard is enrolled on the network with this genesis hash."""
        return self.folder / f"{number:05d}-{self.size(number)}.enrolled-{genesis[:16]}"

    def size(self, number: int) -> int:
        """Return how many voters a shard holds; the last one may hold fewer than others."""
        return min(SHARD, self.count - number * SHARD)

    @property
    def shards(self) -> range:
        """The numbers of the shards that hold these voters."""
        return range(-(-self.count // SHARD))

    def read(self, number: int) -> list[Voter]:
        """Return a whole shard's voters."""
        packed = cbor.loads(self.shard(number).read_bytes())
        return [Voter.unpack(self.institution, one) for one in packed]

    def voters(self, begin: int, end: int) -> Iterator[Voter]:
        """Yield voters begin … end - 1, holding one shard at a time."""
        for number in range(begin // SHARD, -(-end // SHARD)):
            first = number * SHARD
            yield from self.read(number)[max(0, begin - first) : end - first]

    def chunks(self, begin: int, end: int, size: int) -> Iterator[list[Voter]]:
        """Yield voters begin … end - 1 in lists of `size`."""
        voters = self.voters(begin, end)
        while chunk := list(islice(voters, size)):
            yield chunk

    def make(self, issuer: BenchIssuer, seed: int, progress: Callable[[int], None]) -> None:
        """Make the shards that aren't there, on all processors. A killed run goes on where it was."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        missing = [number for number in self.shards if not self.shard(number).exists()]
        progress(self.count - sum(self.size(number) for number in missing))
        orders = [
            _Order(self.shard(number), issuer.pem, self.institution, f"{seed}/{number}", self.size(number))
            for number in missing
        ]
        workers = min(os.cpu_count() or 1, max(1, len(orders)))
        with many.processes(workers) as pool:
            for made in in_order(pool, _make_shard, orders, 2 * workers):
                progress(made)


@dataclass(frozen=True, slots=True)
class _Order:
    """A shard to be made in another process."""

    path: Path
    issuer: tuple[bytes, bytes]
    institution: str
    seed: str
    size: int


def _make_shard(order: _Order) -> int:
    chooser = random.Random(order.seed)  # noqa: S311  amounts, not secrets
    with many.collector_paused():
        voters = recruit(order.size, BenchIssuer.from_pem(*order.issuer), order.institution, chooser)
        content = cbor.dumps([voter.pack() for voter in voters])
    unfinished = order.path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    unfinished.rename(order.path)  # a shard that is there is whole
    return order.size
