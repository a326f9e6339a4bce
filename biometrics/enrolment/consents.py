"""Consents: one for each thing, to one version of its text, withdrawable at any time.

Separate consent is what PIPL art. 29 asks for sensitive personal information, and art. 15 lets it be
withdrawn as easily as it was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from biometrics.store.models import Consent
from biometrics.terms.errors import ServiceRefused
from biometrics.terms.policy import CONSENTS
from client.encodings import base64url, ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from biometrics.enrolment.texts import ConsentText, ConsentTexts
    from biometrics.terms.binding import Lender
    from biometrics.terms.policy import ServicePolicy


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """A consent as the lender sees it; times are seconds since 1970."""

    id: str
    kind: str
    version: str
    text_digest: str
    given_at: int
    withdrawn_at: int | None


class Consents:
    """The consents of lenders, each a row that is never altered but for its end.

    Raises PolicyError where policy names a version that has no published text.
    """

    def __init__(
        self, policy: ServicePolicy, texts: ConsentTexts, random_bytes: Callable[[int], bytes]
    ) -> None:
        texts.require(policy.consents)
        self._policy = policy
        self._texts = texts
        self._random_bytes = random_bytes

    def give(
        self, session: Session, lender: Lender, kind: str, *, version: str, text_digest: str, now: int
    ) -> GivenConsent:
        """Note a consent, to the version that counts today; giving it again changes nothing.

        `text_digest` is the base64url SHA-256 of the text that was shown, in whichever language. Raises
        ServiceRefused (REQUEST_FORMAT, CONSENT_VERSION, CONSENT_TEXT: no published text of this version).
        """
        if kind not in CONSENTS:
            raise ServiceRefused("REQUEST_FORMAT", f"kind is one of {', '.join(CONSENTS)}")
        if not ids.is_hash(text_digest):
            raise ServiceRefused("REQUEST_FORMAT", "text_digest is not 32 bytes in base64url")
        if version != self._policy.consents[kind]:
            raise ServiceRefused("CONSENT_VERSION", f"{kind} is at version {self._policy.consents[kind]}")
        if text_digest not in {text.digest for text in self._texts.of_version(kind, version)}:
            raise ServiceRefused("CONSENT_TEXT", f"{kind} {version}")
        standing = self._standing(session, lender, kind)
        for row in standing:
            if (row.version, row.text_digest) == (version, text_digest):
                return _given(row)
        row = Consent(
            id=base64url.encode(self._random_bytes(ids.ID_BYTES)),
            institution=lender.institution,
            sub=lender.sub,
            kind=kind,
            version=version,
            text_digest=text_digest,
            given_at=now,
            withdrawn_at=None,
        )
        session.add(row)
        return _given(row)

    def withdraw(self, session: Session, lender: Lender, kind: str, now: int) -> int:
        """Withdraw every standing consent of a kind; return how many that were."""
        if kind not in CONSENTS:
            raise ServiceRefused("REQUEST_FORMAT", f"kind is one of {', '.join(CONSENTS)}")
        standing = self._standing(session, lender, kind)
        for row in standing:
            row.withdrawn_at = now
        return len(standing)

    def lapse(self, session: Session, now: int) -> int:
        """End the consents that were given too long ago, as if withdrawn at that time; return how many."""
        lasts = self._policy.consent_days * 86_400
        old = update(Consent).where(Consent.withdrawn_at.is_(None), Consent.given_at <= now - lasts)
        done: Any = session.execute(old.values(withdrawn_at=Consent.given_at + lasts))
        return int(done.rowcount)

    def texts_in_force(self) -> list[ConsentText]:
        """Return the texts that can be consented to today: each kind in each language."""
        versions = self._policy.consents.items()
        return [text for kind, version in versions for text in self._texts.of_version(kind, version)]

    def require(self, session: Session, lender: Lender, kinds: Sequence[str]) -> None:
        """Raise ServiceRefused (CONSENT_MISSING) unless each kind has a standing consent."""
        for kind in kinds:
            if not self.holds(session, lender, kind):
                raise ServiceRefused("CONSENT_MISSING", kind)

    def holds(self, session: Session, lender: Lender, kind: str) -> bool:
        """Say whether there is a standing consent to today's version."""
        standing = self._standing(session, lender, kind)
        return any(row.version == self._policy.consents[kind] for row in standing)

    def listed(self, session: Session, lender: Lender) -> list[GivenConsent]:
        """Return all consents of a lender, withdrawn ones too, oldest first."""
        query = select(Consent).where(Consent.institution == lender.institution, Consent.sub == lender.sub)
        return [_given(row) for row in session.scalars(query.order_by(Consent.given_at, Consent.id))]

    @staticmethod
    def _standing(session: Session, lender: Lender, kind: str) -> list[Consent]:
        query = select(Consent).where(
            Consent.institution == lender.institution,
            Consent.sub == lender.sub,
            Consent.kind == kind,
            Consent.withdrawn_at.is_(None),
        )
        return list(session.scalars(query.with_for_update()))


def _given(row: Consent) -> GivenConsent:
    return GivenConsent(row.id, row.kind, row.version, row.text_digest, row.given_at, row.withdrawn_at)
