"""What the desk asks of the database about many ballots at once: one query a kind, not one a ballot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select

from client.encodings.judge import HeldBallot
from client.platform.models import Ballot
from client.platform.registers import chunks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy.orm import Session as DatabaseSession

    from client.encodings.ballot import SignedBallot
    from client.encodings.leaf import Leaf
    from client.encodings.records import Enrolment, Session


class Records(Protocol):
    """Where a desk looks up voters and their identity checks: its own database, or the channel."""

    def enrolments(self, subs: Collection[str], institution: str) -> Mapping[str, Enrolment]:
        """Return pseudonyms' enrolments by pseudonym, leaving out whoever has none."""

    def sessions(self, ids: Collection[str]) -> Mapping[str, Session]:
        """Return identity checks by their id, leaving out those that aren't there."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A ballot that the door took: its digest, number and time, and the signed acknowledgement (JWS)."""

    digest: str
    no: int
    time: str
    ack: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is on record about the ballots of one call, by pseudonym, session or digest."""

    known: Mapping[str, Acknowledged]
    places: Mapping[str, tuple[int, Leaf]]
    enrolments: Mapping[str, Enrolment]
    sessions: Mapping[str, Session]


@dataclass(slots=True)
class History:
    """What voters' ballots will be on the channel when those acknowledged before have arrived.

    Kept up while a call's ballots are acknowledged one after another.
    """

    latest: dict[str, HeldBallot] = field(default_factory=dict)  # by pseudonym
    users: dict[str, str] = field(default_factory=dict)  # the digest that used a session, by session

    @classmethod
    def of(cls, session: DatabaseSession, mtg: str, ballots: Iterable[SignedBallot]) -> History:
        """Read the history of these ballots' voters and sessions at a meeting."""
        asked = list(ballots)
        history = cls()
        counting = select(Ballot.sub, Ballot.seq, Ballot.digest, Ballot.ses)
        counting = counting.where(Ballot.mtg == mtg, Ballot.status != "refused")
        for subs in chunks({signed.ballot.sub for signed in asked}):
            for sub, seq, digest, ses in session.execute(counting.where(Ballot.sub.in_(subs))):
                history.add(sub, seq, digest, ses)
        for sessions in chunks({signed.ballot.ses for signed in asked}):
            for _, _, digest, ses in session.execute(counting.where(Ballot.ses.in_(sessions))):
                history.users.setdefault(ses, digest)
        return history

    def add(self, sub: str, seq: int, digest: str, ses: str) -> None:
        """Remember a ballot that was acknowledged."""
        latest = self.latest.get(sub)
        if latest is None or latest.seq < seq:
            self.latest[sub] = HeldBallot(seq, digest)
        self.users.setdefault(ses, digest)


def acknowledged_before(
    session: DatabaseSession, mtg: str, door: str, digests: Iterable[str]
) -> dict[str, Acknowledged]:
    """Return the acknowledgements that a door gave for these ballots, by digest."""
    query = select(Ballot.digest, Ballot.ack_no, Ballot.ack_time, Ballot.ack_jws)
    query = query.where(Ballot.mtg == mtg, Ballot.door == door)
    return {
        row.digest: Acknowledged(*row)
        for asked in chunks(set(digests))
        for row in session.execute(query.where(Ballot.digest.in_(asked)))
    }
