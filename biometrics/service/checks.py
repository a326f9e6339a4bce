"""Checks: opened by an authenticated lender, completed once with signed frames, decided, handed on."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update

from biometrics.reasons import Reason
from biometrics.service import limits, proofs
from biometrics.service.callers import bind
from biometrics.service.checker import CheckRequest
from biometrics.service.evidence import check_evidence
from biometrics.service.outcomes import binding_of, new_id
from biometrics.service.pool import FrameUnreadable, Overloaded, WorkFailed
from biometrics.service.upload import parse_frames, turned_away
from biometrics.sources.interface import NoPhoto, SourceUnavailable
from biometrics.store.database import insert_once
from biometrics.store.models import Check, SeenFrame
from biometrics.terms.errors import ServiceRefused
from client.encodings import ids, jcs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from biometrics.service.callers import Caller
    from biometrics.service.checker import CheckResult, SentFrame
    from biometrics.service.parts import Parts
    from biometrics.sources.interface import Photo
    from biometrics.terms.binding import Binding

_log = logging.getLogger(__name__)
_KEPT_FRAMES: Final = 8  # for a review: enough to see a person, few enough to look at
_FACE_CONSENTS: Final = ("face", "transmission")
_ENDED: Final = {"withdrawn": "CHECK_ENDED", "superseded": "CHECK_ENDED", "expired": "CHECK_EXPIRED"}


@dataclass(frozen=True, slots=True)
class OpenedCheck:
    """What the client needs: `nonce` to sign, `challenge` to show, the deadline in seconds since 1970."""

    ses: str
    nonce: str
    challenge: Mapping[str, Any]
    opened_at: int
    complete_before: int


class CheckDesk:
    """Opens and completes checks. All state is in the store: any service process can take the next step."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def open(
        self, caller: Caller, scope: str, public_key: ec.EllipticCurvePublicKey | None = None
    ) -> OpenedCheck:
        """Begin a check for a meeting, or (`public_key`: the key to be enrolled) for the enrolment.

        Raises ServiceRefused: PROOF_MISSING (the factor isn't the one needed), CONSENT_MISSING,
        REVIEW_PENDING, CHECK_RUNNING, RATE_LIMITED, ATTEMPTS_EXHAUSTED.
        """
        parts, now = self._parts, self._parts.clock()
        binding, key = bind(caller, scope, public_key)
        opened = OpenedCheck(
            ses=new_id(parts.random_bytes, ids.ID_BYTES),
            nonce=new_id(parts.random_bytes, ids.HASH_BYTES),
            challenge=parts.checker.challenge(parts.random_bytes),
            opened_at=now,
            complete_before=now + parts.checker.complete_within,
        )
        refusal = None
        with parts.database.write() as session:
            self._end_earlier(session, binding, now)
            try:
                self._admit(session, binding, now)
            except ServiceRefused as error:
                refusal = error  # raised after the commit: what was counted stays counted
            else:
                session.add(self._row_of(opened, binding, key, caller.factor))
        if refusal is not None:
            raise refusal
        return opened

    def complete(self, ses: str, proof: str, times: Any, pictures: Sequence[bytes]) -> None:
        """Decide on the frames of a check; afterwards its status tells how it ended.

        Raises ServiceRefused with the first of PROOF_FORMAT, CHECK_NOT_FOUND, CHECK_FOREIGN_LENDER,
        CHECK_FOREIGN_MEETING, CHECK_FOREIGN_KEY, CHECK_REPLAYED, FRAMES_…, PROOF_INVALID, KEY_REVOKED,
        CHECK_USED, CHECK_ENDED, CHECK_EXPIRED, OVERLOADED, REFERENCE_…, CONSENT_MISSING, CHECK_ABORTED.
        Up to CONSENT_MISSING the check is not used up.
        """
        parts, now = self._parts, self._parts.clock()
        signed = proofs.parse_check_proof(proof)
        row = self._row(ses)
        binding = binding_of(row)
        _compare(signed, row)
        frames = parse_frames(times, pictures, parts.policy, 1000 * parts.checker.complete_within)
        self._verify(signed, row, binding, frames)
        _require_open(row, now)
        try:
            ticket = parts.pool.reserve()
        except Overloaded as error:
            raise ServiceRefused("OVERLOADED", retry_after=error.retry_after) from error
        with ticket:
            photo = self._photo(binding)
            self._use_up(row, binding, frames, now)
            request = CheckRequest(json.loads(row.challenge), frames, photo.data)
            try:
                result = ticket.run(request)
            except FrameUnreadable as error:
                self._fail(row, binding, "failed", [error.reason], counts=False)
                if error.source == "reference":
                    raise ServiceRefused("REFERENCE_UNUSABLE", error.reason) from error
                raise turned_away(error.reason, error.source) from error
            except WorkFailed as error:
                # What kills a process may do so again: it counts, so that nobody goes on trying.
                self._fail(row, binding, "failed", ["CHECK_ABORTED"], counts=error.why != "late")
                raise ServiceRefused(
                    "CHECK_ABORTED", error.why, retry_after=parts.pool.retry_after()
                ) from error
        self._conclude(row, binding, result, frames, photo)

    def _admit(self, session: Session, binding: Binding, now: int) -> None:
        parts = self._parts
        parts.consents.require(session, binding.lender, _FACE_CONSENTS)
        if parts.cases.pending(session, binding, now):
            raise ServiceRefused("REVIEW_PENDING")
        limits.admit(session, binding, parts.policy, now)

    @staticmethod
    def _row_of(opened: OpenedCheck, binding: Binding, key: bytes, factor: str) -> Check:
        return Check(
            ses=opened.ses,
            nonce=opened.nonce,
            institution=binding.institution,
            sub=binding.sub,
            key=binding.key,
            public_key=key,
            scope=binding.scope,
            factor=factor,
            challenge=json.dumps(dict(opened.challenge)),
            state="open",
            opened_at=opened.opened_at,
            complete_before=opened.complete_before,
            reasons="[]",
        )

    def _end_earlier(self, session: Session, binding: Binding, now: int) -> None:
        """End what this lender left open; each counts as a failure, or challenges could be shopped for."""
        parts = self._parts
        limits.locked(session, binding)
        query = select(Check).filter_by(institution=binding.institution, sub=binding.sub, scope=binding.scope)
        for row in session.scalars(query.where(Check.state.in_(("open", "deciding"))).with_for_update()):
            stale = now > row.complete_before + parts.policy.time_limit
            if row.state == "deciding" and not stale:
                raise ServiceRefused("CHECK_RUNNING", retry_after=1)
            row.state = "expired" if now > row.complete_before else "superseded"
            row.challenge, row.decided_at = "{}", now
            limits.fail(session, binding, parts.policy, now)

    def _row(self, ses: str) -> Check:
        with self._parts.database.read() as session:
            row = session.get(Check, ses)
        if row is None:
            raise ServiceRefused("CHECK_NOT_FOUND")
        return row

    def _verify(
        self, signed: proofs.CheckProof, row: Check, binding: Binding, frames: Sequence[SentFrame]
    ) -> None:
        if signed.frames != proofs.frames_digest(row.nonce, frames):
            raise ServiceRefused("FRAMES_DIGEST")
        key = serialization.load_der_public_key(row.public_key)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise TypeError("the store holds another kind of key than was put there")
        signed.verify(key)
        if not binding.is_enrolment and self._parts.callers.enrolment(binding.lender).x5t != row.key:
            raise ServiceRefused("CHECK_FOREIGN_KEY", "the lender has enrolled another key since")

    def _photo(self, binding: Binding) -> Photo:
        try:
            return self._parts.sources.photo(binding.lender)
        except NoPhoto as error:
            raise ServiceRefused("REFERENCE_MISSING") from error
        except SourceUnavailable as error:
            raise ServiceRefused("REFERENCE_UNAVAILABLE", retry_after=30) from error

    def _use_up(self, row: Check, binding: Binding, frames: Sequence[SentFrame], now: int) -> None:
        """Take the check, once, whichever process asks first; frames that were seen before end it."""
        parts = self._parts
        with parts.database.write() as session:
            parts.consents.require(session, binding.lender, _FACE_CONSENTS)
            done = session.execute(
                update(Check)
                .where(Check.ses == row.ses, Check.state == "open", Check.complete_before >= now)
                .values(state="deciding")
            )
            if getattr(done, "rowcount", 0) != 1:
                raise ServiceRefused("CHECK_USED")
            digests = {hashlib.sha256(frame.data).hexdigest() for frame in frames}
            fresh = self._note_frames(session, row, "file", digests, now)
        if not fresh:
            self._fail(row, binding, "rejected", [Reason.SEEN_BEFORE.value], counts=True)
            raise ServiceRefused("CHECK_REPLAYED")

    def _note_frames(self, session: Session, row: Check, kind: str, digests: set[str], now: int) -> bool:
        """Note the frames; say whether none was noted before. Keyed hashes: nothing is told by them."""
        fresh = True
        for digest in sorted(digests):
            index = self._parts.sealer.blind_index("frame", f"{kind}:{digest}")
            values = {"frame_index": index, "ses": row.ses, "scope": row.scope, "seen_at": now}
            fresh = insert_once(session, SeenFrame, values) and fresh
        return fresh

    def _conclude(
        self, row: Check, binding: Binding, result: CheckResult, frames: Sequence[SentFrame], photo: Photo
    ) -> None:
        parts, now = self._parts, self._parts.clock()
        with parts.database.write() as session:
            held = self._deciding(session, row.ses)
            digests = {digest.hex() for digest in result.frame_digests}
            if not self._note_frames(session, row, "pixels", digests, now):
                _end(held, "rejected", [Reason.SEEN_BEFORE.value], now)
                limits.fail(session, binding, parts.policy, now)
                return
            if result.outcome == "accept":
                evidenced = check_evidence(
                    row.ses,
                    binding,
                    result,
                    factor=row.factor,
                    source=photo.source,
                    policy=parts.policy,
                    opened_at=row.opened_at,
                    now=now,
                )
                checker = parts.checker
                parts.outcomes.accept(
                    session, held, evidenced, method=checker.method, valid_for=checker.valid_for, now=now
                )
                limits.succeed(session, binding)
                if binding.is_enrolment:
                    parts.invitations.use_up(session, binding.lender, now)
            else:
                self._not_accepted(session, held, binding, result, frames, now=now)
        parts.outcomes.hand_on(row.ses)

    def _not_accepted(
        self,
        session: Session,
        held: Check,
        binding: Binding,
        result: CheckResult,
        frames: Sequence[SentFrame],
        *,
        now: int,
    ) -> None:
        """Retry, reject, or let a person look: where policy says so, and at the last attempt."""
        parts, reasons = self._parts, list(result.reasons)
        limits.fail(session, binding, parts.policy, now)
        last = limits.locked(session, binding).total >= parts.policy.attempts_in_all
        if result.outcome != "review" and not last:
            _end(held, "retry" if result.outcome == "retry" else "rejected", reasons, now)
            return
        if not parts.consents.holds(session, binding.lender, "recording"):
            # Without consent no frame is kept, and without a frame nobody can look: the other way is left.
            _end(held, "undecided", reasons, now)
            return
        finding = {"outcome": result.outcome, "reasons": reasons, "distance": result.distance}
        step = max(1, -(-len(frames) // _KEPT_FRAMES))
        kept = [frame.data for frame in frames[::step]]
        parts.cases.open_review(session, held.ses, binding, finding, frames=kept, now=now)
        _end(held, "review", reasons, now)

    def _deciding(self, session: Session, ses: str) -> Check:
        """Return the check if it is still being decided: a withdrawal may have come in between."""
        row = session.scalars(select(Check).where(Check.ses == ses).with_for_update()).one()
        if row.state != "deciding":
            raise ServiceRefused("CHECK_ENDED")
        return row

    def _fail(self, row: Check, binding: Binding, state: str, reasons: list[str], *, counts: bool) -> None:
        parts, now = self._parts, self._parts.clock()
        with parts.database.write() as session:
            held = session.scalars(select(Check).where(Check.ses == row.ses).with_for_update()).one()
            if held.state == "deciding":
                _end(held, state, reasons, now)
            if counts:
                limits.fail(session, binding, parts.policy, now)


def _compare(signed: proofs.CheckProof, row: Check) -> None:
    """Raise ServiceRefused unless the proof is for this check: lender, meeting, key, nonce, in this order."""
    if signed.sub != row.sub:
        raise ServiceRefused("CHECK_FOREIGN_LENDER")
    if signed.mtg != row.scope:
        raise ServiceRefused("CHECK_FOREIGN_MEETING")
    if signed.signed.x5t != row.key:
        raise ServiceRefused("CHECK_FOREIGN_KEY")
    if (signed.ses, signed.nonce) != (row.ses, row.nonce):
        raise ServiceRefused("CHECK_REPLAYED")


def _require_open(row: Check, now: int) -> None:
    if row.state != "open":
        raise ServiceRefused(_ENDED.get(row.state, "CHECK_USED"))
    if now > row.complete_before:
        raise ServiceRefused("CHECK_EXPIRED")


def _end(row: Check, state: str, reasons: list[str], now: int) -> None:
    row.state, row.challenge, row.decided_at = state, "{}", now
    row.reasons = jcs.dumps(reasons).decode("ascii")
