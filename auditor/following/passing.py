"""A full reconciliation beside the following: a process of its own over the last checkpoint.

Run as `python -m auditor.following.passing` with an order (JSON) on its standard input; answers in JSON.
Following goes on meanwhile, and a pass that takes a minute delays no alarm about a block.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from auditor.ahead import Alone, HelperProcesses
from auditor.anchors import wrong_anchors
from auditor.checkpoint import Checkpoints
from auditor.discrepancy import from_error
from auditor.errors import AuditUnavailable
from auditor.platform_rows import PlatformRows
from auditor.reconcile import Terms, reconcile
from auditor.replay.authority import Offices
from auditor.run import Roots
from auditor.snapshot import open_snapshot
from auditor.store import Store
from auditor.withhold import withheld
from client.encodings import times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.ahead import Helpers
    from auditor.discrepancy import Discrepancy
    from auditor.reconcile import Reconciliation
    from auditor.verifier import Verifier
    from auditor.view import ChainMeeting

_WAIT: Final = 15.0  # seconds in which the following gets as far as the snapshot
_POLL: Final = 0.1
_MANY: Final = 20_000  # ballots for which it pays to start helpers


@dataclass(frozen=True, slots=True)
class PassOrder:
    """What to reconcile: the follower's state, the pinned hashes, the platform's database, the patience."""

    store: Path
    genesis: dict[str, bytes]
    database: str
    patience: int

    def encode(self) -> str:
        """Return the order's JSON."""
        genesis = {name: value.hex() for name, value in self.genesis.items()}
        return json.dumps(
            {
                "store": str(self.store),
                "genesis": genesis,
                "database": self.database,
                "patience": self.patience,
            }
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the order of its JSON."""
        value = json.loads(text)
        genesis = {name: bytes.fromhex(one) for name, one in value["genesis"].items()}
        return cls(Path(value["store"]), genesis, value["database"], value["patience"])


def full_pass(order: PassOrder) -> dict[str, Any]:
    """Reconcile every meeting of the last checkpoint, and its anchors; raises AuditUnavailable.

    As with an audit the order matters: the heights first, then the snapshot, then the state that has got as
    far as the snapshot. Where the following doesn't get there in time, rows of blocks to come are extra.
    """
    begun = time.monotonic()
    settled, sessions = _settled(order)
    with open_snapshot(order.database) as (connection, snapshot):
        rows = PlatformRows(connection)
        with closing(Store(order.store, read_only=True)) as store, ExitStack() as opened:
            verifier = _caught_up(order, store, rows)
            helpers: Helpers = Alone()
            if sum(verifier.accepted(channel) for channel in verifier.channels()[1:]) > _MANY:
                helpers = opened.enter_context(HelperProcesses())
            found: list[tuple[ChainMeeting, Reconciliation, tuple[Discrepancy, ...]]] = []
            for channel in verifier.channels()[1:]:
                for meeting in _meetings(verifier, channel):
                    terms = Terms(
                        settled_height=settled.get(channel, 0),
                        own_door=Offices().regulator,
                        platform_door=Offices().association,
                        now=times.parse(snapshot.taken_at),
                        patience=order.patience,
                        settled_sessions=sessions.get(meeting.mtg, 0),
                        doors=verifier.doors(channel),
                        helpers=helpers,
                    )
                    reconciled = reconcile(meeting, rows, terms)
                    found.append((meeting, reconciled, _shown(meeting, reconciled)))
    return {
        "pending": {meeting.mtg: one.pending for meeting, one, _ in found},
        "rows": sum(one.rows for _, one, _ in found),
        "discrepancies": [
            {"channel": meeting.channel, "meeting": meeting.mtg, **discrepancy.as_json()}
            for meeting, _, shown in found
            for discrepancy in shown
        ],
        "seconds": round(time.monotonic() - begun, 3),
    }


def _shown(meeting: ChainMeeting, reconciled: Reconciliation) -> tuple[Discrepancy, ...]:
    """Return what differs and which anchors are wrong, as anybody may see it."""
    anchored = wrong_anchors(meeting.mtg, meeting.anchors, meeting.accepted.values())
    found = (*map(from_error, anchored), *reconciled.discrepancies)
    return found if meeting.result else withheld(found)


def _meetings(verifier: Verifier, channel: str) -> Iterator[ChainMeeting]:
    for mtg in verifier.meetings(channel):
        meeting = verifier.meeting(channel, mtg)
        if meeting is not None:
            yield meeting


def _settled(order: PassOrder) -> tuple[dict[str, int], dict[str, int]]:
    """Return what was on the channels before the snapshot: heights, and how many sessions by meeting."""
    with closing(Store(order.store, read_only=True)) as store:
        verifier = _verifier(order, store)
        meetings = [(name, mtg) for name in verifier.channels()[1:] for mtg in verifier.meetings(name)]
        heights = {name: verifier.height(name) for name in verifier.channels()}
        return heights, {mtg: len(verifier.sessions(mtg)) for _, mtg in meetings}


def _caught_up(order: PassOrder, store: Store, rows: PlatformRows) -> Verifier:
    """Return the verifier as soon as it has every block and session that the snapshot names."""
    deadline = time.monotonic() + _WAIT
    while True:
        store.renew()
        verifier = _verifier(order, store)
        if time.monotonic() >= deadline or all(
            verifier.broken(channel) or _complete(verifier, channel, rows)
            for channel in verifier.channels()[1:]
        ):
            return verifier
        time.sleep(_POLL)


def _complete(verifier: Verifier, channel: str, rows: PlatformRows) -> bool:
    for mtg in verifier.meetings(channel):
        if rows.last_block(mtg) >= verifier.height(channel):
            return False
        if verifier.sessions(mtg).missing(rows.recorded(mtg)):
            return False
    return True


def _verifier(order: PassOrder, store: Store) -> Verifier:
    verifier = Checkpoints(store, Roots(order.genesis, Offices())).resume(Alone(), thoroughly=False)
    if verifier is None:
        raise AuditUnavailable("there is no checkpoint yet")
    return verifier


def main() -> int:
    """Carry out the order on standard input."""
    order = PassOrder.parse(sys.stdin.readline())
    try:
        answer = full_pass(order)
    except AuditUnavailable as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
