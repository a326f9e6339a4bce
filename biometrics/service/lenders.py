"""What lenders may do beside checks: consents, withdrawal, erasure, and booking the way without a face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from biometrics.service import attempts
from biometrics.service.callers import bind
from biometrics.service.outcomes import binding_of, new_id
from biometrics.store.models import Case, Check, Slot
from client.encodings import ids

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
    from sqlalchemy.orm import Session

    from biometrics.enrolment.consents import GivenConsent
    from biometrics.enrolment.erasure import DeletionRecord
    from biometrics.enrolment.slots import OfferedSlot
    from biometrics.enrolment.texts import ConsentText
    from biometrics.service.callers import Caller
    from biometrics.service.parts import Parts
    from biometrics.terms.binding import Lender


@dataclass(frozen=True, slots=True)
class BookedSlot:
    """A booking, the case that two officers will decide, and the check whose status tells the outcome."""

    booking: str
    case: str
    ses: str


class LenderDesk:
    """Serves authenticated lenders."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def texts(self) -> list[ConsentText]:
        """Return the texts to show before consents are given."""
        return self._parts.consents.texts_in_force()

    def consents(self, caller: Caller) -> list[GivenConsent]:
        """Return the lender's consents, withdrawn ones too."""
        with self._parts.database.read() as session:
            return self._parts.consents.listed(session, caller.lender)

    def consent(self, caller: Caller, kind: str, version: str, text_digest: str) -> GivenConsent:
        """Note a consent; raises ServiceRefused (REQUEST_FORMAT, CONSENT_VERSION, CONSENT_TEXT)."""
        parts = self._parts
        with parts.database.write() as session:
            return parts.consents.give(
                session, caller.lender, kind, version=version, text_digest=text_digest, now=parts.clock()
            )

    def withdraw(self, caller: Caller, kind: str) -> DeletionRecord:
        """Withdraw a consent, and delete what rested on it: running checks, reference pictures, frames."""
        parts, now = self._parts, self._parts.clock()
        with parts.database.write() as session:
            parts.consents.withdraw(session, caller.lender, kind, now)
            why = f"consent-withdrawn-{kind}"
            if kind == "recording":
                # Only the kept frames rest on it; the check itself may go on without.
                return parts.erasure.frames(session, caller.lender, why, now)
            self._count_running(session, caller.lender, now)
            return parts.erasure.erase(session, caller.lender, why, now)

    def erase(self, caller: Caller) -> DeletionRecord:
        """Withdraw everything and delete what may be deleted now (PIPL art. 47)."""
        parts, now = self._parts, self._parts.clock()
        with parts.database.write() as session:
            for kind in parts.policy.consents:
                parts.consents.withdraw(session, caller.lender, kind, now)
            self._count_running(session, caller.lender, now)
            return parts.erasure.erase(session, caller.lender, "asked-by-lender", now)

    def _count_running(self, session: Session, lender: Lender, now: int) -> None:
        """Count the checks that a withdrawal ends: challenges could be shopped for by breaking off."""
        mine = {"institution": lender.institution, "sub": lender.sub, "state": "open"}
        for row in session.scalars(select(Check).filter_by(**mine)):
            attempts.fail(session, binding_of(row), self._parts.policy, now)

    def slots(self, institution: str) -> list[OfferedSlot]:
        """Return the institution's slots to come."""
        with self._parts.database.read() as session:
            return self._parts.slots.listed(session, institution, self._parts.clock())

    def book(
        self,
        caller: Caller,
        slot: str,
        scope: str,
        public_key: ec.EllipticCurvePublicKey | None = None,
        act: str | None = None,
    ) -> BookedSlot:
        """Book a slot; the second factor shown here is the one that the officers' decision will count with.

        Needs no consent to anything about a face. Raises ServiceRefused (SLOT_…, PROOF_MISSING).
        """
        parts, now = self._parts, self._parts.clock()
        binding, key = bind(caller, scope, public_key, act)
        with parts.database.write() as session:
            booking = parts.slots.book(session, slot, caller.lender, scope, now)
            held = session.get_one(Slot, slot)
            ends = held.starts_at + 60 * held.minutes + parts.policy.decide_within
            ses = new_id(parts.random_bytes, ids.ID_BYTES)
            session.add(
                Check(
                    ses=ses,
                    nonce=new_id(parts.random_bytes, ids.HASH_BYTES),
                    institution=binding.institution,
                    sub=binding.sub,
                    key=binding.key,
                    public_key=key,
                    scope=scope,
                    act=binding.act,
                    factor=caller.factor,
                    state="attendance",
                    opened_at=now,
                    complete_before=ends,
                    reasons="[]",
                )
            )
            session.flush()
            case = parts.cases.open_attendance(
                session, ses, binding, booking, held.kind, decide_before=ends, now=now
            )
        return BookedSlot(booking, case, ses)

    def cancel(self, caller: Caller, booking: str) -> None:
        """Cancel a booking; raises ServiceRefused (BOOKING_NOT_FOUND)."""
        parts, now = self._parts, self._parts.clock()
        with parts.database.write() as session:
            parts.slots.cancel(session, booking, caller.lender)
            case = parts.cases.of_booking(session, booking)
            session.execute(
                update(Case).where(Case.id == case.id, Case.state == "open").values(state="withdrawn")
            )
            session.execute(
                update(Check)
                .where(Check.ses == case.ses, Check.state == "attendance")
                .values(state="withdrawn", decided_at=now)
            )

    def invite(self, lender: Lender, secret: str, expires_at: int) -> None:
        """Note the secret of an invitation that the institution sends; in process only."""
        with self._parts.database.write() as session:
            self._parts.invitations.issue(session, lender, secret, expires_at)
