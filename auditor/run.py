"""One audit, end to end: snapshot, blocks, verification, reconciliation, verdict."""

from __future__ import annotations

import logging
import time
from collections import deque
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.ahead import Alone
from auditor.anchors import wrong_anchors
from auditor.discrepancy import EXTRA, from_error
from auditor.errors import AuditUnavailable
from auditor.garbage import rarely_collected
from auditor.platform_rows import PlatformRows
from auditor.reconcile import PATIENCE, Reconciliation, Terms, reconcile
from auditor.replay.anchors import result_hash
from auditor.snapshot import open_snapshot
from auditor.store import Store
from auditor.turnout import Arrivals
from auditor.verdict import Audit, verified
from auditor.verifier import Verifier
from client.encodings import times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.ahead import Helpers
    from auditor.errors import ReplayError
    from auditor.replay.authority import Offices
    from auditor.snapshot import Snapshot
    from auditor.source import BlockSource
    from auditor.view import ChainMeeting

_LOG = logging.getLogger(__name__)
_PEER_LAG = 10.0  # seconds that the own peer may be behind what the platform names
_POLL = 0.1


@dataclass(frozen=True, slots=True)
class Roots:
    """What the auditor trusts beforehand: each channel's genesis hash, and who holds which office."""

    genesis: Mapping[str, bytes]
    offices: Offices


def run_audit(
    source: BlockSource,
    roots: Roots,
    mtg: str,
    database: str,
    *,
    patience: int = PATIENCE,
    helpers: Helpers | None = None,
    as_of: str | None = None,
) -> Audit:
    """Audit one meeting; `patience` is how many seconds an acknowledged ballot may be on its way.

    They are counted up to `as_of`, by default the moment of the snapshot.

    Raises AuditUnavailable where there is no such meeting, no database or no peer. Everything
    else that is wrong is a discrepancy in the audit that is returned.

    The order matters: the heights first (what is below them, the platform must know), then the
    snapshot, then the blocks up to the last one that the snapshot names.
    """
    begun = time.monotonic()
    channels = [name for name in roots.genesis if name != "identity"]
    settled = {name: source.height(name) for name in channels}
    identity = source.height("identity")
    with rarely_collected(), closing(Store()) as store, open_snapshot(database) as (connection, snapshot):
        rows = PlatformRows(connection)
        verifier = Verifier(roots.genesis, roots.offices, helpers, store)
        _follow(source, verifier, "identity", identity)
        sessions = len(verifier.sessions(mtg))
        channel = _find(source, verifier, mtg, settled)
        terms = Terms(
            settled_height=settled[channel],
            own_door=roots.offices.regulator,
            platform_door=roots.offices.association,
            now=times.parse(as_of or snapshot.taken_at),
            patience=patience,
            settled_sessions=sessions,
            helpers=helpers or Alone(),
        )
        side = _ChainSide(source, verifier, channel, mtg)
        reconciled, compared = side.reconciled(rows, terms)
        dated = replace(snapshot, taken_at=as_of or snapshot.taken_at)
        audit = _Audited(verifier, channel, mtg, reconciled, dated).concluded(0.0)
    genesis = {name: roots.genesis[name].hex() for name in ("identity", channel)}
    return replace(audit, seconds=time.monotonic() - begun, seconds_reconcile=compared, genesis=genesis)


def _find(source: BlockSource, verifier: Verifier, mtg: str, settled: Mapping[str, int]) -> str:
    """Verify arbitration channels until one holds the meeting; return that one."""
    for channel, height in settled.items():
        _follow(source, verifier, channel, height)
        if verifier.meeting(channel, mtg) is not None or verifier.broken(channel):
            return channel
    raise AuditUnavailable(
        f"there is no meeting {mtg!r} on {', '.join(settled) or 'any channel'}; check its id"
    )


