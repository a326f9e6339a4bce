"""A stand-in for identity verification, for demonstrations and tests: it believes everybody."""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from client.encodings import base64url
from client.encodings.ids import ID_BYTES
from client.encodings.records import Session
from client.enrolment.approvals import INSECURE_METHOD
from client.enrolment.evidence import Evidence
from client.platform.times import now, to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from client.platform.times import Clock
    from client.sessions.recorder import RecordedSession, SessionRecorder

_log = logging.getLogger(__name__)
METHOD = INSECURE_METHOD
VALID_FOR = timedelta(minutes=30)


class InsecureDemoChecks:
    """Passes every lender without looking, and says so.

    The chaincode takes its sessions only for a meeting whose record names the method.
    """

    def __init__(self, recorder: SessionRecorder, *, clock: Clock = now) -> None:
        _log.warning("identity checks by method %s: NOBODY IS VERIFIED, for demonstrations only", METHOD)
        self._recorder = recorder
        self._clock = clock

    def check(
        self,
        institution: str,
        mtg: str,
        subs: Sequence[str],
        *,
        valid_for: timedelta = VALID_FOR,
        act: str | None = None,
    ) -> list[RecordedSession]:
        """Record a passed check for each pseudonym, in one transaction: for `act`'s ballot, or one's own."""
        passed = [self._passed(institution, mtg, sub, valid_for, act) for sub in subs]
        return self._recorder.record_many(passed)

    def _passed(
        self, institution: str, mtg: str, sub: str, valid_for: timedelta, act: str | None
    ) -> tuple[Session, Evidence]:
        issued = self._clock()
        ses = base64url.encode(secrets.token_bytes(ID_BYTES))
        evidence = Evidence.of({"v": 1, "ses": ses, "sub": sub, "method": METHOD, "verified": False})
        session = Session(
            ses=ses,
            sub=sub,
            x5t=self._recorder.enrolled_key(institution, sub),
            institution=institution,
            mtg=mtg,
            method=METHOD,
            outcome="accept",
            commitment=evidence.commitment,
            issued_at=to_text(issued),
            expires_at=to_text(issued + valid_for),
            act=act,
        )
        return session, evidence
