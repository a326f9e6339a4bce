"""`bench cast`: ballots through outbox and relay to the last commit at the Regulator's peer."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from client.bench import naive
from client.bench.cohort import CohortRecords
from client.bench.host import host
from client.bench.stage import ASSOCIATION, REGULATOR, Staged, stage
from client.bench.watch import BlockWatch
from client.errors import UserError
from client.platform import Database, Vault
from client.platform.models import Ballot
from client.relay.batch import Limits
from client.relay.desk import AcknowledgementDesk
from client.relay.gateways import route
from client.relay.services import Services

if TYPE_CHECKING:
    from client.bench.issuer import BenchIssuer
    from client.bench.progress import Progress

ENDORSERS = 2  # of {Association, Regulator, Arbitration}: the channels' policy
_DESK_CHUNK = 500
_NAIVE_SHARE = {1: 200, 16: 800, 64: 2000, 256: 2000}


@dataclass(frozen=True, slots=True)
class Settings:
    """What is measured: ballots, ballots a batch, batches in flight, seconds for each naive level, seed."""

    ballots: int
    batch: int
    in_flight: int
    naive_seconds: float
    seed: int


def cast(home: Path, settings: Settings, progress: Progress) -> dict[str, Any]:
    """Measure on the home's network, or on one of the bench's own; return the figures."""
    with host(home, progress) as (profile, issuer), TemporaryDirectory(prefix="concordat-bench-") as scratch:
        database = Database.open(f"sqlite:///{Path(scratch) / 'platform.db'}")
        services = Services(profile, database, Vault.open(Path(scratch) / "platform.key"))
        try:
            staged = stage(services, issuer, "cast", settings.ballots, seed=settings.seed, progress=progress)
            figures = _batched(services, staged, settings, progress)
            levels = _naive(services, issuer, settings, progress)
        finally:
            services.close()
            database.close()
    best = max(level.rate for level in levels)
    return {
        **figures,
        "endorsers": ENDORSERS,
        "naive_per_s": round(best, 1),
        "ratio_naive": round(figures["ballots_per_s"] / best, 2),
        "naive": [
            {"in_flight": level.in_flight, "ballots": level.ballots, "per_s": round(level.rate, 1)}
            for level in levels
        ],
    }


def _batched(services: Services, staged: Staged, settings: Settings, progress: Progress) -> dict[str, Any]:
    meeting = staged.meeting
    _acknowledge(services, staged, settings, progress)
    relay = services.relay(
        meeting.mtg, meeting.institution, limits=Limits(count=settings.batch), workers=settings.in_flight
    )
    with BlockWatch(services.gateway(REGULATOR, "auditor"), meeting.channel) as watch:
        progress.say(f"relaying {settings.ballots} ballots")
        begin = time.monotonic()
        with relay:
            relay.drain(timeout=60 + settings.ballots / 100)
        with services.database.read() as session:
            mine = select(func.count(), func.max(Ballot.block), func.count(Ballot.tx.distinct()))
            committed = mine.where(Ballot.mtg == meeting.mtg, Ballot.status == "committed")
            accepted, last, transactions = session.execute(committed).one()
        if last is None:
            raise UserError("not one ballot was committed: see the relay's warnings (concordat -v bench …)")
        seconds = watch.wait_for(last) - begin
    return {
        "ballots": settings.ballots,
        "accepted": accepted,
        "seconds": round(seconds, 3),
        "ballots_per_s": round(accepted / seconds, 1),
        "tx_per_s": round(transactions / seconds, 2),
        "transactions": transactions,
    }


def _acknowledge(services: Services, staged: Staged, settings: Settings, progress: Progress) -> None:
    records = CohortRecords(list(staged.voters))
    desk = AcknowledgementDesk(services.database, staged.meeting.mtg, services.signer(), records=records)
    chooser = random.Random(settings.seed)  # noqa: S311  votes of nobody
    with progress.stage("cast: signed and acknowledged", settings.ballots) as advance:
        for begin in range(0, settings.ballots, _DESK_CHUNK):
            chunk = staged.voters[begin : begin + _DESK_CHUNK]
            answers = desk.accept_many([voter.ballot(staged.meeting, chooser) for voter in chunk])
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
            advance(len(chunk))


def _naive(
    services: Services, issuer: BenchIssuer, settings: Settings, progress: Progress
) -> list[naive.Level]:
    count = sum(_NAIVE_SHARE.values())
    staged = stage(services, issuer, "naive", count, seed=settings.seed + 1, progress=progress)
    singles = naive.batches(staged, settings.seed)
    gateway = services.gateway(ASSOCIATION, "relay")
    by = route(gateway, ASSOCIATION, staged.meeting.channel)
    levels = []
    for in_flight in naive.IN_FLIGHT:
        share = iter([batch for _, batch in zip(range(_NAIVE_SHARE[in_flight]), singles, strict=False)])
        progress.say(f"naive: one ballot a transaction, {in_flight} in flight")
        levels.append(naive.measure(by, share, in_flight, settings.naive_seconds))
    return levels
