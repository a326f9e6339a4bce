"""Following the own peer's blocks, and a picture of what was verified for whoever asks meanwhile."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from auditor.errors import AuditUnavailable
from auditor.portal.facts import Facts, Finding, MeetingFacts, meeting_facts
from auditor.portal.figures import Figures
from auditor.portal.hired import Hired
from auditor.portal.state import State
from auditor.replay.judgement import Bench
from auditor.replay.mandates import proxy_of
from auditor.replay.people import standard_base64
from auditor.resumed import catch_up
from auditor.verifier import IDENTITY
from client.encodings import times

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from auditor.ahead import HelperProcesses
    from auditor.members import Membership
    from auditor.replay.people import Enrolment, Session
    from auditor.run import Roots
    from auditor.source import BlockSource
    from client.encodings.entries import Candidate
    from client.encodings.objection_record import ObjectionRecord

_LOG = logging.getLogger(__name__)
SAVE: Final = 5.0
"""Seconds from one checkpoint to the next while catching up: a larger one keeps readers waiting longer."""
_REST: Final = 4
"""Times as long as a refresh took, the next one waits: a large meeting keeps no processor for itself."""
PATIENCE: Final = 30.0
"""Seconds without a look at the own peer after which the pages say that they are behind."""


def utc_now() -> datetime:
    """Return the time of the service's clock."""
    return datetime.now(UTC)


