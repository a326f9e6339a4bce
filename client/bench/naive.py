"""The peer that batching is measured against: one ballot a transaction, as Fabric applications do it."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from client.encodings.ballot import parse_ballot
from client.encodings.batch import encode_batch
from client.encodings.entries import compact_entry
from client.platform.chain import VALID
from client.platform.registers import load_meeting, roll_entries
from client.platform.verdicts import Verdicts
from client.relay.errors import OutcomeLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from client.bench.stage import Staged
    from client.relay.route import Route
    from client.services import Services

SHARES: Final = {1: 200, 16: 800, 64: 2000, 256: 2000}
"""How many ballots there are for each number of transactions in flight; time ends a level before, mostly."""
VOTERS: Final = sum(SHARES.values())


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

    def as_json(self) -> dict[str, Any]:
        """Return the level as the benchmark prints it."""
        return {"in_flight": self.in_flight, "ballots": self.ballots, "per_s": round(self.rate, 1)}


def batches(services: Services, staged: Staged, seed: int) -> Iterator[bytes]:
    """Return a batch of one ballot for every voter, everything signed and encoded beforehand."""
    chooser = random.Random(seed)  # noqa: S311  votes of nobody
    meeting = staged.meeting
    file = load_meeting(services.database, meeting.mtg)
    voters = staged.voters
    places = roll_entries(services.database, meeting.mtg, {voter.sub for voter in voters})
    made = []
    for number, voter in enumerate(voters, start=1):
        position, leaf = places[voter.sub]
        entry = compact_entry(
            parse_ballot(voter.ballot(meeting, chooser)),
            meeting,
            leaf,
            index=position,
            proof=file.tree.run_path(position, meeting.roll.cap_height),
            ack_no=number,
            ack_time=int(time.time()),
        )
        made.append(encode_batch(meeting.mtg, [entry]))
    return iter(made)


def measure_all(by: Route, singles: Iterator[bytes], seconds: float) -> list[Level]:
    """Measure every level for at most `seconds`, one after another."""
    return [measure(by, islice(singles, share), in_flight, seconds) for in_flight, share in SHARES.items()]


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
