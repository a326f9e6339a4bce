"""Following the own peer's blocks, and a picture of what was verified for whoever asks meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from auditor.errors import AuditUnavailable
from auditor.portal.facts import Facts, Finding, MeetingFacts, meeting_facts
from auditor.replay.judgement import Bench
from auditor.replay.mandates import proxy_of
from auditor.replay.people import standard_base64
from auditor.verifier import IDENTITY, Verifier
from client.encodings import times

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from auditor.members import Membership
    from auditor.replay.people import Enrolment, Session
    from auditor.run import Roots
    from auditor.source import BlockSource
    from client.encodings.entries import Candidate
    from client.encodings.objection_record import ObjectionRecord

_LOG = logging.getLogger(__name__)
_CHUNK: Final = 8
_REST: Final = 4
"""Times as long as a refresh took, the next one waits: a large meeting keeps no processor for itself."""
PATIENCE: Final = 30.0
"""Seconds without a look at the own peer after which the pages say that they are behind."""


def utc_now() -> datetime:
    """Return the time of the service's clock."""
    return datetime.now(UTC)


class Watcher:
    """Verifies what is new each time it is asked to, and keeps the facts of the last time.

    Thread-safe. One thread refreshes; any may read `facts`, which is replaced and never changed.
    """

    def __init__(
        self,
        source: BlockSource,
        roots: Roots,
        *,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.offices = roots.offices
        self._source = source
        self._verifier = Verifier(roots.genesis, roots.offices)
        self._channels = tuple(name for name in roots.genesis if name != IDENTITY)
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._built: dict[str, int] = {}
        self._seen: float | None = None
        self.facts = Facts(at=self._now())

    @property
    def behind(self) -> bool:
        """Say whether the facts are older than PATIENCE, or there are none yet."""
        return self._seen is None or self._monotonic() - self._seen > PATIENCE

    def refresh(self) -> Facts:
        """Verify what the own peer has beyond what was verified; return the facts, which stay the last ones
        with the trouble named where the peer doesn't answer.
        """  # noqa: D205  one sentence
        begun = self._monotonic()
        try:
            # Identity is read last of the heights: what a channel's ballots rely on was there before.
            heights = {name: self._source.height(name) for name in self._channels}
            self._follow(IDENTITY, self._source.height(IDENTITY))
            for name, height in heights.items():
                self._follow(name, height)
        except AuditUnavailable as error:
            _LOG.warning("the facts are not renewed: %s", error.message)
            old = self.facts
            self.facts = Facts(
                old.at, old.seconds, old.blocks, old.heads, old.findings, old.meetings, trouble=error.message
            )
            return self.facts
        # Nobody else changes the replay, so that whoever asks needn't wait for this.
        self.facts = self._build(begun)
        self._seen = self._monotonic()
        return self.facts

    def run(self, stop: threading.Event, seconds: float = 1.0) -> None:
        """Refresh every `seconds` until told to stop; less often where it takes more than a part of that."""
        while not stop.is_set():
            facts = self.refresh()
            stop.wait(max(seconds, facts.seconds * _REST))

    def _follow(self, channel: str, height: int) -> None:
        """Follow a few blocks at a time, so that whoever asks meanwhile waits for those alone."""
        while not self._verifier.broken(channel) and (start := self._verifier.height(channel)) < height:
            blocks = list(self._source.blocks(channel, start, min(start + _CHUNK, height)))
            if not blocks:
                raise AuditUnavailable(f"the auditor's own peer serves no block {start} of {channel}")
            with self._lock:
                self._verifier.follow(channel, blocks)

    def _build(self, begun: float) -> Facts:
        verifier = self._verifier
        names = (IDENTITY, *self._channels)
        meetings: dict[tuple[str, str], MeetingFacts] = {}
        found = {name: tuple(map(Finding.of, verifier.findings(name))) for name in self._channels}
        for channel in self._channels:
            # What stands in the last facts stands, if the channel didn't grow and nothing more failed.
            mark = verifier.height(channel) + len(found[channel]) + verifier.height(IDENTITY)
            unchanged = self._built.get(channel) == mark
            for mtg, state in verifier.states(channel).items():
                known = self.facts.meetings.get((channel, mtg)) if unchanged else None
                meetings[channel, mtg] = known or meeting_facts(
                    verifier, channel, state, self.offices.regulator
                )
            self._built[channel] = mark
        return Facts(
            at=self._now(),
            seconds=self._monotonic() - begun,
            blocks=MappingProxyType({name: verifier.height(name) for name in names}),
            heads=MappingProxyType({name: verifier.head(name) for name in names}),
            findings=MappingProxyType(found),
            meetings=MappingProxyType(meetings),
        )

    def _now(self) -> str:
        return times.form(int(self._clock().timestamp()))

    # Questions about single records, answered from the replay as it is now

    def enrolment(self, sub: str) -> Enrolment | None:
        """Return the newest revision of a lender's enrolment."""
        with self._lock:
            return self._verifier.people.enrolment(sub)

    def session(self, ses: str) -> Session | None:
        """Return an identity check."""
        with self._lock:
            return self._verifier.people.sessions.get(ses)

    def objection(self, channel: str, mtg: str, obj: str) -> ObjectionRecord | None:
        """Return an objection as the channel holds it, None where it holds none of that id."""
        with self._lock:
            dispute = self._verifier.states(channel)[mtg].disputes.get(obj)
        return None if dispute is None else dispute.filed

    def broken(self, channel: str) -> bool:
        """Say whether a block failed, here or on `identity`, so that the replay stands still."""
        return self._verifier.broken(channel)

    def membership(self, channel: str) -> Membership:
        """Return a channel's organisations; BlockError where nothing of it was verified."""
        return self._verifier.membership(channel)

    def lender_root(self, institution: str) -> bytes | None:
        """Return the confirmed lender CA (DER) of an institution, None for none."""
        with self._lock:
            issuer = self._verifier.people.issuers.get(institution)
        if issuer is None or issuer.status != "confirmed":
            return None
        return standard_base64(issuer.certificate)

    def door_key(self, channel: str, door: str, x5t: str) -> EllipticCurvePublicKey | None:
        """Return the key of a relay that brought ballots to a channel, by its certificate's thumbprint."""
        with self._lock:
            return self._verifier.doors(channel).keys.get(door, {}).get(x5t)

    def bench(self, channel: str, candidate: Candidate) -> Bench:
        """Return what a ballot of a known meeting is judged against now."""
        content = candidate.ballot
        with self._lock:
            state, people = self._verifier.states(channel)[content.mtg], self._verifier.people
            held = state.held.get(content.sub)
            mandate = state.mandates.get(content.sub) if content.prx is not None else None
            signer = proxy_of(content, mandate, held) or content.sub
            return Bench(
                meeting=state.record,
                cap=state.cap,
                enrolment=people.enrolment(signer),
                session=people.sessions.get(content.ses),
                held=held,
                session_used=content.ses in state.used,
                amended=state.overlay.lenders.get(content.sub),
                mandate=mandate,
            )
