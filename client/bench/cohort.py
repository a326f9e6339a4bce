"""Synthetic lenders with keys, certificates and claims of their own."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from client.ca import generate_key
from client.encodings import base64url, certificates, times
from client.encodings.ids import ID_BYTES
from client.encodings.leaf import SALT_BYTES, Claim, Leaf
from client.encodings.records import Enrolment, Session
from client.enrolment.lender import LenderKey
from client.sessions.insecure import METHOD

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from client.bench.issuer import BenchIssuer
    from client.encodings.meeting import Meeting

CLASSES = ("large", "medium", "small")
_LIMITS_FEN = {
    "small": (10_000, 5_000_000),
    "medium": (5_000_000, 30_000_000),
    "large": (30_000_000, 900_000_000),
}
_CHOICES = ("approve", "approve", "approve", "reject", "abstain")
_SESSION_VALID = timedelta(hours=12)
_COMMITMENT = base64url.encode(bytes(32))  # nobody was checked, so there is nothing to commit to


@dataclass(frozen=True, slots=True)
class Voter:
    """A lender of the bench: the key, the roll leaf, and the one identity session."""

    lender: LenderKey
    leaf: Leaf
    session: Session

    def enrolment(self) -> dict[str, str]:
        """Return this voter's item of `Enrol`."""
        record = self.record().as_json()
        return {name: record[name] for name in ("sub", "certificate", "institution", "method", "commitment")}

    def record(self) -> Enrolment:
        """Return the enrolment as the channel will hold it."""
        certificate = self.lender.certificate or b""
        return Enrolment(
            sub=self.lender.sub,
            certificate=certificate,
            x5t=certificates.thumbprint(certificate),
            institution=self.lender.institution,
            method=METHOD,
            commitment=_COMMITMENT,
            status="active",
            rev=1,
        )

    def ballot(self, meeting: Meeting, chooser: random.Random) -> str:
        """Return a signed ballot that answers every motion, as a compact JWS."""
        votes = {motion.id: chooser.choice(_CHOICES) for motion in meeting.motions}
        return self.lender.sign(meeting, votes, ses=self.session.ses, iat=datetime.now(UTC)).compact


def recruit(
    count: int,
    issuer: BenchIssuer,
    *,
    institution: str,
    mtg: str,
    seed: int,
    progress: Callable[[int], None],
) -> list[Voter]:
    """Make `count` voters of one meeting; claims are drawn from `seed`, keys and ids are random."""
    chooser = random.Random(seed)  # noqa: S311  amounts, not secrets
    return [_voter(issuer, institution, mtg, chooser, progress) for _ in range(count)]


def _voter(
    issuer: BenchIssuer, institution: str, mtg: str, chooser: random.Random, progress: Callable[[int], None]
) -> Voter:
    sub, key = base64url.encode(secrets.token_bytes(ID_BYTES)), generate_key()
    lender = LenderKey(institution, sub, key, issuer.issue(sub, key.public_key()))
    cls = chooser.choice(CLASSES)
    leaf = Leaf(mtg, sub, (Claim(cls, chooser.randint(*_LIMITS_FEN[cls])),), secrets.token_bytes(SALT_BYTES))
    start = datetime.now(UTC)
    session = Session(
        ses=base64url.encode(secrets.token_bytes(ID_BYTES)),
        sub=sub,
        x5t=lender.x5t,
        institution=institution,
        mtg=mtg,
        method=METHOD,
        outcome="accept",
        commitment=_COMMITMENT,
        issued_at=times.form(int(start.timestamp())),
        expires_at=times.form(int((start + _SESSION_VALID).timestamp())),
    )
    progress(1)
    return Voter(lender, leaf, session)


class CohortRecords:
    """The voters' enrolments and sessions as the acknowledgement desk looks them up."""

    def __init__(self, voters: list[Voter]) -> None:
        self._enrolments = {voter.lender.sub: voter.record() for voter in voters}
        self._sessions = {voter.session.ses: voter.session for voter in voters}

    def enrolments(self, subs: Collection[str], institution: str) -> dict[str, Enrolment]:
        """Return pseudonyms' enrolments by pseudonym, leaving out whoever has none."""
        found = (self._enrolments.get(sub) for sub in subs)
        return {one.sub: one for one in found if one is not None and one.institution == institution}

    def sessions(self, ids: Collection[str]) -> dict[str, Session]:
        """Return identity checks by their id, leaving out those that aren't there."""
        return {ses: self._sessions[ses] for ses in ids if ses in self._sessions}
