"""Synthetic lenders with keys, certificates and claims of their own."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from client.ca import generate_key
from client.encodings import base64url, certificates, times
from client.encodings.ids import ID_BYTES
from client.encodings.leaf import SALT_BYTES, Claim, Leaf
from client.encodings.records import Enrolment, Session
from client.enrolment.lender import LenderKey
from client.sessions.insecure import METHOD

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable

    from client.bench.issuer import BenchIssuer
    from client.encodings.meeting import Meeting

CLASSES: Final = ("large", "medium", "small")
_LIMITS_FEN: Final = {
    "small": (10_000, 5_000_000),
    "medium": (5_000_000, 30_000_000),
    "large": (30_000_000, 900_000_000),
}
_CHOICES: Final = ("approve", "approve", "approve", "reject", "abstain")
_SESSION_VALID: Final = timedelta(hours=12)
_SCALAR_BYTES: Final = 32
_COMMITMENT: Final = base64url.encode(bytes(32))  # nobody was checked, so there is nothing to commit to


@dataclass(frozen=True, slots=True)
class Term:
    """A meeting and the time in which its voters' identity checks hold."""

    mtg: str
    issued_at: str
    expires_at: str

    @classmethod
    def of(cls, mtg: str) -> Term:
        """Let checks be made now, and hold for twelve hours."""
        start = datetime.now(UTC)
        return cls(
            mtg, times.form(int(start.timestamp())), times.form(int((start + _SESSION_VALID).timestamp()))
        )


@dataclass(frozen=True, slots=True)
class Voter:
    """A lender of the bench, whatever the meeting. Everything that a meeting adds follows from it."""

    institution: str
    sub: str
    scalar: bytes = field(repr=False)  # the private key, big-endian
    certificate: bytes  # DER
    claim: Claim
    salt: bytes

    def leaf(self, mtg: str) -> Leaf:
        """Return this voter's entry on a meeting's roll."""
        return Leaf(mtg, self.sub, (self.claim,), self.salt)

    def item(self) -> dict[str, str]:
        """Return this voter's item of `Enrol`."""
        return {
            "sub": self.sub,
            "certificate": base64.b64encode(self.certificate).decode("ascii"),
            "institution": self.institution,
            "method": METHOD,
            "commitment": _COMMITMENT,
        }

    def record(self) -> Enrolment:
        """Return the enrolment as the channel will hold it."""
        return Enrolment(
            sub=self.sub,
            certificate=self.certificate,
            x5t=certificates.thumbprint(self.certificate),
            institution=self.institution,
            method=METHOD,
            commitment=_COMMITMENT,
            status="active",
            rev=1,
        )

    def session(self, term: Term) -> Session:
        """Return the voter's one identity check for a meeting."""
        return Session(
            ses=self._ses(term.mtg),
            sub=self.sub,
            x5t=certificates.thumbprint(self.certificate),
            institution=self.institution,
            mtg=term.mtg,
            method=METHOD,
            outcome="accept",
            commitment=_COMMITMENT,
            issued_at=term.issued_at,
            expires_at=term.expires_at,
        )

    def ballot(self, meeting: Meeting, chooser: random.Random) -> str:
        """Return a signed ballot that answers every motion, as a compact JWS."""
        votes = {motion.id: chooser.choice(_CHOICES) for motion in meeting.motions}
        key = ec.derive_private_key(int.from_bytes(self.scalar, "big"), ec.SECP256R1())
        lender = LenderKey(self.institution, self.sub, key, self.certificate)
        return lender.sign(meeting, votes, ses=self._ses(meeting.mtg), iat=datetime.now(UTC)).compact

    def _ses(self, mtg: str) -> str:
        # Derived, so that nobody has to keep 390,000 of them: a meeting's id is random.
        return base64url.encode(hashlib.sha256(f"{mtg}/{self.sub}".encode()).digest()[:ID_BYTES])

    def pack(self) -> list[Any]:
        """Return the voter as CBOR takes it."""
        return [self.sub, self.scalar, self.certificate, self.claim.cls, self.claim.fen, self.salt]

    @classmethod
    def unpack(cls, institution: str, packed: list[Any]) -> Voter:
        """Return what `pack` packed."""
        sub, scalar, certificate, class_name, fen, salt = packed
        return cls(institution, sub, scalar, certificate, Claim(class_name, fen), salt)


def recruit(count: int, issuer: BenchIssuer, institution: str, chooser: random.Random) -> list[Voter]:
    """Make voters; their claims are drawn by `chooser`, keys and ids are random."""
    return [_voter(issuer, institution, chooser) for _ in range(count)]


def _voter(issuer: BenchIssuer, institution: str, chooser: random.Random) -> Voter:
    sub, key = base64url.encode(secrets.token_bytes(ID_BYTES)), generate_key()
    class_name = chooser.choice(CLASSES)
    return Voter(
        institution=institution,
        sub=sub,
        scalar=key.private_numbers().private_value.to_bytes(_SCALAR_BYTES, "big"),
        certificate=issuer.issue(sub, key.public_key()),
        claim=Claim(class_name, chooser.randint(*_LIMITS_FEN[class_name])),
        salt=secrets.token_bytes(SALT_BYTES),
    )


class CohortRecords:
    """Some voters' enrolments and sessions as the acknowledgement desk looks them up."""

    def __init__(self) -> None:
        self._enrolments: dict[str, Enrolment] = {}
        self._sessions: dict[str, Session] = {}

    def hold(self, voters: Iterable[Voter], term: Term) -> None:
        """Know these voters, and no longer the ones before."""
        present = list(voters)
        self._enrolments = {voter.sub: voter.record() for voter in present}
        sessions = [voter.session(term) for voter in present]
        self._sessions = {session.ses: session for session in sessions}

    def enrolments(self, subs: Collection[str], institution: str) -> dict[str, Enrolment]:
        """Return pseudonyms' enrolments by pseudonym, leaving out whoever has none."""
        found = (self._enrolments.get(sub) for sub in subs)
        return {one.sub: one for one in found if one is not None and one.institution == institution}

    def sessions(self, ids: Collection[str]) -> dict[str, Session]:
        """Return identity checks by their id, leaving out those that aren't there."""
        return {ses: self._sessions[ses] for ses in ids if ses in self._sessions}
