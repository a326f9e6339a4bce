"""The peer that batching is measured against: one ballot a transaction, as Fabric applications do it."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from client.encodings.ballot import parse_ballot
from client.encodings.batch import encode_batch
from client.encodings.entries import compact_entry
from client.platform.chain import VALID
from client.platform.verdicts import Verdicts
from client.relay.errors import OutcomeLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.bench.stage import Staged
    from client.relay.route import Route

IN_FLIGHT = (1, 16, 64, 256)


@dataclass(frozen=True, slots=True)
class Level:
    """What a number of transactions in flight achieved."""

    in_flight: int
    ballots: int
    seconds: float

    @property
    def rate(self) -> float:
        """Ballots (that is, transactions) committed per second."""
        return self.ballots / self.seconds


def batches(staged: Staged, seed: int) -> Iterator[bytes]:
    """Yield a batch of one ballot for every voter, everything signed and encoded beforehand."""
    chooser = random.Random(seed)  # noqa: S311  votes of nobody
    index = {leaf.sub: position for position, leaf in enumerate(staged.roll.leaves)}
    meeting = staged.meeting
    made = []
    for number, voter in enumerate(staged.voters, start=1):
        position = index[voter.lender.sub]
        entry = compact_entry(
            parse_ballot(voter.ballot(meeting, chooser)),
            meeting,
            voter.leaf,
            index=position,
            proof=staged.roll.tree.run_path(position, meeting.roll.cap_height),
            ack_no=number,
            ack_time=int(time.time()),
        )
        made.append(encode_batch(meeting.mtg, [entry]))
    return iter(made)


def measure(by: Route, singles: Iterator[bytes], in_flight: int, seconds: float) -> Level:
    """Keep `in_flight` transactions under way for `seconds`, or until no ballot is left; count commits."""
    lock = threading.Lock()
    end = time.monotonic() + seconds

    def work() -> int:
        done = 0
        while time.monotonic() < end:
            with lock:
                batch = next(singles, None)
            if batch is None:
                break
            done += _submit(by, batch)
        return done

    begin = time.monotonic()
    with ThreadPoolExecutor(in_flight) as pool:
        done = sum(future.result() for future in [pool.submit(work) for _ in range(in_flight)])
    return Level(in_flight, done, time.monotonic() - begin)


def _submit(by: Route, batch: bytes) -> bool:
    """Submit one ballot and wait for its block; return whether it was accepted and committed."""
    endorsed = by.endorse(batch)
    try:
        settled = endorsed.send()
    except OutcomeLost:
        return False
    return settled.code == VALID and Verdicts.parse(endorsed.verdicts, 1).accepts(0)