class _ChainSide:
    """The chain's side of one meeting, followed to all that the platform's snapshot claims to be on it."""

    def __init__(self, source: BlockSource, verifier: Verifier, channel: str, mtg: str) -> None:
        self._source = source
        self._verifier = verifier
        self._channel = channel
        self._mtg = mtg

    def reconciled(self, rows: PlatformRows, terms: Terms) -> tuple[Reconciliation, float]:
        """Return the reconciliation, and the seconds that it took.

        Where the platform names identity checks that the chain hasn't, the own peer gets time to show them.
        """
        named = rows.last_block(self._mtg)
        deadline = time.monotonic() + _PEER_LAG
        self._catch_up(deadline, lambda: self._verifier.height(self._channel) > named)
        found, seconds = self._compared(rows, terms)
        unknown = {one.platform for one in found.discrepancies if (one.kind, one.field) == (EXTRA, "session")}
        heights = self._heights()
        if unknown:
            self._catch_up(deadline, lambda: not self._verifier.sessions(self._mtg).missing(unknown))
        if self._heights() != heights:
            found, again = self._compared(rows, terms)
            seconds += again
        return found, seconds

    def _compared(self, rows: PlatformRows, terms: Terms) -> tuple[Reconciliation, float]:
        begun = time.monotonic()
        meeting = self._verifier.meeting(self._channel, self._mtg)
        if meeting is None:
            return Reconciliation((), 0, 0), 0.0
        terms = replace(terms, doors=self._verifier.doors(self._channel))
        return reconcile(meeting, rows, terms), time.monotonic() - begun

    def _catch_up(self, deadline: float, complete: Callable[[], bool]) -> None:
        """Go on until it is complete, if the own peer gets there in time."""
        while not self._verifier.broken(self._channel):
            height = self._source.height(self._channel)
            # Identity up to now, then the channel up to before: what its ballots rely on was there first.
            _follow(self._source, self._verifier, "identity", self._source.height("identity"))
            _follow(self._source, self._verifier, self._channel, height)
            if complete() or time.monotonic() >= deadline:
                return
            time.sleep(_POLL)

    def _heights(self) -> tuple[int, int]:
        return self._verifier.height("identity"), self._verifier.height(self._channel)


def _follow(source: BlockSource, verifier: Verifier, channel: str, height: int) -> None:
    start = verifier.height(channel)
    if start < height and not verifier.broken(channel):
        _LOG.info("verifying %s, blocks %d to %d", channel, start, height - 1)
        verifier.follow(channel, source.blocks(channel, start, height))


@dataclass(frozen=True, slots=True)
class _Audited:
    """What the parts of an audit established, before it is one verdict."""

    verifier: Verifier
    channel: str
    mtg: str
    reconciled: Reconciliation
    snapshot: Snapshot

    def concluded(self, seconds: float) -> Audit:
        verifier, channel = self.verifier, self.channel
        meeting = verifier.meeting(channel, self.mtg)
        count = verifier.count(channel, self.mtg)
        findings = (from_error(error) for error in verifier.findings(channel, self.mtg))
        arrivals = Arrivals(meeting.record.encode()) if meeting else None
        wrong = map(from_error, _wrong_anchors(meeting, arrivals)) if meeting and arrivals else ()
        discrepancies = tuple(sorted((*findings, *wrong, *self.reconciled.discrepancies)))
        tally = count.tally if count else None
        outcome = count.outcome if count else None
        return Audit(
            mtg=self.mtg,
            meeting=verified(self.mtg, tally, outcome, discrepancies),
            state=meeting.state if meeting else "",
            blocks={name: verifier.height(name) for name in ("identity", channel)},
            heads={name: verifier.head(name) for name in ("identity", channel)},
            counted=count.ballots if count else 0,
            numbers={
                "accepted": len(meeting.accepted) if meeting else 0,
                "refused": len(meeting.refused) if meeting else 0,
                "second_door": arrivals.doors[verifier.offices.regulator] if arrivals else 0,
                "rows": self.reconciled.rows,
                "acknowledgements_unverified": self.reconciled.unverified,
                "transactions": verifier.transactions(channel),
                "invalid": verifier.invalid(channel),
                "foreign": verifier.foreign(channel),
            },
            tally=tally,
            outcome=outcome,
            discrepancies=discrepancies,
            pending=self.reconciled.pending,
            snapshot=self.snapshot,
            seconds=seconds,
            alarms=verifier.alarms(channel, self.mtg),
            mh=meeting.mh if meeting else "",
            turnout=arrivals.turnout() if arrivals else None,
            anchors=meeting.anchors if meeting else (),
            disputes=meeting.disputes if meeting else (),
            result=result_hash(meeting.result.encode()) if meeting else "",
        )


def _wrong_anchors(meeting: ChainMeeting, arrivals: Arrivals) -> list[ReplayError]:
    """Read the accepted ballots once, for all that they are needed for; return which anchors are wrong."""
    ballots = arrivals.watch(meeting.accepted.values())
    wrong = list(wrong_anchors(meeting.mtg, meeting.anchors, ballots))
    deque(ballots, maxlen=0)  # the anchors may be of fewer
    return wrong
