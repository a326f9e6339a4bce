"""Every voter's ballot signed and handed in at the acknowledgement desk."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from client.bench import many
from client.bench.cohort import CohortRecords
from client.encodings.meeting import parse_meeting
from client.platform.ahead import in_order
from client.relay.desk import AcknowledgementDesk

if TYPE_CHECKING:
    from collections.abc import Callable

    from client.bench.shards import Cohort
    from client.bench.stage import Staged
    from client.services import Services

_CHUNK: Final = 1000
_AHEAD: Final = 3  # signed lists that wait for the desk: some 2 MB


def hand_in(services: Services, staged: Staged, seed: int, progress: Callable[[int], None]) -> None:
    """Sign in one process, acknowledge in this one, a chunk at a time. Raises what the desk refuses with."""
    records = CohortRecords()
    desk = AcknowledgementDesk(services.database, staged.meeting.mtg, services.signer(), records=records)
    begin, end = staged.span
    orders = [
        _Order(staged.cohort, (start, min(start + _CHUNK, end)), staged.meeting.record, seed)
        for start in range(begin, end, _CHUNK)
    ]
    with many.collector_spared(), many.processes(1) as pool:
        signed = in_order(pool, _sign, orders, _AHEAD)
        for order, ballots in zip(orders, signed, strict=True):
            records.hold(staged.cohort.voters(*order.span), staged.term)
            for answer in desk.accept_many(ballots):
                if isinstance(answer, Exception):
                    raise answer
            progress(len(ballots))


@dataclass(frozen=True, slots=True)
class _Order:
    """Ballots to be signed in another process."""

    cohort: Cohort
    span: tuple[int, int]
    record: bytes
    seed: int


def _sign(order: _Order) -> list[str]:
    meeting = parse_meeting(order.record)
    chooser = random.Random(f"{order.seed}/{order.span[0]}")  # noqa: S311  votes of nobody
    return [voter.ballot(meeting, chooser) for voter in order.cohort.voters(*order.span)]