class Watcher:
    """Verifies what is new each time it is asked to, and keeps the facts of the last time.

    What grows with ballots is on disk (`state`), so that memory doesn't; a watcher that was killed goes on
    at its last checkpoint. Thread-safe. One thread refreshes; any may read `facts`, which is replaced and
    never changed, and ask about single records, as of the last checkpoint.
    """

    def __init__(
        self,
        source: BlockSource,
        roots: Roots,
        *,
        state: Path | None = None,
        hire: Callable[[], HelperProcesses] | None = None,
        save: float = SAVE,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Resume the state at that path, by default a new one that is gone with the watcher.

        `hire` starts the processes that help to catch up, which makes a checkpoint every `save` seconds.
        Raises CheckpointRefused and StoreUnusable.
        """
        self.offices = roots.offices
        self._source = source
        self._hired = Hired(hire)
        self._state = State(roots, state, self._hired)
        self._verifier = self._state.verifier
        self._channels = tuple(name for name in roots.genesis if name != IDENTITY)
        self._save = save
        self._clock = clock
        self._monotonic = monotonic
        self._built: dict[str, int] = {}
        self._saved: dict[str, int] = {}
        self._seen: float | None = None
        self._published = monotonic()
        self.facts = Facts(at=self._now())
        if any(self._heights().values()):
            self._publish(self._monotonic())

    @property
    def behind(self) -> bool:
        """Say whether the facts are older than PATIENCE, or there are none yet."""
        return self._seen is None or self._monotonic() - self._seen > PATIENCE

    def refresh(self, stop: threading.Event | None = None) -> Facts:
        """Verify what the own peer has beyond what was verified, or until told to stop; return the facts.

        While there is much, they are replaced at every checkpoint. They stay the last ones with the trouble
        named where the peer doesn't answer.
        """
        begun = self._monotonic()
        try:
            # Identity is read last of the heights: what a channel's ballots rely on was there before.
            heights = {name: self._source.height(name) for name in (*self._channels, IDENTITY)}
            with self._hired.working(sum(heights.values()) - sum(self._heights().values())):
                for name in (IDENTITY, *self._channels):
                    for _ in catch_up(self._source, self._verifier, name, heights[name]):
                        if stop is not None and stop.is_set():
                            return self._publish(begun)
                        if self._monotonic() - self._published >= self._save:
                            self._publish(begun)
        except AuditUnavailable as error:
            _LOG.warning("the facts are not renewed: %s", error.message)
            self.facts = replace(self.facts, trouble=error.message)
            return self.facts
        self._publish(begun)
        self._seen = self._monotonic()
        return self.facts

    def run(self, stop: threading.Event, seconds: float = 1.0) -> None:
        """Refresh every `seconds` until told to stop; less often where it takes more than a part of that."""
        while not stop.is_set():
            facts = self.refresh(stop)
            stop.wait(max(seconds, facts.seconds * _REST))

    def close(self) -> None:
        """Let go of the state, as its last checkpoint made it."""
        self._state.close()

    def _publish(self, begun: float) -> Facts:
        """Make a checkpoint if anything is new, and then the facts of it."""
        figures = self._figures()
        if (heights := self._heights()) != self._saved:
            self._state.save()
            self._saved = heights
        self.facts = self._build(begun, figures)
        self._published = self._monotonic()
        return self.facts

    def _heights(self) -> dict[str, int]:
        return {name: self._verifier.height(name) for name in (IDENTITY, *self._channels)}

    def _mark(self, channel: str) -> int:
        """Return a number that changes when the channel, or the one that it relies on, grew or failed."""
        verifier = self._verifier
        return verifier.height(channel) + len(verifier.findings(channel)) + verifier.height(IDENTITY)

    def _figures(self) -> dict[tuple[str, str], Figures]:
        """Renew the figures of what is new, so that they are durable together with it."""
        return {
            (channel, mtg): Figures.renewed(self._state.store, channel, state, self.offices.regulator)
            for channel in self._channels
            if self._built.get(channel) != self._mark(channel)
            for mtg, state in self._verifier.states(channel).items()
        }

    def _build(self, begun: float, renewed: Mapping[tuple[str, str], Figures]) -> Facts:
        """Return the facts; what stands in the last ones stands, if its channel didn't grow or fail."""
        verifier, names = self._verifier, (IDENTITY, *self._channels)
        meetings: dict[tuple[str, str], MeetingFacts] = {}
        for channel in self._channels:
            for mtg, state in verifier.states(channel).items():
                key = (channel, mtg)
                meetings[key] = (
                    meeting_facts(self._state, channel, state, renewed[key])
                    if key in renewed
                    else self.facts.meetings[key]
                )
            self._built[channel] = self._mark(channel)
        return Facts(
            at=self._now(),
            seconds=self._monotonic() - begun,
            blocks=MappingProxyType({name: verifier.height(name) for name in names}),
            heads=MappingProxyType({name: verifier.head(name) for name in names}),
            findings=MappingProxyType(
                {name: tuple(map(Finding.of, verifier.findings(name))) for name in self._channels}
            ),
            meetings=MappingProxyType(meetings),
        )

    def _now(self) -> str:
        return times.form(int(self._clock().timestamp()))

    # Questions about single records, answered from the last checkpoint

    def enrolment(self, sub: str) -> Enrolment | None:
        """Return the newest revision of a lender's enrolment."""
        with self._state.reading() as seen:
            return seen.verifier.people.enrolment(sub)

    def session(self, ses: str) -> Session | None:
        """Return an identity check."""
        with self._state.reading() as seen:
            return seen.verifier.people.sessions.get(ses)

    def objection(self, channel: str, mtg: str, obj: str) -> ObjectionRecord | None:
        """Return an objection as the channel holds it, None where it holds none of that id."""
        with self._state.reading() as seen:
            dispute = seen.verifier.states(channel)[mtg].disputes.get(obj)
        return None if dispute is None else dispute.filed

    def broken(self, channel: str) -> bool:
        """Say whether a block failed, here or on `identity`, so that the replay stands still."""
        return self._verifier.broken(channel)

    def membership(self, channel: str) -> Membership:
        """Return a channel's organisations; BlockError where nothing of it was verified."""
        with self._state.reading() as seen:
            return seen.verifier.membership(channel)

    def lender_root(self, institution: str) -> bytes | None:
        """Return the confirmed lender CA (DER) of an institution, None for none."""
        with self._state.reading() as seen:
            issuer = seen.verifier.people.issuers.get(institution)
        if issuer is None or issuer.status != "confirmed":
            return None
        return standard_base64(issuer.certificate)

    def door_key(self, channel: str, door: str, x5t: str) -> EllipticCurvePublicKey | None:
        """Return the key of a relay that brought ballots to a channel, by its certificate's thumbprint."""
        with self._state.reading() as seen:
            return seen.verifier.doors(channel).keys.get(door, {}).get(x5t)

    def bench(self, channel: str, candidate: Candidate) -> Bench:
        """Return what a ballot of a known meeting is judged against now."""
        content = candidate.ballot
        with self._state.reading() as seen:
            state, people = seen.verifier.states(channel)[content.mtg], seen.verifier.people
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
