"""Verify a person for one meeting: open a session, take frames once, decide, record what passed."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from biometrics.decision import Outcome
from biometrics.errors import SessionRefused
from biometrics.session import (
    EvidenceOpening,
    canonical_evidence,
    open_session,
    seal_session,
)
from client.encodings import commitment, ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from biometrics.decision import Decision
    from biometrics.interfaces import ReferenceSource, SessionRecorder
    from biometrics.matching import Matcher
    from biometrics.picture import Picture
    from biometrics.session import OpenSession, Subject
    from client.encodings.records import Session


@dataclass(frozen=True, slots=True)
class Verification:
    """How a check ended; `session` is there exactly when the outcome is `accept`."""

    decision: Decision
    session: Session | None


def _now() -> int:
    return int(time.time())


class IdentityVerifier:
    """Runs checks. Each session takes frames once; only an accepted one is recorded.

    Open sessions are held in memory, so they end with the process; thread-safe. `clock` gives whole
    seconds since 1970.
    """

    def __init__(
        self,
        matcher: Matcher,
        references: ReferenceSource,
        recorder: SessionRecorder,
        *,
        clock: Callable[[], int] = _now,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._matcher = matcher
        self._references = references
        self._recorder = recorder
        self._clock = clock
        self._random_bytes = random_bytes
        self._open: dict[str, OpenSession] = {}
        self._lock = threading.Lock()

    def open(self, subject: Subject) -> OpenSession:
        """Begin a check of the subject and return its session id and deadline."""
        now = self._clock()
        opened = open_session(
            subject, self._random_bytes(ids.ID_BYTES), now, self._matcher.policy.complete_within
        )
        with self._lock:
            self._open = {ses: other for ses, other in self._open.items() if now <= other.complete_before}
            self._open[opened.ses] = opened
        return opened

    def complete(self, ses: str, subject: Subject, frames: Sequence[Picture]) -> Verification:
        """Decide on the frames of a session that is open, and record it if it passed.

        The session is used up whatever comes of it; after `retry` a new one is opened. Raises
        SessionRefused (CHECK_NOT_FOUND: unknown or used; CHECK_FOREIGN: opened for another subject;
        CHECK_LATE), ReferenceMissing, FaceRefused for an unusable reference, and what the recorder raises.
        """
        opened = self._take(ses, subject)
        reference = self._references.reference(subject)
        decision = self._matcher.match(reference, frames)
        if decision.outcome is not Outcome.ACCEPT:
            return Verification(decision, None)
        now = self._clock()
        evidence = canonical_evidence(
            opened,
            decision,
            self._matcher,
            reference=(self._references.name, reference),
            frames=frames,
            now=now,
        )
        opening = EvidenceOpening(self._random_bytes(commitment.SALT_BYTES), evidence)
        record = seal_session(opened, decision, self._matcher, opening, now)
        self._recorder.record(record, opening)
        return Verification(decision, record)

    def _take(self, ses: str, subject: Subject) -> OpenSession:
        now = self._clock()
        with self._lock:
            opened = self._open.get(ses)
            if opened is not None and opened.subject != subject:
                # Left open: a stranger's try must not end the session of the person it belongs to.
                raise SessionRefused("CHECK_FOREIGN", f"identity check {ses} was opened for somebody else")
            self._open.pop(ses, None)
        if opened is None:
            raise SessionRefused(
                "CHECK_NOT_FOUND",
                f"identity check {ses} is unknown or already used; begin a new one",
            )
        if now > opened.complete_before:
            raise SessionRefused("CHECK_LATE", f"identity check {ses} is past its deadline; begin a new one")
        return opened
