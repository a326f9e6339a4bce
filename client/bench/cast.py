"""`bench cast` and `bench close`: ballots through outbox and relay to the Regulator's peer, and the count."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from client.bench import blocks, ceiling, naive
from client.bench.carriage import connected
from client.bench.closing import close_meeting
from client.bench.figures import cumulated, percentiles
from client.bench.meter import Meter
from client.bench.preparation import prepared
from client.bench.stage import ASSOCIATION, REGULATOR
from client.bench.watch import BlockWatch
from client.errors import UserError
from client.platform.models import Ballot
from client.relay.gateways import route

if TYPE_CHECKING:
    from pathlib import Path

    from client.bench.carriage import Carried
    from client.bench.preparation import Bench, Settings
    from client.bench.progress import Progress
    from client.bench.shards import Cohort
    from client.bench.stage import Staged

_RELAY, _BENCH = "relay", "bench"


@dataclass(frozen=True, slots=True)
class Relayed:
    """What the relay's run showed: figures for the JSON, and what a plot draws besides."""

    figures: dict[str, Any]
    committed: list[tuple[float, int]]  # seconds since the first outbox read, ballots until then
    memory: list[tuple[float, float]]  # seconds, the relay's RSS in MiB


def cast(home: Path, settings: Settings, progress: Progress) -> tuple[dict[str, Any], Relayed]:
    """Measure on the home's network, or on one of the bench's own; return the figures, and the run."""
    with prepared(home, settings, progress) as bench:
        cohort = bench.cohort(settings.ballots + naive.VOTERS, home / "bench" / "cohorts")
        # Before the run, while the ledgers are small: the naive rate is to be as good as it gets.
        levels = _naive(bench, cohort)
        limit = ceiling.measure()
        staged = bench.stage(cohort, (0, settings.ballots), "cast")
        bench.acknowledge(staged)
        relayed = relay(bench, staged)
        close = close_relayed(bench, staged, relayed.figures["accepted"])
    figures = relayed.figures
    rate, best = figures["ballots_per_s"], max(level.rate for level in levels)
    allowed = limit.per_second(figures["endorsers"])
    return {
        **figures,
        "orgs": settings.orgs,
        "cores": limit.cores,
        "naive_per_s": round(best, 1),
        "ratio_naive": round(rate / best, 2),
        "naive": [level.as_json() for level in levels],
        "verify_us": round(limit.verify_seconds * 1e6, 1),
        "ceiling_per_s": round(allowed, 1),
        "ratio_ceiling": round(rate / allowed, 4),
        "close": close,
        "stages": bench.stages.seconds,
    }, relayed


def close(home: Path, settings: Settings, progress: Progress) -> dict[str, Any]:
    """Carry ballots as `cast` does, and measure how long closing and counting them take."""
    with prepared(home, settings, progress) as bench:
        cohort = bench.cohort(settings.ballots, home / "bench" / "cohorts")
        staged = bench.stage(cohort, (0, settings.ballots), "close")
        bench.acknowledge(staged)
        accepted = relay(bench, staged).figures["accepted"]
        figures = close_relayed(bench, staged, accepted)
    return {
        "ballots": settings.ballots,
        "accepted": accepted,
        "seconds": figures["closed_s"],
        **figures,
        "stages": bench.stages.seconds,
    }


def relay(bench: Bench, staged: Staged) -> Relayed:
    """Carry all acknowledged ballots to the channel, by a process of its own."""
    settings, meeting = bench.settings, staged.meeting
    order = {
        "home": str(bench.host.home),
        "database": bench.database,
        "vault": str(bench.vault),
        "mtg": meeting.mtg,
        "institution": meeting.institution,
        "batch": settings.batch,
        "in_flight": settings.in_flight,
        "timeout": 60 + settings.ballots / 100,
    }
    gateway = bench.services.gateway(REGULATOR, "auditor")
    batches = -(-staged.size // settings.batch)
    with (
        bench.progress.stage(f"batches of {settings.batch} ballots on the channel", batches) as advance,
        BlockWatch(gateway, meeting.channel, staged.block + 1, advance) as watch,
        connected(order) as process,
        bench.stages.time("relay"),
    ):
        processes = {**bench.host.pids(), _RELAY: process.pid, _BENCH: os.getpid()}
        with Meter(processes, sampled=_RELAY) as meter:
            carried = process.go()
            placed = _placed(bench, staged)
            watch.wait_for(set(placed))
    times = {tx: watch.arrived[tx][0] for tx in placed}
    weighed = blocks.weigh(gateway, meeting.channel, {watch.arrived[tx][1] for tx in placed})
    accepted = sum(placed.values())
    read = _read_at(carried)
    began = min(read.values())
    seconds = max(times.values()) - began
    figures = {
        "ballots": settings.ballots,
        "accepted": accepted,
        "seconds": round(seconds, 3),
        "ballots_per_s": round(accepted / seconds, 1),
        "endorsers": weighed.endorsements,
        "bytes_per_ballot": round(weighed.octets / accepted, 1),
        "latency_s": percentiles((times[tx] - read[tx], count) for tx, count in placed.items()),
        "transactions": len(placed),
        "transactions_sent": len(carried.sent),
        "blocks": weighed.blocks,
        "batch": settings.batch,
        "in_flight": settings.in_flight,
        "rss_mib": meter.peaks,
        "cpu_s": meter.processor,
        "relay_rss_mib": meter.flatness(),
    }
    committed = cumulated((times[tx] - began, count) for tx, count in placed.items())
    return Relayed(figures, committed, meter.samples)


def _placed(bench: Bench, staged: Staged) -> dict[str, int]:
    """Return how many ballots each transaction brought to the channel."""
    with bench.services.database.read() as session:
        query = select(Ballot.tx, func.count()).where(
            Ballot.mtg == staged.meeting.mtg, Ballot.status == "committed"
        )
        placed = {str(tx): int(count) for tx, count in session.execute(query.group_by(Ballot.tx))}
    if not placed:
        raise UserError("not one ballot was committed: see the relay's lines above")
    return placed


def _read_at(carried: Carried) -> dict[str, float]:
    return {sent.tx: sent.read_at for sent in carried.sent}


def _naive(bench: Bench, cohort: Cohort) -> list[naive.Level]:
    begin = bench.settings.ballots
    staged = bench.stage(cohort, (begin, begin + naive.VOTERS), "naive", prefix="naive_")
    singles = naive.batches(bench.services, staged, bench.settings.seed)
    by = route(bench.services.gateway(ASSOCIATION, "relay"), ASSOCIATION, staged.meeting.channel)
    bench.progress.say(f"naive: one ballot a transaction, {', '.join(map(str, naive.SHARES))} in flight")
    with bench.stages.time("naive"):
        return naive.measure_all(by, singles, bench.settings.naive_seconds)


def close_relayed(bench: Bench, staged: Staged, accepted: int) -> dict[str, Any]:
    """Close the meeting and count; every accepted ballot has to be counted."""
    bench.progress.say("closing and counting")
    with bench.stages.time("close"):
        return close_meeting(bench.services, staged, accepted)
