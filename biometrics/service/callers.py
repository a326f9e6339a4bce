"""Who is asking: a lender by enrolled key or by invitation, an officer by certificate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from biometrics.review.officers import by_thumbprint, require_valid
from biometrics.service import proofs
from biometrics.terms.binding import Binding
from biometrics.terms.errors import ServiceRefused
from biometrics.terms.scopes import ENROLMENT
from client.encodings import certificates

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric import ec

    from biometrics.enrolment.invitations import Invitations
    from biometrics.review.officers import KnownOfficer
    from biometrics.service.meetings import Meetings
    from biometrics.store import Database
    from biometrics.terms.binding import Lender
    from biometrics.terms.policy import ServicePolicy
    from client.encodings.records import Enrolment

ENROLLED_KEY: Final = "enrolled-key"
INVITATION: Final = "invitation-secret"


class Enrolments(Protocol):
    """What the channel `identity` says of a pseudonym."""

    def enrolment(self, lender: Lender) -> Enrolment:
        """Return it; raises ServiceRefused (ENROLMENT_NOT_FOUND, LEDGER_UNAVAILABLE)."""
        ...


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What of a request its proof is over, and the `Authorization` header that should carry one."""

    method: str
    target: str
    body: bytes = field(repr=False)
    authorization: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """A lender who showed a factor; `certificate` (DER) and `key` are there for an enrolled key.

    `meetings` is where what they ask for is looked up.
    """

    lender: Lender
    factor: str
    meetings: Meetings = field(repr=False)
    key: str = ""
    certificate: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class OfficerCaller:
    """An officer, and the statement that was signed for this very request."""

    officer: KnownOfficer
    statement: str = field(repr=False)


def bind(
    caller: Caller, scope: str, public_key: ec.EllipticCurvePublicKey | None, act: str | None = None
) -> tuple[Binding, bytes]:
    """Return what a caller's check is bound to, and the key (SPKI, DER) that will sign for it.

    With `act` the caller is a proxy, and that the principal's pseudonym (REQUEST_FORMAT for none).

    Raises ServiceRefused (PROOF_MISSING) when the factor shown isn't the one that the scope needs: the
    enrolled key for a meeting; for the enrolment the invitation's secret, with the key to be enrolled.
    MEETING_NOT_FOUND, MEETING_NOT_RUNNING for a meeting that isn't the institution's, or not announced.
    """
    if scope == ENROLMENT:
        if caller.factor != INVITATION or public_key is None:
            raise ServiceRefused("PROOF_MISSING", "an enrolment needs the invitation's secret and a key")
        thumbprint = proofs.key_thumbprint(public_key)
        return Binding(caller.lender, thumbprint, scope, act), proofs.spki(public_key)
    if caller.factor != ENROLLED_KEY:
        raise ServiceRefused("PROOF_MISSING", "a meeting's check needs the enrolled key")
    binding = Binding(caller.lender, caller.key, scope, act)
    caller.meetings.meeting(binding.institution, scope).require_running()
    return binding, proofs.spki(certificates.public_key(caller.certificate))


class Callers:
    """Tells who asks, or refuses."""

    def __init__(
        self,
        database: Database,
        policy: ServicePolicy,
        enrolments: Enrolments,
        meetings: Meetings,
        *,
        invitations: Invitations,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._policy = policy
        self._enrolments = enrolments
        self._meetings = meetings
        self._invitations = invitations
        self._clock = clock

    def lender(self, lender: Lender, request: HttpRequest) -> Caller:
        """Return the caller who acts for this lender.

        Raises ServiceRefused: PROOF_…, INVITATION_INVALID, ENROLMENT_NOT_FOUND, KEY_REVOKED,
        CHECK_FOREIGN_KEY (signed with another key than the lender's).
        """
        scheme, _, credential = request.authorization.partition(" ")
        if scheme == "Invitation" and credential:
            return self._by_invitation(lender, credential)
        if scheme == "Proof" and credential:
            return self._by_key(lender, request, credential)
        raise ServiceRefused("PROOF_MISSING")

    def officer(self, request: HttpRequest) -> OfficerCaller:
        """Return the officer who signed this request; raises ServiceRefused.

        Codes: PROOF_…, NOT_OFFICER, OFFICER_CERTIFICATE.
        """
        scheme, _, credential = request.authorization.partition(" ")
        if scheme != "Officer" or not credential:
            raise ServiceRefused("PROOF_MISSING", "officers sign with their organization's certificate")
        proof = proofs.parse_request_proof(credential)
        with self._database.read() as session:
            officer = by_thumbprint(session, proof.signed.x5t)
        require_valid(officer.certificate, self._clock())
        self._accept(proof, officer.certificate, request)
        return OfficerCaller(officer, credential)

    def enrolment(self, lender: Lender) -> Enrolment:
        """Return the lender's enrolment while it is in force; raises ServiceRefused."""
        enrolled = self._enrolments.enrolment(lender)
        if (enrolled.sub, enrolled.institution) != (lender.sub, lender.institution):
            raise ServiceRefused("ENROLMENT_NOT_FOUND")
        if enrolled.status != "active":
            raise ServiceRefused("KEY_REVOKED")
        return enrolled

    def _by_invitation(self, lender: Lender, secret: str) -> Caller:
        with self._database.write() as session:
            right = self._invitations.try_secret(session, lender, secret, self._clock())
        if not right:
            raise ServiceRefused("INVITATION_INVALID")
        return Caller(lender, INVITATION, self._meetings)

    def _by_key(self, lender: Lender, request: HttpRequest, credential: str) -> Caller:
        proof = proofs.parse_request_proof(credential)
        enrolled = self.enrolment(lender)
        if proof.signed.x5t != enrolled.x5t:
            raise ServiceRefused("CHECK_FOREIGN_KEY")
        self._accept(proof, enrolled.certificate, request)
        return Caller(lender, ENROLLED_KEY, self._meetings, enrolled.x5t, enrolled.certificate)

    def _accept(self, proof: proofs.RequestProof, certificate: bytes, request: HttpRequest) -> None:
        now = self._clock()
        key = certificates.public_key(certificate)
        proof.accept(key, request.method, request.target, request.body, now=now, skew=self._policy.skew)
        with self._database.write() as session:
            proofs.take(session, proof, now)
