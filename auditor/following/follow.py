"""Following: blocks as they come, checkpoints, and everybody told within seconds of what is wrong."""

from __future__ import annotations

import logging
import queue
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from auditor.ahead import Alone
from auditor.blocks import parse_block
from auditor.errors import AuditUnavailable, BlockError
from auditor.following.anchored import Anchored
from auditor.following.announcement import (
    DISCREPANCY,
    PEER,
    RECONCILIATION,
    UNVERIFIED,
    Announcement,
    of_alarm,
    of_finding,
)
from auditor.following.background import Pass
from auditor.following.comparison import Seen
from auditor.store import TEXT
from auditor.verifier import IDENTITY, Verifier

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

    from auditor.ahead import Helpers
    from auditor.checkpoint import Checkpoints
    from auditor.following.comparison import Comparison
    from auditor.following.heads import Heads
    from auditor.following.metrics import Metrics
    from auditor.following.passing import PassOrder
    from auditor.following.signing import Signing
    from auditor.source import BlockSource

_LOG = logging.getLogger(__name__)
SLICE: Final = 20
"""Blocks of a channel between two looks at what was found, while there are more."""


class Sink(Protocol):
    """Whoever is told of announcements, besides the log."""

    def tell(self, document: dict[str, Any]) -> None:
        """Take an announcement; must not wait."""
        ...


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often, in seconds: looks at the peer, checkpoints while catching up, full passes."""

    look: float = 1.0
    checkpoint: float = 10.0
    full: float = 60.0


@dataclass(slots=True)
class Following:
    """One follower: its own peer, its state, whom it compares with and whom it tells."""

    source: BlockSource
    checkpoints: Checkpoints
    metrics: Metrics
    order: PassOrder | None = None
    sinks: Sequence[Sink] = ()
    comparisons: Sequence[Comparison] = ()
    heads: Heads | None = None
    signing: Signing | None = None
    anchored: Anchored = field(default_factory=Anchored)
    rhythm: Rhythm = field(default_factory=Rhythm)
    found: queue.SimpleQueue[Announcement] = field(default_factory=queue.SimpleQueue)
    _standing: set[str] = field(default_factory=set)
    _saved: float = 0.0

    def run(self, stop: threading.Event, helpers: Helpers | None = None) -> None:
        """Follow until told to stop; raises CheckpointRefused, and AuditUnavailable where nothing can begin.

        `helpers` verify ahead while there is much to catch up with.
        """
        verifier = self._begin(helpers or Alone())
        passing = Pass(self.order)
        try:
            while not stop.is_set():
                self._look(verifier, stop)
                self._drain(verifier)
                self._passed(verifier, passing)
                stop.wait(self.rhythm.look)
        finally:
            passing.end()
            self._save(verifier)

    # -- blocks ---------------------------------------------------------------------------------------

    def _begin(self, helpers: Helpers) -> Verifier:
        verifier = self.checkpoints.resume(helpers)
        if verifier is None:
            roots = self.checkpoints.roots
            _LOG.info("no checkpoint: verifying from genesis")
            verifier = Verifier(roots.genesis, roots.offices, helpers, self.checkpoints.store)
            self._save(verifier)
        else:
            heights = ", ".join(f"{name} {verifier.height(name)}" for name in verifier.channels())
            _LOG.info("resumed from the checkpoint: %s", heights)
        self._told_of(verifier)
        return verifier

    def _look(self, verifier: Verifier, stop: threading.Event) -> None:
        """Verify what the peer has by now."""
        before = {name: verifier.height(name) for name in verifier.channels()}
        try:
            # Identity's height last: what a channel's ballots rely on was there before.
            heights = {name: self.source.height(name) for name in reversed(verifier.channels())}
            for name in verifier.channels():
                self.metrics.peer_height.labels(name).set(heights[name])
                self._follow(verifier, name, heights[name], stop)
        except AuditUnavailable as error:
            self._stand(Announcement(PEER, "", "own peer", str(error), passing=True))
        else:
            self._over(PEER, "own peer")
        if before != {name: verifier.height(name) for name in verifier.channels()}:
            self._save(verifier)

    def _follow(self, verifier: Verifier, channel: str, height: int, stop: threading.Event) -> None:
        while (start := verifier.height(channel)) < height and not verifier.broken(channel):
            if stop.is_set():
                return
            blocks = self.source.blocks(channel, start, min(start + SLICE, height))
            verifier.follow(channel, self._noted(channel, blocks))
            self.metrics.height.labels(channel).set(verifier.height(channel))
            self._told_of(verifier)
            if time.monotonic() - self._saved > self.rhythm.checkpoint:
                self._save(verifier)

    def _noted(self, channel: str, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for raw in blocks:
            self.metrics.read.labels(channel).inc()
            try:
                seen = Seen.of(parse_block(raw))
            except BlockError:  # the verifier says it better
                seen = None
            for one in self.comparisons:
                if seen is not None:
                    one.note(channel, seen)
            yield raw

    def _save(self, verifier: Verifier) -> None:
        self.checkpoints.save(verifier)
        self.metrics.checkpoints.inc()
        self._saved = time.monotonic()

    # -- what is wrong --------------------------------------------------------------------------------

    def _told_of(self, verifier: Verifier) -> None:
        """Announce what the verifier found; what was announced before stays so, whatever happened since."""
        for name in verifier.channels():
            self.metrics.broken.labels(name).set(int(verifier.broken(name)))
            for error in verifier.own_findings(name):
                meeting = verifier.meeting(name, error.mtg) if error.mtg and name != IDENTITY else None
                closed = meeting is not None and bool(meeting.result)
                self._once(of_finding(name, error, closed=closed))
            for alarm in verifier.own_alarms(name):
                self._once(of_alarm(alarm))

    def _drain(self, verifier: Verifier) -> None:
        """Announce what threads found, and what signed heads say otherwise."""
        for looking in (self.anchored, self.heads, self.signing):
            for one in () if looking is None else looking.look(verifier):
                (self._raise if one.passing else self._once)(one)
        for comparison in self.comparisons:
            comparison.watch()
        while not self.found.empty():
            one = self.found.get()
            (self._raise if one.passing else self._once)(one)

    def _once(self, one: Announcement) -> None:
        told = self.checkpoints.store.table("told", TEXT)
        if one.key not in told:
            # First said, then noted: a process that is killed in between says it twice rather than never.
            self._raise(one)
            told[one.key] = ""

    def _stand(self, one: Announcement) -> None:
        """Announce something that passes, once while it lasts."""
        if (key := f"{one.kind} {one.where}") not in self._standing:
            self._standing.add(key)
            self._raise(one)

    def _over(self, kind: str, where: str) -> None:
        self._standing.discard(f"{kind} {where}")

    def _raise(self, one: Announcement) -> None:
        _LOG.error("ALARM %s: %s: %s", one.kind, one.where, one.text)
        self.metrics.alarms.labels(one.kind, one.channel).inc()
        document = {**one.as_json(), "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        for sink in self.sinks:
            sink.tell(document)

    # -- full passes ----------------------------------------------------------------------------------

    def _passed(self, verifier: Verifier, passing: Pass) -> None:
        if verifier.height(IDENTITY) == 0:
            return
        passing.begin(self.rhythm.full)
        answer = passing.answer()
        if answer is None:
            return
        if isinstance(answer, str):
            self.metrics.passes.labels("failed").inc()
            self._stand(Announcement(RECONCILIATION, "", "platform database", answer, passing=True))
            return
        self._over(RECONCILIATION, "platform database")
        every = answer["discrepancies"]
        self.metrics.passes.labels("inconsistent" if every else "consistent").inc()
        # What a step refuses was told as it came.
        found = [one for one in every if one["kind"] != UNVERIFIED]
        self.metrics.passed.set(time.time())
        self.metrics.pass_seconds.set(answer["seconds"])
        for mtg, pending in answer["pending"].items():
            self.metrics.pending.labels(mtg).set(pending)
        present = {f"{DISCREPANCY} {_place(one)}": one for one in found}
        for key in [one for one in self._standing if one.startswith(DISCREPANCY) and one not in present]:
            self._standing.discard(key)  # mended: told again should it come back
        for one in found:
            sides = f"chain {one['chain'] or '-'}, platform {one['platform'] or '-'}"
            text = f"{one['kind']} {one['field']}: {sides}"
            told = Announcement(DISCREPANCY, one["channel"], _place(one), text, one["ballot"], passing=True)
            self._stand(told)


def _place(one: dict[str, Any]) -> str:
    return f"{one['where']} {one['field']} {one['kind']}"
