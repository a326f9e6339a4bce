"""Enrolments and identity checks put on `identity` in batches, several under way at a time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from client.encodings import jcs
from client.errors import UserError
from client.platform.ahead import in_order
from client.platform.chain import LAG_SECONDS, commit
from client.platform.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from client.bench.cohort import Term
    from client.bench.shards import Cohort
    from client.platform.chain import Contract

IN_FLIGHT: Final = 4
_AGAIN_SECONDS: Final = 0.2


def enrol(
    cohort: Cohort, verifier: Contract, genesis: str, progress: Callable[[int], None], in_flight: int
) -> None:
    """Enrol a cohort, shard by shard; shards marked as enrolled on this network are passed over.

    A run that was killed goes on where it was: what is enrolled already is a success.
    """

    def one(number: int) -> int:
        mark = cohort.enrolled(number, genesis)
        if not mark.exists():
            record(verifier, "Enrol", [voter.item() for voter in cohort.read(number)])
            mark.touch()
        return cohort.size(number)

    with ThreadPoolExecutor(in_flight) as pool:
        for done in in_order(pool, one, cohort.shards, 2 * in_flight):
            progress(done)


def record_sessions(
    cohort: Cohort,
    span: tuple[int, int],
    term: Term,
    verifier: Contract,
    progress: Callable[[int], None],
    *,
    batch: int,
    in_flight: int,
) -> None:
    """Record the identity checks of voters `span` for one meeting."""
    chunks = ([voter.session(term).as_json() for voter in chunk] for chunk in cohort.chunks(*span, batch))

    def one(documents: Sequence[Any]) -> int:
        record(verifier, "RecordSessions", documents)
        return len(documents)

    with ThreadPoolExecutor(in_flight) as pool:
        for done in in_order(pool, one, chunks, 2 * in_flight):
            progress(done)


def record(contract: Contract, function: str, documents: Sequence[Any]) -> None:
    """Commit a batch; what an endorser doesn't know yet is sent again for a few seconds.

    Raises UserError, with the codes, when anything is refused or stays unknown.
    """
    deadline = time.monotonic() + LAG_SECONDS
    left = list(documents)
    while left:
        verdicts = Verdicts.parse(commit(contract, function, jcs.dumps(left)).result, len(left))
        bad = verdicts.refused or (verdicts.pending if time.monotonic() > deadline else {})
        if bad:
            raise UserError(
                f"identity did not take {len(bad)} of {len(documents)} records: {sorted(set(bad.values()))}"
            )
        left = [left[index] for index in sorted(verdicts.pending)]
        if left:
            time.sleep(_AGAIN_SECONDS)
